"""Checks that the tests named in docs/promises.md exist."""

import re
import subprocess

from support.paths import ROOT

PAGE = ROOT / "docs" / "promises.md"
ROW = re.compile(r"^\|[^|]+\|[^|]+\|([^|]+)\|$", re.MULTILINE)
NAME = re.compile(r"`([a-z0-9_]+)`")
DEFINITION = re.compile(r"\b(?:fn|def) ([a-z0-9_]+)\(")


def definitions():
    """Returns the names of all functions in Rust and Python."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.rs", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return {name for path in paths for name in DEFINITION.findall(path.read_text(encoding="utf-8"))}


def test_every_test_named_by_a_promise_exists():
    cells = [cell for cell in ROW.findall(PAGE.read_text(encoding="utf-8")) if cell.strip() not in ("Test", "---")]
    assert len(cells) > 40
    known = definitions()
    for cell in cells:
        names = NAME.findall(cell)
        assert names, f"no test in: {cell}"
        assert [name for name in names if name not in known] == []
