// Raises events through an outbox, a folder of files. Node 18 or newer, no packages.
//
//   node bridge.mjs enqueue < events.jsonl    stores one event a line and prints the name of its file
//   node bridge.mjs drain                     sends what is stored, until the outbox is empty
//   node bridge.mjs validate < event.json     prints what the bridge would understand, and raises nothing
//
// Environment: BRIDGE_URL, BRIDGE_KEY, BRIDGE_OUTBOX, and optionally BRIDGE_SIGNING_SECRET and the seconds below.
import { createHmac, randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { env } from "node:process";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

export class Bridge {
  constructor(url, key, outbox, { secret = env.BRIDGE_SIGNING_SECRET, timeoutS = Number(env.BRIDGE_TIMEOUT_S ?? 30),
    pauseS = Number(env.BRIDGE_PAUSE_S ?? 1), pauseMaxS = Number(env.BRIDGE_PAUSE_MAX_S ?? 300) } = {}) {
    Object.assign(this, { url: url.replace(/\/$/, ""), key, outbox, secret, timeoutS, pauseS, pauseMaxS });
  }

  /** Stores an event. Once the promise is resolved, no crash loses the event. */
  async enqueue(event) {
    await mkdir(this.outbox, { recursive: true });
    const name = `${Date.now()}-${randomUUID()}`;
    const unfinished = `${this.outbox}/${name}.tmp`;
    await writeFile(unfinished, JSON.stringify(event), { flag: "as" }); // s: returns when it is on the disk.
    await rename(unfinished, `${this.outbox}/${name}.json`);
    if (process.platform === "win32") return name;
    const folder = await open(this.outbox); // The new name must reach the disk too.
    await folder.sync().finally(() => folder.close());
    return name;
  }

  /** Sends until the outbox is empty. Returns how many events the bridge refused; they are in `refused`. */
  async drain() {
    await mkdir(`${this.outbox}/refused`, { recursive: true });
    for (let failures = 0, refused = 0; ; ) {
      const files = (await readdir(this.outbox)).filter((name) => name.endsWith(".json")).sort();
      if (files.length === 0) return refused;
      for (const file of files) {
        try {
          const body = await readFile(`${this.outbox}/${file}`);
          const { status, answer, retryAfter } = await this.post("/v1/events", file.replace(/\.json$/, ""), body);
          if (status === 202) {
            failures = 0;
            await unlink(`${this.outbox}/${file}`);
          } else if ([400, 413, 415, 422].includes(status)) { // The same event would get the same answer again.
            [failures, refused] = [0, refused + 1];
            await writeFile(`${this.outbox}/refused/${file}.answer`, answer);
            await rename(`${this.outbox}/${file}`, `${this.outbox}/refused/${file}`);
          } else if (status === 0 || status === 429 || status >= 500) {
            const backoff = Math.min(this.pauseMaxS, this.pauseS * 2 ** failures);
            const pause = retryAfter + backoff * (0.5 + Math.random() / 2);
            failures += 1;
            console.error(`${file}: ${status || "no answer"}, pause ${pause.toFixed(2)} s`);
            await sleep(pause * 1000);
          } else { // The call itself is wrong. The events stay in the outbox.
            throw new Error(`the bridge answers ${status}: check its address and the key`);
          }
        } catch (error) {
          if (error.code !== "ENOENT") throw error; // Otherwise another process has sent it.
        }
      }
    }
  }

  /** Returns the status and the text of the answer to a dry run. */
  validate(event) {
    return this.post("/v1/events/validate", randomUUID(), Buffer.from(JSON.stringify(event)));
  }

  /** Returns status, text and seconds of `Retry-After` of the answer. The status is 0 if there was none. */
  async post(path, name, body) {
    const headers = { "Content-Type": "application/json", "X-API-Key": this.key };
    if (this.secret) { // Standard Webhooks: each try has a signature of its own.
      const now = String(Math.floor(Date.now() / 1000));
      const mac = createHmac("sha256", Buffer.from(this.secret.replace(/^whsec_/, ""), "base64"));
      const signature = "v1," + mac.update(`${name}.${now}.`).update(body).digest("base64");
      Object.assign(headers, { "webhook-id": name, "webhook-timestamp": now, "webhook-signature": signature });
    }
    try {
      const signal = AbortSignal.timeout(this.timeoutS * 1000);
      const got = await fetch(this.url + path, { method: "POST", headers, body, signal, redirect: "manual" });
      return { status: got.status, answer: await got.text(), retryAfter: Number(got.headers.get("Retry-After")) || 0 };
    } catch {
      return { status: 0, answer: "", retryAfter: 0 };
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const bridge = new Bridge(env.BRIDGE_URL, env.BRIDGE_KEY, env.BRIDGE_OUTBOX);
  const lines = async () => (await text(process.stdin)).split("\n").filter((line) => line.trim());
  await {
    enqueue: async () => { for (const line of await lines()) console.log(await bridge.enqueue(JSON.parse(line))); },
    drain: async () => { if (await bridge.drain()) throw new Error(`see what is in ${bridge.outbox}/refused`); },
    validate: async () => console.log((await bridge.validate(JSON.parse(await text(process.stdin)))).answer),
  }[process.argv[2]]();
}
