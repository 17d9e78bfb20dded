"""A proxy before the bridge that refuses, cuts and delays calls at random. Its draws depend only on the seed."""

import http.client
import json
import random
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

UPSTREAM_LIMIT_S = 30
RETRY_AFTER_S = 1
# A client's clock may measure a pause a little shorter than this one.
CLOCK_S = 0.01

# Each fault with its weight; the rest of `TOTAL` are calls without a fault. Those that take the most time are rare.
FAULTS = {
    "busy": 40,  # 503
    "busy until": 10,  # 503 with Retry-After
    "too many": 10,  # 429 with Retry-After
    "broken": 20,  # 502 without a body, as a machine in between answers
    "cut before": 40,  # the connection ends, and the bridge has not seen the call
    "cut after": 40,  # the connection ends, and the bridge has accepted the event
    "cut within": 20,  # the connection ends within the bridge's answer
    "late": 10,  # the bridge has accepted the event, and its answer comes after the client's timeout
}
TOTAL = 1000
STATUSES = {"busy": 503, "busy until": 503, "too many": 429, "broken": 502}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Ignores that a client has ended, as one that is killed or has waited long enough."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class FaultyProxy:
    """The proxy on a free port of 127.0.0.1.

    `late_s` is how long a late answer takes. `faults` counts the faults of each kind, `tries` the calls of each event
    by its id, and `early` the calls that came before the time of a `Retry-After`. `calls` has path, headers and body.
    """

    def __init__(self, upstream, seed, late_s, weights=FAULTS):
        self.late_s = late_s
        self._weights = weights
        self.calls, self.faults, self.tries, self.early = [], Counter(), Counter(), 0
        self._upstream = urlsplit(upstream).netloc
        self._random = random.Random(seed)
        self._not_before = 0.0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self):
        self._server.shutdown()
        self._server.server_close()

    def client_ended(self):
        """Forgets a `Retry-After`, which a killed client cannot remember."""
        with self._lock:
            self._not_before = 0.0

    def _draw(self, path, headers, body):
        """Counts a call and returns its fault, or `None`."""
        with self._lock:
            self.calls.append((path, headers, body))
            self.tries[json.loads(body)["id"]] += 1
            self.early += time.monotonic() < self._not_before - CLOCK_S
            number = self._random.randrange(TOTAL)
            for fault, weight in self._weights.items():
                if number < weight:
                    self.faults[fault] += 1
                    if fault in ("busy until", "too many"):
                        self._not_before = time.monotonic() + RETRY_AFTER_S
                    return fault
                number -= weight
            return None

    def _forward(self, path, headers, body):
        """Returns the bridge's answer: status, content type and body."""
        connection = http.client.HTTPConnection(self._upstream, timeout=UPSTREAM_LIMIT_S)
        try:
            kept = {name: value for name, value in headers.items() if name.lower() not in ("host", "connection")}
            connection.request("POST", path, body, kept)
            answer = connection.getresponse()
            return answer.status, answer.headers.items(), answer.read()
        finally:
            connection.close()

    def _handler(self):
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fault = proxy._draw(self.path, self.headers, body)
                if fault in STATUSES:
                    wait = {"Retry-After": str(RETRY_AFTER_S)} if fault in ("busy until", "too many") else {}
                    return self.answer(STATUSES[fault], wait.items(), b"")
                if fault == "cut before":
                    return self.cut()
                status, headers, content = proxy._forward(self.path, self.headers, body)
                if fault == "cut after":
                    return self.cut()
                if fault == "late":
                    time.sleep(proxy.late_s)
                    return self.cut()
                if fault == "cut within":
                    self.answer(status, headers, content, len(content) // 2)
                    return self.cut()
                return self.answer(status, headers, content)

            def answer(self, status, headers, content, sent=None):
                """Writes an answer, or only the first `sent` bytes of its body."""
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[:sent])

            def cut(self):
                self.close_connection = True

            def log_message(self, *_):
                pass

        return Handler
