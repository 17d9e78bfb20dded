"""Child processes with their output in a file, free ports, and the process tree."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from support import waiting
from support.paths import ROOT

STOP_LIMIT_S = 20
# The folder for the output of every program. The suite `logs` scans it.
KEPT_OUTPUT = ROOT / ".local" / "logs" / "runs"


def free_port():
    """Returns a port of 127.0.0.1 on which nothing listens at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listening(port):
    """Returns whether a process accepts connections on the port."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


class Process:
    """A program in its own process group, as a terminal starts it. Its output goes to `log`."""

    def __init__(self, command, log, environment=None):
        self.log = Path(log)
        with self.log.open("wb") as output:
            self.child = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self):
        return self.child.pid

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, condition, what, limit_s):
        """Like `waiting.until`, but fails at once, with the output, if the program has ended."""

        def still_running():
            code = self.child.poll()
            if code is not None:
                raise AssertionError(f"ended with {code} before: {what}\n{self.output()[-4000:]}")
            return condition()

        return waiting.until(still_running, what, limit_s)

    def interrupt(self):
        """Sends SIGINT to the whole group, as Ctrl-C does. Returns the exit code."""
        os.killpg(self.pid, signal.SIGINT)
        return self.child.wait(STOP_LIMIT_S)

    def end(self):
        """Ends the program in any state: asks it to end, and kills it with its group if that fails.

        It uses SIGTERM, because a shell starts background processes with SIGINT ignored.
        """
        if self.child.poll() is None:
            os.killpg(self.pid, signal.SIGTERM)
            try:
                self.child.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.child.wait(STOP_LIMIT_S)
        KEPT_OUTPUT.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.log, KEPT_OUTPUT / f"{self.pid}.log")


def parents():
    """Returns the parent of every running process, by id. Processes that ended and zombies are omitted."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name in parentheses may itself contain spaces. State and parent follow the last parenthesis.
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found[int(entry.name)] = int(parent)
    return found


def descendants(pid):
    """Returns every process that descends from `pid`."""
    family, known = {pid}, parents()
    while True:
        more = {child for child, parent in known.items() if parent in family} - family
        if not more:
            return family - {pid}
        family |= more


def executable(pid):
    """Returns the file name of the program that a process runs. Empty if the process has ended."""
    try:
        return Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return ""
