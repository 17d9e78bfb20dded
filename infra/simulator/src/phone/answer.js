// The input with which the recipient of the open conversation answers.
import { at } from "/page.js";

/** Makes the input send to the simulator; `open` returns the recipient of the open conversation. */
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

/** Sends one message. Returns the problem, or an empty string. */
async function send(waId, text) {
  try {
    const body = JSON.stringify({ from: `+${waId}`, text });
    const answer = await fetch("/_sim/inbound", { method: "POST", body });
    return answer.ok ? "" : `Non inviato: ${(await answer.json()).error}`;
  } catch {
    return "Non inviato: simulatore non raggiungibile";
  }
}
