"""How a local run starts, refuses to start, and ends."""

import os
import signal
import socket
import stat
import subprocess

from support import local_run, processes, waiting
from support.paths import ROOT

# From `cargo run` to the refusal. Nothing has to be built.
REFUSAL_LIMIT_S = 20
ORPHANS_LIMIT_S = 10


def refusal(data_dir, port, simulator_port):
    """Returns the error output of a run that cannot start. The run must exit by itself with code 1."""
    ended = subprocess.run(
        local_run.command(data_dir, port, simulator_port),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=REFUSAL_LIMIT_S,
    )
    assert ended.returncode == 1, ended
    assert "Building" not in ended.stdout, "it must refuse before it builds"
    return ended.stderr


def test_ctrl_c_ends_every_child_and_removes_the_description(start):
    run = start()
    children = processes.descendants(run.pid)
    functions = {"receive-event", "send-message", "track-delivery", "fire-reminders", "sync-templates"}
    assert functions <= {processes.executable(pid) for pid in children}
    assert run.interrupt() == 0
    assert not children & set(processes.parents())
    assert not run.demo_file.exists()


def test_children_of_a_killed_run_end_by_themselves(start):
    run = start()
    children = processes.descendants(run.pid)
    os.kill(run.pid, signal.SIGKILL)
    run.child.wait()
    waiting.until(lambda: not children & set(processes.parents()), "no child is left", ORPHANS_LIMIT_S)


def test_a_port_in_use_is_reported_at_once(built, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for ports in ((port, processes.free_port()), (processes.free_port(), port)):
            said = refusal(tmp_path / "data", *ports)
            assert str(port) in said and len(said.strip().splitlines()) == 1, said


def test_a_data_folder_in_use_is_reported_at_once(start):
    run = start()
    said = refusal(run.data_dir, processes.free_port(), processes.free_port())
    assert str(run.data_dir) in said and len(said.strip().splitlines()) == 1, said


def test_files_with_secrets_are_readable_by_their_owner_only(start):
    run = start()
    for path in (run.demo_file, run.data_dir / "secrets.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_killed_function_is_replaced_within_a_second(start):
    run = start()
    before = run.signal_workers("receive-event", signal.SIGKILL)
    waiting.until(lambda: len(run.workers("receive-event") - before) == len(before), "both are replaced", 1)
