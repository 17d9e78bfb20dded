// The phone's page: polls for changes, groups them by recipient, shows one conversation.
import { answerAs } from "/answer.js";
import { at, make } from "/page.js";
import { clearTicks, forgetTicks, tell, ticks } from "/ticks.js";

const POLL_MS = 1000;
/** Within this distance from the end, the newest message counts as being read. */
const NEAR_END_PX = 80;

const chats = new Map();
let cursor = "";
let open = null;
let refusedCount = 0;
/** Increases with every message. The conversation with the latest message comes first. */
let arrivals = 0;

const timeOf = new Intl.DateTimeFormat("it-IT", { hour: "2-digit", minute: "2-digit" });
const dayOf = new Intl.DateTimeFormat("it-IT", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const shortDayOf = new Intl.DateTimeFormat("it-IT", { day: "2-digit", month: "2-digit" });

const CATEGORIES = { UTILITY: "utilità", MARKETING: "marketing", AUTHENTICATION: "autenticazione" };
const MEDIA = {
  image: ["FOTO", "Immagine"],
  video: ["VIDEO", "Video"],
  document: ["DOC", "Documento"],
  location: ["LUOGO", "Posizione"],
};
const BUTTON_SIGNS = { url: "↗ ", quick_reply: "↩ " };

/** Converts WhatsApp's marks, `*bold*`, `_italic_`, `~struck~` and ```fixed```, to elements. */
function formatted(text) {
  const marks = /(?<![\p{L}\p{N}])(?:```([^`]+)```|([*_~])(\S|\S[^\n]*?\S)\2)(?![\p{L}\p{N}])/gu;
  const tags = { "*": "strong", _: "em", "~": "s" };
  const parts = [];
  let done = 0;
  for (const match of text.matchAll(marks)) {
    parts.push(text.slice(done, match.index));
    parts.push(match[2] ? make(tags[match[2]], "", ...formatted(match[3])) : make("code", "", match[1]));
    done = match.index + match[0].length;
  }
  parts.push(text.slice(done));
  return parts;
}

/** Returns the text without its marks, for one line in the list. */
function plain(text) {
  return make("span", "", ...formatted(text)).textContent;
}

/** Formats a number with its country code. Italian numbers are grouped as is usual in Italy. */
function number(waId) {
  const italian = /^39(\d{3})(\d{3})(\d+)$/.exec(waId);
  return italian ? `+39 ${italian[1]} ${italian[2]} ${italian[3]}` : `+${waId}`;
}

function tone(waId) {
  return [...waId].reduce((sum, digit) => (sum * 31 + Number(digit)) % 997, 0) % 6;
}

function avatar(element, waId) {
  element.textContent = waId.slice(-2);
  element.dataset.tone = tone(waId);
  return element;
}

function header(part) {
  const [badge, label] = MEDIA[part.kind];
  const ending = /\.(\w{2,4})$/.exec(part.filename || "");
  const sign = make("span", "badge", ending ? ending[1].toUpperCase() : badge);
  sign.setAttribute("aria-hidden", "true");
  return make("div", "media", sign, make("span", "name", part.filename || label), make("span", "source", part.text));
}

function button(part) {
  const link = part.kind === "url" && /^https?:\/\//.test(part.value || "");
  const press = make(link ? "a" : "span", "press", `${BUTTON_SIGNS[part.kind] || ""}${part.text}`);
  if (link) {
    press.href = part.value;
    press.target = "_blank";
    press.rel = "noopener noreferrer";
  }
  if (part.value) press.append(make("span", "value", part.value));
  return make("li", "", press);
}

function stamp(message) {
  const time = make("time", "", timeOf.format(new Date(message.received_at)));
  time.dateTime = message.received_at;
  return time;
}

/** Creates the bubble of a message that the recipient wrote. */
function answer(message) {
  const words = make("div", "words", make("p", "text", ...formatted(message.body)), stamp(message));
  const item = make("li", "message mine", make("div", "bubble", words));
  item.title = message.id;
  return item;
}

function bubble(message) {
  const words = make("div", "words");
  const box = make("div", "bubble");
  if (message.header && message.header.kind === "text") {
    words.append(make("p", "title", message.header.text));
  } else if (message.header) {
    box.append(header(message.header));
  }
  words.append(make("p", "text", ...formatted(message.body)));
  if (message.footer) words.append(make("p", "footer", message.footer));
  words.append(make("div", "stamp", stamp(message), ticks(message.id)));
  box.append(words);
  if (message.buttons.length) box.append(make("ul", "buttons", ...message.buttons.map(button)));
  const category = CATEGORIES[message.category] || message.category.toLowerCase();
  const madeOf = `template ${message.template.name} · ${message.template.language} · ${category}`;
  const item = make("li", "message", box, make("p", "made-of", madeOf));
  item.title = message.id;
  return item;
}

/** Adds messages to the open conversation, with a separator before each new day. */
function append(messages, arrived) {
  const list = at("messages");
  for (const message of messages) {
    const day = dayOf.format(new Date(message.received_at));
    if (list.dataset.day !== day) {
      list.dataset.day = day;
      list.append(make("li", "day", make("span", "", day)));
    }
    const item = message.template ? bubble(message) : answer(message);
    if (arrived) item.classList.add("arrived");
    list.append(item);
  }
}

function atEnd() {
  const { scrollHeight, scrollTop, clientHeight } = at("scroll");
  return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
}

function toEnd() {
  at("scroll").scrollTop = at("scroll").scrollHeight;
  at("latest").hidden = true;
}

function show(waId) {
  const chat = chats.get(waId);
  open = waId;
  chat.unread = 0;
  const list = at("messages");
  list.replaceChildren();
  clearTicks();
  delete list.dataset.day;
  append(chat.messages, false);
  avatar(at("chat-avatar"), waId);
  at("chat-title").textContent = number(waId);
  at("chat-top").hidden = false;
  at("scroll").hidden = false;
  at("answer").hidden = false;
  at("answer-problem").hidden = true;
  at("empty").hidden = true;
  count(chat);
  toEnd();
}

function count(chat) {
  at("chat-count").textContent = chat.messages.length === 1 ? "1 messaggio" : `${chat.messages.length} messaggi`;
}

/** Returns the row of a conversation. It is created once and then only updated, so that it keeps focus and pointer. */
function row(waId) {
  const chat = chats.get(waId);
  if (!chat.row) {
    const pressed = make("button", "row", avatar(make("span", "avatar"), waId), make("span", "who", number(waId)),
      make("span", "when"), make("span", "last"), make("span", "unread"));
    pressed.type = "button";
    pressed.querySelector(".avatar").setAttribute("aria-hidden", "true");
    pressed.addEventListener("click", () => {
      show(waId);
      rows();
      at("phone").classList.add("open");
    });
    chat.row = make("li", "", pressed);
  }
  const last = chat.messages[chat.messages.length - 1];
  const date = new Date(last.received_at);
  const today = dayOf.format(date) === dayOf.format(new Date());
  const part = (name) => chat.row.querySelector(`.${name}`);
  part("when").textContent = today ? timeOf.format(date) : shortDayOf.format(date);
  part("last").textContent = plain(last.body);
  part("unread").hidden = !chat.unread;
  part("unread").replaceChildren(`${chat.unread}`, make("span", "unseen", " da leggere"));
  part("row").setAttribute("aria-current", waId === open);
  return chat.row;
}

/** Updates the list, newest conversation first. Rows move only when their order changes. */
function rows() {
  const list = at("chats");
  const latest = (waId) => chats.get(waId).order;
  const wanted = [...chats.keys()].sort((a, b) => latest(b) - latest(a)).map(row);
  if (wanted.some((item, n) => list.children[n] !== item)) {
    const focused = document.activeElement;
    list.replaceChildren(...wanted);
    if (list.contains(focused)) focused.focus({ preventScroll: true });
  }
  at("no-chats").hidden = chats.size > 0;
  at("phone").classList.toggle("blank", chats.size === 0 && refusedCount === 0);
}

function forget() {
  chats.clear();
  forgetTicks();
  open = null;
  refusedCount = 0;
  at("chats").replaceChildren();
  at("messages").replaceChildren();
  at("scroll").hidden = true;
  at("chat-top").hidden = true;
  at("answer").hidden = true;
  at("latest").hidden = true;
  at("empty").hidden = false;
  at("refused").hidden = true;
  at("refused-list").replaceChildren();
  at("phone").classList.remove("open");
}

function receive(messages, first) {
  // On a narrow screen the list may hide the open conversation.
  const visible = at("chat").offsetParent !== null;
  const reading = atEnd();
  const fresh = [];
  for (const message of messages) {
    const chat = chats.get(message.wa_id) || { messages: [], unread: 0 };
    chats.set(message.wa_id, chat);
    chat.messages.push(message);
    chat.order = ++arrivals;
    if (message.wa_id === open) fresh.push(message);
    if (!first && message.template && !(message.wa_id === open && visible)) chat.unread += 1;
  }
  if (open === null) {
    show(messages[messages.length - 1].wa_id);
  } else if (fresh.length) {
    append(fresh, true);
    count(chats.get(open));
    if (reading) toEnd();
    else at("latest").hidden = false;
  }
}

function refusal(request) {
  let what = `${request.code} · HTTP ${request.status}`;
  if (request.status === null) {
    what = request.accepted ? "Accettato, poi connessione interrotta" : "Connessione interrotta";
  }
  const meta = [request.to || "senza destinatario", request.template || "senza template",
    timeOf.format(new Date(request.received_at))];
  const item = make("li", "", make("span", "code", what));
  if (request.details) item.append(make("span", "why", request.details));
  item.append(make("span", "meta", meta.join(" · ")));
  return item;
}

function refuse(requests) {
  refusedCount += requests.length;
  at("refused").hidden = false;
  at("refused-count").textContent = refusedCount;
  at("refused-list").prepend(...requests.map(refusal).reverse());
}

function link(state, text) {
  const element = at("link");
  // Screen readers announce only a change.
  if (element.dataset.state !== state) {
    element.dataset.state = state;
    element.textContent = text;
  }
}

function byTime(messages) {
  return messages.sort((a, b) => new Date(a.received_at) - new Date(b.received_at));
}

async function poll() {
  try {
    const answer = await fetch(`/_sim/phone?after=${cursor}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const view = await answer.json();
    if (view.anew) forget();
    const first = cursor === "";
    cursor = view.cursor;
    at("sender").textContent = view.sender;
    const messages = byTime([...view.messages, ...view.inbound]);
    if (messages.length) receive(messages, first);
    tell(view.ticks);
    if (view.refused.length) refuse(view.refused);
    if (view.anew || messages.length || view.refused.length) rows();
    link("on", "In ascolto");
  } catch {
    link("off", "Simulatore non raggiungibile");
  }
  setTimeout(poll, POLL_MS);
}

at("back").addEventListener("click", () => at("phone").classList.remove("open"));
at("latest").addEventListener("click", toEnd);
at("scroll").addEventListener("scroll", () => {
  if (atEnd()) at("latest").hidden = true;
});
answerAs(() => open);
poll();
