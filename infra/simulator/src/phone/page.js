// Helpers for every part of the page. All received data is inserted as text, never as markup.

/** Returns the element with this id. */
export const at = (id) => document.getElementById(id);

/** Creates an element with a class and children. A string child becomes text. */
export function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}
