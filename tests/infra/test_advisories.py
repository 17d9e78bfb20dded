"""The suite `advisories` fails on an advisory about a dependency, and says so where it cannot look."""

import os
import shutil
import subprocess
import sys
from datetime import date, timedelta

import pytest
import tomlkit

from support import advisories
from support.paths import ROOT

CRATE = "serde_json"
ID = "RUSTSEC-2026-9999"
TEXT = """```toml
[advisory]
id = "{id}"
package = "{crate}"
date = "{date}"
url = "https://example.com/{id}"
categories = ["denial-of-service"]

[versions]
patched = {patched}
```

# Invented for this test

A text.
"""


def version():
    packages = tomlkit.parse((ROOT / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    return next(str(one["version"]) for one in packages if one["name"] == CRATE)


def database(folder, patched=(), age_days=1):
    """Writes a database with one advisory in the official format."""
    path = folder / "crates" / CRATE / f"{ID}.md"
    path.parent.mkdir(parents=True)
    ranges = [f">= {one}" for one in patched]
    text = TEXT.format(id=ID, crate=CRATE, date=date.today() - timedelta(days=age_days), patched=str(ranges).replace("'", '"'))
    path.write_text(text, encoding="utf-8")
    return folder


def look(folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-m", "support.advisories", str(folder)]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)


def test_an_advisory_about_a_dependency_fails(tmp_path):
    done = look(database(tmp_path))
    assert done.returncode != 0
    assert f"ID: {ID}" in done.stdout, done.stdout


def test_an_advisory_about_an_older_version_passes(tmp_path):
    done = look(database(tmp_path, patched=[version()]))
    assert done.returncode == 0, done.stdout
    assert "SKIPPED" not in done.stdout


def test_an_old_copy_is_reported(tmp_path):
    done = look(database(tmp_path, patched=[version()], age_days=advisories.FRESH_DAYS + 1))
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("SKIPPED: "), done.stdout


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_folder_without_advisories_fails(tmp_path, name):
    (tmp_path / "empty").mkdir()
    done = look(tmp_path / name)
    assert (done.returncode, "no advisories" in done.stdout) == (1, True), done.stdout


def test_the_summary_shows_a_skipped_suite(tmp_path):
    """A copy of the script has its own folder for logs."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "run", tmp_path / "tests" / "run")
    environment = {name: value for name, value in os.environ.items() if name != "BRIDGE_ADVISORY_DB"}
    command = [tmp_path / "tests" / "run", "advisories"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60)
    summary = done.stdout.split("seconds\n")[1].splitlines()
    assert summary[0].split()[:4] == ["advisories", "skipped", "0", "1"]
    assert summary[2].startswith("advisories: SKIPPED: ") and "BRIDGE_ADVISORY_DB" in summary[2]
    assert summary[-1] == "0 passed, 0 failed, 1 skipped"
