"""The page of Passweb's rules defines every rule and decision that is cited, and nothing else."""

import re
import subprocess
from collections import Counter

from support.paths import ROOT

PAGE = ROOT / "docs" / "passweb.md"
CITING = ["*.rs", "*.md", "*.py", "*.yaml", "*.yml", "*.json"]
# A number inside an address, a string or a longer name is not a citation.
NUMBER = re.compile(r"(?<![\w/\"'-])[RC]-\d+\b")
RANGE = re.compile(r"(?<![\w/\"'-])([RC])-(\d+) ?(?:…|\.{2,3}|–|to|through) ?\1-(\d+)\b")
ROW = re.compile(r"^\| ([RC]-\d+) \|[^|]+\|[^|]+\|([^|]+)\|$", re.MULTILINE)
LINK = re.compile(r"\[`([^`]+)`\]\(([^)]+)\)")


def page():
    return PAGE.read_text(encoding="utf-8")


def tracked(*patterns):
    """The paths of tracked files, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def citations():
    """The numbers named outside the page, by the files that name them, and those inside a range."""
    named, inside = {}, set()
    for name in tracked(*CITING):
        if ROOT / name == PAGE:
            continue
        text = (ROOT / name).read_text(encoding="utf-8")
        for number in NUMBER.findall(text):
            named.setdefault(number, set()).add(name)
        for letter, first, last in RANGE.findall(text):
            inside.update(f"{letter}-{number}" for number in range(int(first), int(last) + 1))
    return named, inside


def test_every_cited_number_is_defined_once():
    named, _ = citations()
    assert len(named) > 50
    defined = Counter(number for number, _ in ROW.findall(page()))
    assert [number for number, times in defined.items() if times > 1] == []
    assert {number: files for number, files in named.items() if number not in defined} == {}
    assert [number for number in NUMBER.findall(page()) if number not in defined] == []


def test_every_defined_number_is_cited():
    named, inside = citations()
    assert [number for number, _ in ROW.findall(page()) if number not in named and number not in inside] == []


def test_the_code_of_every_rule_exists():
    files = set(tracked())
    for number, code in ROW.findall(page()):
        links = LINK.findall(code)
        assert links and LINK.sub("", code).strip(" ,") == "", f"{number}: {code}"
        for item, target in links:
            path = (PAGE.parent / target).resolve().relative_to(ROOT.resolve()).as_posix()
            assert path in files, f"{number}: {target}"
            text = (ROOT / path).read_text(encoding="utf-8")
            absent = [part for part in item.split("::") if not re.search(rf"\b{re.escape(part)}\b", text)]
            assert absent == [], f"{number}: {item} in {path}"
