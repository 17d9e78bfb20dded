"""The clients to copy lose no event and raise none twice, although the bridge fails and they are killed."""

import base64
import hmac
import json
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import faults, local_run, processes
from support.bridge import order_event, order_events
from support.clients import CLIENTS, FOLDER, PAUSE_MAX_S, PAUSE_S, TIMEOUT_S, environment

EVENTS = 1000
# One event of so many makes a message on the phone. The other customers have opted out, which spares time.
NOTIFIED = 10
SEED = int(os.environ.get("BRIDGE_CLIENTS_SEED") or random.randrange(1_000_000))
CALL_LIMIT_S = 30
ENQUEUE_LIMIT_S, DRAIN_LIMIT_S, ARRIVAL_LIMIT_S = 60, 300, 300
LINES_MAX = 99
PAUSE = re.compile(r"pause ([0-9.]+) s")
# The rounding of a printed pause.
PRINTED_S = 0.005
SIGNING_KEY = bytes(range(32))
UNKNOWN_KEY = "pwb_unknown_c2VjcmV0"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with local_run.running(tmp_path_factory.mktemp("run")) as run:
        yield run


@dataclass
class Outbox:
    """A client with an outbox of its own."""

    command: list
    folder: Path
    url: str
    key: str

    @property
    def path(self):
        return self.folder / "outbox"

    def waiting(self):
        return len(list(self.path.glob("*.json")))

    def refused(self):
        """Returns the kinds of the files about refused events."""
        return sorted(path.suffix for path in (self.path / "refused").iterdir())

    def environment(self, **changes):
        """Returns the client's settings. A change to `None` leaves the setting out."""
        settings = environment(self.url, self.key, self.path) | changes
        return {name: value for name, value in settings.items() if value is not None}

    def enqueue(self, events, killed_after=None):
        """Stores events one by one and returns how many the client has named. Kills it after some."""
        lines = self.folder / "events.jsonl"
        lines.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
        named = 0
        with lines.open("rb") as source:
            child = subprocess.Popen(
                [*self.command, "enqueue"], env=os.environ | self.environment(), stdin=source, stdout=subprocess.PIPE
            )
            for _ in child.stdout:
                named += 1
                if named == killed_after:
                    child.kill()
        assert child.wait(ENQUEUE_LIMIT_S) == (0 if killed_after is None else -signal.SIGKILL)
        return named

    def drain(self, **changes):
        """Starts to send what is stored."""
        log = self.folder / f"drain-{len(list(self.folder.glob('drain-*.log')))}.log"
        return processes.Process([*self.command, "drain"], log, self.environment(**changes))

    def drained(self):
        """Sends what is stored, and returns the exit code and the output."""
        process = self.drain()
        code = process.child.wait(DRAIN_LIMIT_S)
        process.end()
        return code, process.output()


@pytest.fixture(scope="module")
def make(run, tmp_path_factory):
    """Makes an outbox of a client: `make(client)`, or `make(client, url)` with another address than the bridge's."""
    commands = {}

    def make_one(client, url=None):
        if reason := client.missing():
            pytest.skip(reason)
        folder = tmp_path_factory.mktemp(client.name.strip("#"))
        if client not in commands:
            commands[client] = client.command(folder)
        return Outbox(commands[client], folder, url or run.demo["base_url"], run.demo["api_key"])

    return make_one


def of_clients(test):
    return pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)(test)


# ---- A thousand events each


@dataclass
class Passage:
    """What became of the events of one client."""

    events: list
    outbox: Outbox
    proxy: faults.FaultyProxy
    waiting_at_first: int
    waiting_after_kill: int
    code: int
    output: str


def pass_through(outbox, proxy, events):
    """Sends events through a failing proxy. The client is killed while it stores, and while it sends."""
    named = outbox.enqueue(events, killed_after=EVENTS // 3)
    # The client may have stored one more event than it has named. Its caller stores that event again.
    outbox.enqueue(events[named:])
    waiting_at_first = outbox.waiting()
    first = outbox.drain()
    first.until(lambda: len(proxy.tries) > EVENTS // 2, "half of the events were sent", DRAIN_LIMIT_S)
    os.killpg(first.pid, signal.SIGKILL)
    first.child.wait()
    proxy.client_ended()
    return Passage(events, outbox, proxy, waiting_at_first, outbox.waiting(), *outbox.drained())


@pytest.fixture(scope="module")
def passages(run, make):
    """Sends the events of every client that can run here, all at the same time."""
    print(f"BRIDGE_CLIENTS_SEED={SEED}")
    able = [client for client in CLIENTS if not client.missing()]
    events = order_events(EVENTS * len(able))
    for number, event in enumerate(events):
        event["data"]["customer"]["whatsapp_opt_out"] = number % NOTIFIED != 0
    with ThreadPoolExecutor(len(able)) as pool:
        started = {}
        for index, client in enumerate(able):
            proxy = faults.FaultyProxy(run.demo["base_url"], f"{SEED} {client.name}", late_s=2 * TIMEOUT_S)
            own = events[index * EVENTS : (index + 1) * EVENTS]
            started[client] = pool.submit(pass_through, make(client, proxy.url), proxy, own)
        results = {client: future.result() for client, future in started.items()}
    run.bridge.drained(ARRIVAL_LIMIT_S)
    for passage in results.values():
        passage.proxy.end()
    return results


@pytest.fixture
def passage(client, make, passages):
    make(client)
    return passages[client]


@of_clients
def test_each_event_arrives_once_despite_faults_and_kills(client, passage, run):
    print(client.name, sum(passage.proxy.tries.values()), "calls,", dict(passage.proxy.faults))
    assert passage.code == 0, passage.output[-2000:]
    assert EVENTS <= passage.waiting_at_first <= EVENTS + 1
    assert 0 < passage.waiting_after_kill < EVENTS
    assert (passage.outbox.waiting(), passage.outbox.refused()) == (0, [])
    assert set(passage.proxy.faults) == set(faults.FAULTS), "some kind of fault never happened"

    ids = {event["id"] for event in passage.events}
    assert set(passage.proxy.tries) == ids
    items = run.table_items("BRIDGE_LEDGER_TABLE")
    assert [item for item in items if item["pk"]["S"].startswith("CONFLICT#")] == []
    customers = [event["data"]["customer"] for event in passage.events]
    phones = [customer["phone"] for customer in customers if not customer["whatsapp_opt_out"]]
    for begin in ("EVENT", "M#"):
        found = Counter(item["event_id"]["S"] for item in items if item["sk"]["S"].startswith(begin))
        assert {event_id: found[event_id] for event_id in ids if found[event_id] != 1} == {}
    sent = Counter(message["to"] for message in run.bridge.messages())
    assert {phone: sent[phone] for phone in phones if sent[phone] != 1} == {}


def test_nothing_arrives_that_no_client_has_stored(passages, run):
    ids = {event["id"] for passage in passages.values() for event in passage.events}
    items = run.table_items("BRIDGE_LEDGER_TABLE")
    assert {item["event_id"]["S"] for item in items if item["sk"]["S"] == "EVENT"} == ids


@of_clients
def test_no_call_comes_before_the_time_of_retry_after(client, passage):
    assert passage.proxy.early == 0


# ---- Every kind of answer


@of_clients
def test_two_processes_may_send_at_once(client, make, run):
    outbox = make(client)
    events = order_events(20)
    outbox.enqueue(events)
    both = [outbox.drain(), outbox.drain()]
    assert [process.child.wait(DRAIN_LIMIT_S) for process in both] == [0, 0], both[0].output()
    for process in both:
        process.end()
    run.bridge.drained()
    found = [item["event_id"]["S"] for item in run.table_items("BRIDGE_LEDGER_TABLE") if item["sk"]["S"] == "EVENT"]
    assert sorted(set(found)) == sorted(found)
    assert {event["id"] for event in events} <= set(found)


@of_clients
def test_a_refused_event_is_kept_with_its_answer_and_stops_no_other(client, make):
    outbox = make(client)
    outbox.enqueue([order_event(type="order.exploded"), order_event()])
    code, output = outbox.drained()
    assert code != 0, output
    assert (outbox.waiting(), outbox.refused()) == (0, [".answer", ".json"])
    (answer,) = (outbox.path / "refused").glob("*.answer")
    assert json.loads(answer.read_text(encoding="utf-8"))["errors"][0]["pointer"] == "/type"


@of_clients
def test_a_wrong_key_stops_the_client_and_keeps_the_events(client, make):
    outbox = make(client)
    outbox.enqueue([order_event(), order_event()])
    right, outbox.key = outbox.key, UNKNOWN_KEY
    code, output = outbox.drained()
    assert code != 0
    assert "401" in output
    assert (outbox.waiting(), outbox.refused()) == (2, [])
    outbox.key = right
    assert outbox.drained()[0] == 0
    assert outbox.waiting() == 0


def pauses(outbox, count, **changes):
    """Returns the first pauses of a client that gets no answer, in seconds."""
    outbox.enqueue([order_event()])
    process = outbox.drain(**changes)
    try:
        process.until(lambda: len(PAUSE.findall(process.output())) >= count, "the client pauses", CALL_LIMIT_S)
    finally:
        process.end()
    return [float(seconds) for seconds in PAUSE.findall(process.output())[:count]]


@of_clients
def test_pauses_grow_up_to_a_limit_and_differ(client, make):
    outbox = make(client, f"http://127.0.0.1:{processes.free_port()}")
    found = pauses(outbox, 9)
    for number, pause in enumerate(found):
        longest = min(PAUSE_MAX_S, PAUSE_S * 2**number)
        assert longest / 2 - PRINTED_S <= pause <= longest + PRINTED_S, found
    assert len(set(found[-4:])) > 1, found
    assert outbox.waiting() == 1


@of_clients
def test_the_first_pause_is_about_a_second_unless_it_is_set(client, make):
    outbox = make(client, f"http://127.0.0.1:{processes.free_port()}")
    (pause,) = pauses(outbox, 1, BRIDGE_PAUSE_S=None, BRIDGE_PAUSE_MAX_S=None)
    assert 0.5 - PRINTED_S <= pause <= 1 + PRINTED_S


@of_clients
def test_validate_says_what_the_bridge_understands_and_raises_nothing(client, make, run):
    outbox = make(client)
    event = order_event(phone="340 1234567")
    done = subprocess.run(
        [*outbox.command, "validate"],
        env=os.environ | outbox.environment(),
        input=json.dumps(event, indent=2).encode(),
        capture_output=True,
        timeout=CALL_LIMIT_S,
    )
    assert done.returncode == 0, done.stderr
    understood = json.loads(done.stdout)
    assert (understood["id"], understood["recipients"][0]["phone"]) == (event["id"], "+393401234567")
    assert outbox.waiting() == 0
    run.bridge.drained()
    assert not any(item.get("event_id") == {"S": event["id"]} for item in run.table_items("BRIDGE_LEDGER_TABLE"))


@of_clients
def test_each_try_is_signed_anew(client, make, run):
    proxy = faults.FaultyProxy(run.demo["base_url"], SEED, late_s=0, weights={"busy": faults.TOTAL // 2})
    outbox = make(client, proxy.url)
    outbox.enqueue([order_event() for _ in range(8)])
    process = outbox.drain(BRIDGE_SIGNING_SECRET="whsec_" + base64.b64encode(SIGNING_KEY).decode())
    assert process.child.wait(DRAIN_LIMIT_S) == 0, process.output()
    process.end()
    proxy.end()
    assert proxy.faults["busy"] > 0
    ids = {}
    for _, headers, body in proxy.calls:
        name, at = headers["webhook-id"], headers["webhook-timestamp"]
        signature = hmac.digest(SIGNING_KEY, f"{name}.{at}.".encode() + body, "sha256")
        assert headers["webhook-signature"] == "v1," + base64.b64encode(signature).decode()
        assert abs(time.time() - int(at)) < CALL_LIMIT_S
        ids.setdefault(body, set()).add(name)
    assert len(ids) == len(set.union(*ids.values())) == 8, "an event has one id, whatever the number of tries"


# ---- The files


@of_clients
def test_a_client_is_short(client):
    for file in client.files:
        assert len((FOLDER / file).read_text(encoding="utf-8").splitlines()) <= LINES_MAX, file


def test_every_file_of_the_folder_is_a_client_or_its_page():
    files = {file for client in CLIENTS for file in client.files}
    assert {path.name for path in FOLDER.iterdir()} == files | {"README.md"}
