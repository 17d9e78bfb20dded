// The statuses of each message, shown as ticks beside its time.
import { make } from "/page.js";

/** The statuses by rank. A delivery outranks an earlier failure, and a late status of lower rank has no effect. */
const RANKS = ["sent", "failed", "delivered", "read"];
const SHOWN = {
  sent: ["✓", "inviato"],
  failed: ["!", "non consegnato"],
  delivered: ["✓✓", "consegnato"],
  read: ["✓✓", "letto"],
};
/** The highest status of each message so far. */
const reached = new Map();
/** The tick elements on the page, by message id. */
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

/** Creates the ticks of a message. They are empty until a status arrives, then updated in place. */
export function ticks(id) {
  const element = make("span", "ticks");
  drawn.set(id, element);
  draw(id);
  return element;
}

/** Applies new statuses. */
export function tell(news) {
  for (const { id, status, code } of news) {
    const before = reached.get(id);
    if (before && RANKS.indexOf(before.status) >= RANKS.indexOf(status)) continue;
    reached.set(id, { status, code });
    draw(id);
  }
}

/** Clears the tick elements when another conversation is shown. */
export function clearTicks() {
  drawn.clear();
}

/** Clears all statuses after a reset of the simulator. */
export function forgetTicks() {
  drawn.clear();
  reached.clear();
}
