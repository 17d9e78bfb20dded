// What the sender is told of each message: the ticks beside its time.
import { make } from "/page.js";

/** By rank: a failure loses to a message that arrived after all, and a late status changes nothing. */
const RANKS = ["sent", "failed", "delivered", "read"];
const SHOWN = {
  sent: ["✓", "inviato"],
  failed: ["!", "non consegnato"],
  delivered: ["✓✓", "consegnato"],
  read: ["✓✓", "letto"],
};
/** The best status of each message so far. */
const reached = new Map();
/** The ticks on the page, by message. */
const drawn = new Map();

function draw(id) {
  const element = drawn.get(id);
  const tick = reached.get(id);
  if (!element || !tick) return;
  const [sign, words] = SHOWN[tick.status];
  const said = tick.code === null ? words : `${words} (${tick.code})`;
  element.dataset.status = tick.status;
  element.title = said;
  const seen = make("span", "", tick.code === null ? sign : `${sign} ${tick.code}`);
  seen.setAttribute("aria-hidden", "true");
  element.replaceChildren(seen, make("span", "unseen", said));
}

/** The ticks of a message: empty until a status comes, then changed in place. */
export function ticks(id) {
  const element = make("span", "ticks");
  drawn.set(id, element);
  draw(id);
  return element;
}

/** Takes new statuses. */
export function tell(news) {
  for (const { id, status, code } of news) {
    const before = reached.get(id);
    if (before && RANKS.indexOf(before.status) >= RANKS.indexOf(status)) continue;
    reached.set(id, { status, code });
    draw(id);
  }
}

/** Another conversation is shown: no ticks are on the page. */
export function clearTicks() {
  drawn.clear();
}

/** The simulator begins anew. */
export function forgetTicks() {
  drawn.clear();
  reached.clear();
}
