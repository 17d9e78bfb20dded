"""The runbooks: the commands and log queries that they contain."""

import re

from support import rust
from support.paths import ROOT

FOLDER = ROOT / "docs" / "runbooks"
FENCE = re.compile(r"^[ ]*```(\w*)\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
TEXT = re.compile(r'"([^"]*)"|/[^/\n]+/')
WORD = re.compile(r"(?<![\w.@])[a-z_][\w.]*")
# The words of the query language that the runbooks use.
LANGUAGE = {"fields", "filter", "sort", "limit", "stats", "by", "desc", "asc", "in", "or", "and", "not", "like", "as", "count"}
# Fields that Lambda and the gateway write.
OF_AWS = {"type", "record.status", "record.errorType"}
COMMAND = re.compile(r"^\s*bridge ([^\n#|]+)|`bridge ([^`]+)`", re.MULTILINE)
MACRO = re.compile(r"\b(?:trace|debug|info|warn|error|info_span|error_span)!\(")
FIELD = re.compile(r"[,(\s][%?]?([a-z_][\w.]*)\s*(?=[=,)])")


def pages():
    """The text of each runbook, by its name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}


def queries(page):
    """The log queries of a page."""
    return [body for kind, body in FENCE.findall(page) if kind == "logs"]


def fields(query):
    """The fields that a query names. A name that the query itself gives (`as …`) is none."""
    plain = TEXT.sub(" ", query)
    own = set(re.findall(r"\bas (\w+)", plain))
    return {word for word in WORD.findall(plain)} - LANGUAGE - own


def texts(query):
    """The messages that a query compares with."""
    return [text for line in query.splitlines() if "message" in line for text in re.findall(r'"([^"]+)"', line) if " " in text]


def commands(page):
    """The `bridge` commands of a page, as lists of words."""
    return [(block or inline).split() for block, inline in COMMAND.findall(page)]


def logged():
    """The fields and the texts of all log lines of the functions."""
    names, lines = {"level", "message"}, set()
    for folder in ("shared", "functions"):
        for path in (ROOT / folder).rglob("*.rs"):
            source = path.read_text(encoding="utf-8")
            for start in MACRO.finditer(source):
                call = source[start.end() - 1 : end_of_call(source, start.end() - 1)]
                names.update(FIELD.findall("".join(text for kind, text in rust.pieces(call) if kind == "code")))
                lines.update(text[1:-1] for kind, text in rust.pieces(call) if kind == "text")
    return names, lines


def end_of_call(source, at):
    """Where the parenthesis that opens at a place is closed."""
    depth, end = 0, at
    for kind, text in rust.pieces(source[at : at + 4000]):
        for place, one in enumerate(text if kind == "code" else ""):
            depth += {"(": 1, ")": -1}.get(one, 0)
            if depth == 0:
                return end + place + 1
        end += len(text)
    return end
