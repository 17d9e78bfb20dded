"""Child processes with their output in a file, free ports, and who descends from whom."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from support import waiting
from support.paths import ROOT

STOP_LIMIT_S = 20
# Where the output of every program stays, for the suite `logs`.
KEPT_OUTPUT = ROOT / ".local" / "logs" / "runs"


def free_port():
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listening(port):
    """Whether somebody accepts connections on the port."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


class Process:
    """A program in a process group of its own, as a terminal starts it; its output goes to `log`."""

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
        """As `waiting.until`, but gives up at once, with the output, when the program has ended."""

        def still_running():
            code = self.child.poll()
            if code is not None:
                raise AssertionError(f"ended with {code} before: {what}\n{self.output()[-4000:]}")
            return condition()

        return waiting.until(still_running, what, limit_s)

    def interrupt(self):
        """Ctrl-C: the whole terminal group gets SIGINT. Returns the exit code."""
        os.killpg(self.pid, signal.SIGINT)
        return self.child.wait(STOP_LIMIT_S)

    def end(self):
        """Whatever state it is in: asked to end, and killed with its group if that did not help.

        By SIGTERM, because a shell starts what runs in its background with SIGINT ignored.
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
    """The parent of every running process, by id; what is gone or a zombie is left out."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name in parentheses may itself hold spaces; state and parent follow the last one.
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found[int(entry.name)] = int(parent)
    return found


def descendants(pid):
    """Every process that descends from `pid`."""
    family, known = {pid}, parents()
    while True:
        more = {child for child, parent in known.items() if parent in family} - family
        if not more:
            return family - {pid}
        family |= more


def executable(pid):
    """The file name of the program a process runs, empty when the process is gone."""
    try:
        return Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return ""
