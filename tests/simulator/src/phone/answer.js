// The box to answer from the open conversation, as its recipient.
import { at } from "/page.js";

/** Lets the box send to the simulator; `open` says which recipient's conversation is open. */
export function answerAs(open) {
  at("answer").addEventListener("submit", async (event) => {
    event.preventDefault();
    const box = at("answer-text");
    const text = box.value.trim();
    if (!text) return;
    at("answer-send").disabled = true;
    const problem = await send(open(), text);
    at("answer-send").disabled = false;
    at("answer-problem").textContent = problem;
    at("answer-problem").hidden = !problem;
    if (!problem) box.value = "";
    box.focus();
  });
}

/** Sends one message; answers what went wrong, or nothing. */
async function send(waId, text) {
  try {
    const body = JSON.stringify({ from: `+${waId}`, text });
    const answer = await fetch("/_sim/inbound", { method: "POST", body });
    return answer.ok ? "" : `Non inviato: ${(await answer.json()).error}`;
  } catch {
    return "Non inviato: simulatore non raggiungibile";
  }
}
