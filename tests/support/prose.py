"""The prose of the repository: Rust comments and Markdown as sentences, and the figures of their style."""

import re
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from support import rust

TELL = re.compile(r"\b(?:told|tells?)\b", re.IGNORECASE)
STAND = re.compile(r"\bstands?\b", re.IGNORECASE)
OPENING = re.compile(r"^(?:What|Whoever|Of which)\b")
CODE = re.compile(r"`[^`]*`")
LINK = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?")
WORD = re.compile(r"[\w'’./:@+-]*\w[\w'’./:@+-]*")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|approx)\.$", re.IGNORECASE)
ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")
# Lines of Markdown that are no sentences: tables, headings, HTML.
APART = ("|", "#", "<", "[!")
HEADER = f"{'per 10,000 words':<28} {'words':>7} {'told':>6} {'stand':>6} {'What':>6} {'median':>6} {'p90':>5}"


@dataclass
class Figures:
    """Counts of some prose; `lengths` has the words of each sentence."""

    words: int = 0
    tell: int = 0
    stand: int = 0
    openings: int = 0
    lengths: list = field(default_factory=list)

    def per_10_000(self, count):
        return 10_000 * count / max(self.words, 1)

    @property
    def median(self):
        return statistics.median(self.lengths) if self.lengths else 0

    @property
    def ninetieth(self):
        return sorted(self.lengths)[int(0.9 * len(self.lengths))] if self.lengths else 0

    def row(self, name):
        shares = " ".join(f"{self.per_10_000(count):>6.1f}" for count in (self.tell, self.stand, self.openings))
        return f"{name:<28} {self.words:>7} {shares} {self.median:>6.0f} {self.ninetieth:>5}"


def comments(source):
    """The comments of Rust source as Markdown: those of adjacent lines together, the others apart."""
    blocks, current, is_apart = [], [], True
    for kind, text in rust.pieces(source):
        if kind != "comment":
            is_apart = is_apart or bool(text.strip()) or text.count("\n") > 1
            continue
        if is_apart:
            blocks.append("\n".join(current))
            current = []
        current.append(re.sub(r"^(?://[/!]?|/\*[*!]?)\s?", "", text).removesuffix("*/"))
        is_apart = False
    blocks.append("\n".join(current))
    return "\n\n".join(blocks)


def sentences(markdown):
    """The sentences of Markdown without code blocks, tables and headings. Each item of a list begins a new one."""
    paragraphs, is_code = [[]], False
    for line in markdown.split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
            paragraphs.append([])
        elif is_code or not line.strip() or line.lstrip().startswith(APART):
            paragraphs.append([])
        elif ITEM.match(line):
            paragraphs.append([ITEM.sub("", line)])
        else:
            paragraphs[-1].append(line.lstrip("> "))
    found = []
    for lines in paragraphs:
        text = LINK.sub(r"\1", " ".join(lines))
        text = CODE.sub(lambda code: re.sub(r"[.!?]\s", "_", code.group(0)), text)
        begin = 0
        for end in re.finditer(r"[.!?](?=[\s\"”»)]|$)|$", text):
            sentence = text[begin : end.end()].strip()
            if ABBREVIATION.search(sentence):
                continue
            if WORD.search(sentence):
                found.append(sentence)
            begin = end.end()
    return found


def figures(texts):
    """The figures of some Markdown texts. Code counts as one word."""
    result = Figures()
    for sentence in (sentence for text in texts for sentence in sentences(text)):
        plain = CODE.sub("code", sentence)
        words = len(WORD.findall(plain))
        result.words += words
        result.lengths.append(words)
        result.tell += len(TELL.findall(plain))
        result.stand += len(STAND.findall(plain))
        result.openings += bool(OPENING.match(plain.lstrip('*_"“( ')))
    return result


def tracked(root, *patterns):
    """The tracked files of some patterns."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=root, check=True, capture_output=True, text=True
    )
    return [Path(root, name) for name in listed.stdout.split("\0") if name]


def prose(path):
    """The prose of a Rust or Markdown file, as Markdown."""
    text = path.read_text(encoding="utf-8")
    return comments(text) if path.suffix == ".rs" else text
