"""Raises events through an outbox, a folder of files. Python 3.9 or newer, standard library only.

    bridge.py enqueue < events.jsonl    stores one event a line and prints the name of its file
    bridge.py drain                     sends what is stored, until the outbox is empty
    bridge.py validate < event.json     prints what the bridge would understand, and raises nothing

Environment: BRIDGE_URL, BRIDGE_KEY, BRIDGE_OUTBOX, and optionally BRIDGE_SIGNING_SECRET and the seconds below."""
import base64, hashlib, hmac, http.client, json, os, random, sys, time, urllib.request, uuid
from pathlib import Path


class Answers(urllib.request.HTTPErrorProcessor):  # Raises no error and follows no redirection.
    http_response = https_response = lambda self, request, answer: answer


class Bridge:
    def __init__(self, url, key, outbox, secret=os.environ.get("BRIDGE_SIGNING_SECRET"),
                 timeout_s=float(os.environ.get("BRIDGE_TIMEOUT_S", 30)),
                 pause_s=float(os.environ.get("BRIDGE_PAUSE_S", 1)),
                 pause_max_s=float(os.environ.get("BRIDGE_PAUSE_MAX_S", 300))):
        self.url, self.key, self.outbox, self.secret = url.rstrip("/"), key, Path(outbox), secret
        self.timeout_s, self.pause_s, self.pause_max_s = timeout_s, pause_s, pause_max_s
        self.opener = urllib.request.build_opener(Answers)
        (self.outbox / "refused").mkdir(parents=True, exist_ok=True)

    def enqueue(self, event):
        """Stores an event. Once this has returned, no crash loses the event."""
        name = f"{time.time_ns() // 1_000_000:013}-{uuid.uuid4().hex}"
        unfinished = self.outbox / f"{name}.tmp"
        with open(unfinished, "wb") as file:
            file.write(json.dumps(event).encode())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.outbox / f"{name}.json")
        if os.name == "posix":  # The new name must reach the disk too.
            folder = os.open(self.outbox, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        return name

    def drain(self):
        """Sends until the outbox is empty. Returns how many events the bridge refused; they are in `refused`."""
        failures = refused = 0
        while waiting := sorted(self.outbox.glob("*.json")):
            for file in waiting:
                try:
                    status, answer, retry_after = self.post("/v1/events", file.stem, file.read_bytes())
                    if status == 202:
                        failures = 0
                        file.unlink()
                    elif status in (400, 413, 415, 422):  # The same event would get the same answer again.
                        failures, refused = 0, refused + 1
                        (self.outbox / "refused" / f"{file.stem}.answer").write_bytes(answer)
                        file.replace(self.outbox / "refused" / file.name)
                    elif status in (0, 429) or status >= 500:
                        backoff = min(self.pause_max_s, self.pause_s * 2.0 ** min(failures, 30))
                        pause = retry_after + backoff * random.uniform(0.5, 1)
                        failures += 1
                        print(f"{file.stem}: {status or 'no answer'}, pause {pause:.2f} s", file=sys.stderr)
                        time.sleep(pause)
                    else:  # The call itself is wrong. The events stay in the outbox.
                        raise RuntimeError(f"the bridge answers {status}: check its address and the key")
                except FileNotFoundError:
                    pass  # Another process has sent it.
        return refused

    def validate(self, event):
        """Returns the status and the text of the answer to a dry run."""
        return self.post("/v1/events/validate", uuid.uuid4().hex, json.dumps(event).encode())[:2]

    def post(self, path, name, body):
        """Returns status, body and seconds of `Retry-After` of the answer. The status is 0 if there was none."""
        headers = {"Content-Type": "application/json", "X-API-Key": self.key}
        if self.secret:  # Standard Webhooks: each try has a signature of its own.
            now, key = str(int(time.time())), base64.b64decode(self.secret.removeprefix("whsec_"))
            mac = hmac.new(key, f"{name}.{now}.".encode() + body, hashlib.sha256)
            signature = "v1," + base64.b64encode(mac.digest()).decode()
            headers |= {"webhook-id": name, "webhook-timestamp": now, "webhook-signature": signature}
        try:
            request = urllib.request.Request(self.url + path, body, headers)
            with self.opener.open(request, timeout=self.timeout_s) as answer:
                wait = answer.headers.get("Retry-After", "")
                return answer.status, answer.read(), int(wait) if wait.isdigit() else 0
        except (OSError, http.client.HTTPException):
            return 0, b"", 0


if __name__ == "__main__":
    bridge = Bridge(*(os.environ[f"BRIDGE_{name}"] for name in ("URL", "KEY", "OUTBOX")))
    if sys.argv[1:] == ["enqueue"]:
        for line in sys.stdin:
            print(bridge.enqueue(json.loads(line)), flush=True)
    elif sys.argv[1:] == ["drain"]:
        refused = bridge.drain()
        sys.exit(f"refused: {refused}, see {bridge.outbox}/refused" if refused else 0)
    elif sys.argv[1:] == ["validate"]:
        print(bridge.validate(json.load(sys.stdin))[1].decode())
    else:
        sys.exit(__doc__)
