"""Finds personal data in text: numbers and names that the suites use, plain, with separators, or in base64."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from pathlib import Path

from support.paths import ROOT

# The files in which the suites define the people whom they notify.
SOURCES = (
    "docs/events/examples/*.json",
    "functions/*/tests/**/*.rs",
    "infra/cli/tests/**/*.rs",
    "infra/local/src/**/*.rs",
    "infra/local/tests/**/*.rs",
    "infra/simulator/**/*.rs",
    "shared/*/src/**/*.rs",
    "tests/**/*.rs",
    "tests/**/*.py",
    "README.md",
)
# A number is identified by its last digits, whatever its prefix.
TAIL_DIGITS = 9
# Numbers with fewer different digits, or with consecutive ones, occur in logs for other reasons.
TAIL_DIFFERENT_MIN = 3
# A shorter text may occur in a log for other reasons.
TEXT_CHARS_MIN = 12
# A shorter name occurs by chance if any token is decoded as base64.
DECODED_NAME_CHARS_MIN = 4

QUOTED = re.compile(r"""["']([^"'\\\n]{3,40})["']""")
# A number as people write it: with a prefix, or an Italian one without.
PHONE = re.compile(r"(?:(?:\+|00)\d{8,14}|39\d{9,11}|3\d{8,9}|0\d{8,10})")
NAMES = re.compile(r"""(?:first_name|last_name|company)\\?["']?\s*[:,]\s*(?:json!\()?\\?["']([^"'\\\n]{3,40})\\?["']""")
PERSONAL_FIELDS = {"first_name", "last_name", "company"}
TEXT_FIELDS = {"subject", "body", "description"}

# Output of the local run for its user: an example event, and the messages on the simulated phone. It is not a log:
# lines of functions begin with the function's name.
SHOWN = ("An order changes its state, and Anna's phone gets a message:", "curl -sS ", "phone          | ")

BETWEEN_DIGITS = re.compile(r"(?<=\d)[ ()./-]{1,3}(?=\d)")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
# Any Italian mobile number, including one that a suite generates.
MOBILE = re.compile(r"(?<![0-9A-Za-z.+-])(?:\+|00)?(?:39)?3[2-9]\d{8}(?![0-9A-Za-z-])")


@dataclass(frozen=True)
class Personal:
    """The personal data that must not occur in a log."""

    tails: frozenset
    names: frozenset
    texts: frozenset

    def found(self, line):
        """Returns the personal data in a line, each with the way in which it was found."""
        hits = set(self._plain(line, self.names))
        long_names = [name for name in self.names if len(name) >= DECODED_NAME_CHARS_MIN]
        for token in set(BASE64.findall(line)):
            for text in decoded(token):
                hits |= {f"{hit} (base64)" for hit in self._plain(text, long_names)}
        return hits

    def _plain(self, text, names):
        digits = BETWEEN_DIGITS.sub("", text)
        for run in re.findall(r"\d{9,}", digits):
            for tail in (run[at : at + TAIL_DIGITS] for at in range(len(run) - TAIL_DIGITS + 1)):
                if tail in self.tails:
                    yield f"number …{tail}"
        for number in MOBILE.findall(text):
            yield f"number {number}"
        for name in names:
            if name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
                yield f"name {name}"
        for words in self.texts:
            if words in text:
                yield f"text {words}"


def decoded(token):
    """Yields the base64 decodings of a token, from each of the four possible offsets."""
    standard = token.rstrip("=").replace("-", "+").replace("_", "/")
    for start in range(4):
        part = standard[start:]
        part = part[: len(part) - len(part) % 4]
        try:
            yield base64.b64decode(part).decode("latin-1")
        except (binascii.Error, ValueError):
            continue


def used():
    """Returns the personal data in the suites' own sources and examples."""
    tails, names, texts = set(), set(), set()
    for path in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        source = path.read_text(encoding="utf-8")
        tails |= {tail for quoted in QUOTED.findall(source) if (tail := tail_of(quoted))}
        names |= {name.strip() for name in NAMES.findall(source) if name[0].isupper()}
        if path.suffix == ".json":
            take_json(json.loads(source), tails, names, texts)
    return Personal(frozenset(tails), frozenset(names), frozenset(texts))


def tail_of(text):
    """Returns the last digits of a phone number, or `None` for any other text."""
    bare = re.sub(r"[ ()./-]", "", text)
    tail = bare[-TAIL_DIGITS:]
    if not PHONE.fullmatch(bare) or len(set(tail)) < TAIL_DIFFERENT_MIN or tail in "0123456789":
        return None
    return tail


def take_json(value, tails, names, texts):
    """Adds the people and texts of an example to the sets."""
    if isinstance(value, list):
        for item in value:
            take_json(item, tails, names, texts)
    if not isinstance(value, dict):
        return
    for field, item in value.items():
        take_json(item, tails, names, texts)
        if not isinstance(item, str):
            continue
        if field in PERSONAL_FIELDS:
            names.add(item)
        if field == "phone" and (tail := tail_of(item)):
            tails.add(tail)
        if field in TEXT_FIELDS:
            texts |= {line for line in item.splitlines() if len(line) >= TEXT_CHARS_MIN}


def scan(folder, personal, but=()):
    """Returns the findings of `personal` in the logs of a folder as a list of (file, line number, findings)."""
    hits = []
    for path in sorted(Path(folder).rglob("*.log")):
        if path.name in but:
            continue
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if not line.startswith(SHOWN) and (found := personal.found(line)):
                    hits.append((str(path.relative_to(folder)), number, sorted(found)))
    return hits
