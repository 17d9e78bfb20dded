"""Looks for the dependencies in a given copy of the RustSec advisory database: a clone, or an unpacked archive.

`PYTHONPATH=tests .local/venv/bin/python -m support.advisories FOLDER`
"""

import os
import re
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import tomlkit

from support.paths import ROOT

# cargo-deny derives this name of a clone from the address of the database.
CLONE = "advisory-db-3157b0e258782691"
DATE = re.compile(r'^date = "(\d{4}-\d{2}-\d{2})"', re.MULTILINE)
# New advisories appear every week.
FRESH_DAYS = 30
CHECK_LIMIT_S = 300


def newest(folder):
    """Returns the date of the newest advisory, or `None` without advisories."""
    texts = (path.read_text(encoding="utf-8") for path in folder.glob("crates/*/*.md"))
    dates = [date.fromisoformat(found[1]) for text in texts if (found := DATE.search(text))]
    return max(dates, default=None)


def environment():
    """Returns the environment for git and cargo-deny. A hook of git sets variables that name another repository."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # The tools are installed beside this interpreter.
    return {**own, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"}


def imitate_clone(given, clone):
    """Makes a repository with the given advisories, because cargo-deny reads the last commit of its database."""
    clone.mkdir()
    (clone / "crates").symlink_to(given / "crates")
    author = ["-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], [*author, "commit", "--quiet", "--allow-empty", "--message", "given"]):
        subprocess.run(["git", *command], cwd=clone, env=environment(), check=True)


def search(given):
    """Runs cargo-deny on the whole workspace and returns its exit code, which is 0 if no advisory applies."""
    with tempfile.TemporaryDirectory() as folder:
        imitate_clone(given, Path(folder) / CLONE)
        rules = tomlkit.parse((ROOT / "deny.toml").read_text(encoding="utf-8"))
        rules["advisories"]["db-path"] = folder
        config = Path(folder) / "deny.toml"
        config.write_text(tomlkit.dumps(rules), encoding="utf-8")
        # Offline, because cargo-deny would replace the copy. The crates must therefore be there.
        subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=ROOT, check=True, timeout=CHECK_LIMIT_S)
        command = ["cargo", "deny", "--locked", "--offline", "--config", str(config), "--workspace", "check", "advisories"]
        return subprocess.run(command, cwd=ROOT, env=environment(), timeout=CHECK_LIMIT_S).returncode


def check(given, today):
    """Looks for advisories, and says what an old copy cannot know. Returns an exit code."""
    last = newest(given)
    if last is None:
        print(f"{given} contains no advisories. A copy of the database has them in crates/CRATE/ID.md.")
        return 1
    if (today - last).days > FRESH_DAYS:
        print(f"SKIPPED: advisories after {last}. The copy of the database is old, update it.", flush=True)
    return search(given)


if __name__ == "__main__":
    sys.exit(check(Path(sys.argv[1]).resolve(), date.today()))
