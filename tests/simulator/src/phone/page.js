// What every part of the page uses. Everything received is put in as text, never as markup.

/** The element with this id. */
export const at = (id) => document.getElementById(id);

/** An element with a class and children; a string child becomes text. */
export function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}
