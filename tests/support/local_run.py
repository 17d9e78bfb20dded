"""The local run as a user starts it, `cargo run`, on free ports and with its own data folder."""

import json
import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from support import processes, waiting
from support.bridge import Bridge, aws_client
from support.paths import ROOT

# From the start of the built runner until it wrote demo.json. This includes a build with nothing to do.
READY_LIMIT_S = 90
BUILD_LIMIT_S = 1200
# From the message on the phone to its last status in the ledger, with a retry in between.
REPORTED_LIMIT_S = 30

# The attributes in the ledger of a message that was read.
REPORTS = {"status_sent", "status_delivered", "status_read"}


def build():
    """Builds the same as `cargo run`, so that no later wait includes compilation."""
    subprocess.run(["cargo", "build"], cwd=ROOT, check=True, timeout=BUILD_LIMIT_S)


def command(data_dir, port, simulator_port):
    return [
        "cargo",
        "run",
        "--quiet",
        "--",
        "--data-dir",
        str(data_dir),
        "--port",
        str(port),
        "--simulator-port",
        str(simulator_port),
    ]


def read_variables(path):
    """Returns the variables of an environment file with `KEY=VALUE` lines."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line)


class LocalRun(processes.Process):
    """One run. `bridge` is ready once `LocalRun` is constructed."""

    def __init__(self, data_dir, log):
        self.data_dir = Path(data_dir)
        self.port, self.simulator_port = processes.free_port(), processes.free_port()
        super().__init__(command(self.data_dir, self.port, self.simulator_port), log)
        try:
            self.until(self.demo_file.exists, "demo.json is written", READY_LIMIT_S)
            self.demo = json.loads(self.demo_file.read_text(encoding="utf-8"))
        except BaseException:
            self.end()
            raise
        self.settings = read_variables(self.demo["env_file"])
        self.bridge = Bridge(
            self.demo["base_url"],
            self.demo["api_key"],
            self.demo["simulator_url"],
            aws_client("sqs", self.demo["sqs_url"]),
            self.settings["BRIDGE_EVENTS_QUEUE_URL"],
        )

    @property
    def demo_file(self):
        return self.data_dir / "demo.json"

    def table_items(self, variable):
        """Returns every item of the table that `variable` names, ordered by its keys."""
        dynamodb = aws_client("dynamodb", self.demo["dynamodb_url"])
        pages = dynamodb.get_paginator("scan").paginate(TableName=self.settings[variable])
        items = [item for page in pages for item in page["Items"]]
        return sorted(items, key=lambda item: (item["pk"]["S"], item.get("sk", {}).get("S", "")))

    def message_item(self, event):
        """Returns the ledger's item for the only message of an event, or `None` if there is none."""
        items = self.table_items("BRIDGE_LEDGER_TABLE")
        found = [i for i in items if i["sk"]["S"].startswith("M#") and i["event_id"]["S"] == event["id"]]
        assert len(found) <= 1, found
        return found[0] if found else None

    def read(self, event):
        """Waits until the ledger records that an event's only message was read. The phone reports this status last."""
        waiting.until(lambda: REPORTS <= set(self.message_item(event) or {}), "the message was read", REPORTED_LIMIT_S)

    def workers(self, function):
        """Returns the process ids of the running copies of a function. Their executables have its name."""
        return {pid for pid in processes.descendants(self.pid) if processes.executable(pid) == function}

    def signal_workers(self, function, number):
        """Sends a signal to every copy of a function and returns their ids."""
        pids = self.workers(function)
        for pid in pids:
            os.kill(pid, number)
        return pids

    def end(self):
        # A stopped process handles no signals other than SIGKILL and SIGCONT, so continue it first.
        if self.child.poll() is None:
            for pid in processes.descendants(self.pid):
                os.kill(pid, signal.SIGCONT)
        super().end()


@contextmanager
def running(folder):
    """Builds and starts a run for the duration of a `with` block."""
    build()
    run = LocalRun(folder / "data", folder / "output.log")
    try:
        yield run
    finally:
        run.end()
