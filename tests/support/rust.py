"""Reads Rust source as far as the suites need it: comments apart from code, and the paths that modules name."""

import re
from pathlib import Path

# A comment, a raw string's beginning, a string, a character.
TOKEN = re.compile(
    r"""//[^\n]*|/\*|(?P<raw>(?<!\w)[bc]?r(?P<hashes>#*)")|"(?:\\.|[^"\\])*"|'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'])'""",
    re.DOTALL,
)
PATH = re.compile(r"\b(crate|self|super)::")
SEGMENT = re.compile(r"\s*(\w+|\*)")
MODULE = re.compile(r"(#\[cfg\(test\)\]\s*)?\b(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*([;{])")
REEXPORT = re.compile(r"\bpub(?:\([^)]*\))?\s+use\s+([^;]+);")


def pieces(source):
    """Splits Rust source into pairs (kind, text), where the kind is "code", "comment" or "text" (a string or character)."""
    found, began = [], 0
    while token := TOKEN.search(source, began):
        kind, end = "comment" if token.group().startswith("/") else "text", token.end()
        if token.group() == "/*":
            end = end_of_block(source, token.start())
        elif token.group("raw"):
            closing = '"' + token.group("hashes")
            end = source.index(closing, end) + len(closing)
        found.append(("code", source[began : token.start()]))
        found.append((kind, source[token.start() : end]))
        began = end
    found.append(("code", source[began:]))
    return found


def end_of_block(source, at):
    """Where a block comment ends; blocks nest."""
    depth, at = 0, at
    while mark := re.compile(r"/\*|\*/").search(source, at):
        depth, at = depth + (1 if mark.group() == "/*" else -1), mark.end()
        if depth == 0:
            return at
    return len(source)


def code(source):
    """The code alone: comments and texts become blanks, lines stay where they are."""
    return "".join(text if kind == "code" else re.sub(r"[^\n]", " ", text) for kind, text in pieces(source))


def without_tests(text):
    """Code without its inline modules for tests."""
    while found := re.search(r"#\[cfg\(test\)\]\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+\w+\s*\{", text):
        depth, at = 1, found.end()
        while depth and at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        text = text[: found.start()] + text[at:]
    return text


def use_tree(text, at, before=()):
    """The paths of a use tree that begins at a place, such as `a::{b, c::D}`, each as a tuple of its segments."""
    paths = []
    while at < len(text):
        if text[at] == "{":
            depth, begin, at = 1, at + 1, at + 1
            parts = []
            while depth and at < len(text):
                if text[at] == "{":
                    depth += 1
                elif text[at] == "}":
                    depth -= 1
                if (text[at] == "," and depth == 1) or depth == 0:
                    parts.append(text[begin:at].strip())
                    begin = at + 1
                at += 1
            for part in filter(None, parts):
                paths += use_tree(part, 0, before)
            return paths
        segment = SEGMENT.match(text, at)
        if not segment:
            break
        before, at = (*before, segment.group(1)), segment.end()
        if not text.startswith("::", at):
            break
        at += 2
        while at < len(text) and text[at].isspace():
            at += 1
    return [before] if before else paths


def modules(source_folder):
    """The modules of a crate, without those for tests: its path as a tuple of names, and its code."""
    source_folder = Path(source_folder)
    root = next((source_folder / name for name in ("lib.rs", "main.rs") if (source_folder / name).is_file()), None)
    found = {}

    def read(path, name):
        text = without_tests(code(path.read_text(encoding="utf-8")))
        found[name] = text
        folder = path.parent if path.name in ("lib.rs", "main.rs", "mod.rs") else path.with_suffix("")
        for is_test, child, opening in MODULE.findall(text):
            if is_test or opening == "{":
                continue
            file = next(
                (one for one in (folder / f"{child}.rs", folder / child / "mod.rs") if one.is_file()), None
            )
            if file:
                read(file, (*name, child))

    if root:
        read(root, ())
    return found


def references(found):
    """Pairs of modules where the first names the second, by whatever path; a re-export counts as its origin."""
    exports = {}
    for name, text in found.items():
        for tree in REEXPORT.findall(text):
            for path in use_tree(tree, 0):
                target = resolve(name, path, found)
                if target and target[: len(name)] == name and target != name:
                    exports[(name, path[-1])] = target
    pairs = set()
    for name, text in found.items():
        for begin in PATH.finditer(text):
            if begin.start() and text[: begin.start()].endswith("::"):
                continue
            for path in use_tree(text, begin.start()):
                target = resolve(name, path, found)
                if target is None:
                    continue
                rest = absolute(name, path)[len(target) :]
                target = exports.get((target, rest[0]), target) if rest else target
                pairs.add((name, target))
    return pairs


def absolute(name, path):
    """A path as seen from a module, from the crate's root."""
    path = list(path)
    base = list(name)
    if path[0] == "crate":
        base, path = [], path[1:]
    elif path[0] == "self":
        path = path[1:]
    elif path[0] == "super":
        while path and path[0] == "super":
            base, path = base[:-1], path[1:]
    return (*base, *path)


def resolve(name, path, found):
    """The module that a path leads into; `None` for a path out of the crate."""
    full = absolute(name, path)
    while full not in found:
        if not full:
            return None
        full = full[:-1]
    return full


def circles(found):
    """The circles among the modules of each folder, what lies below a module counted as its own."""
    edges = {}
    for one, other in references(found):
        shared = 0
        while shared < min(len(one), len(other)) and one[shared] == other[shared]:
            shared += 1
        if len(one) > shared and len(other) > shared:
            edges.setdefault(one[: shared + 1], set()).add(other[: shared + 1])

    def reach(start):
        seen, waiting = set(), [start]
        while waiting:
            for one in edges.get(waiting.pop(), ()):
                if one not in seen:
                    seen.add(one)
                    waiting.append(one)
        return seen

    reached = {one: reach(one) for one in edges}
    groups = {
        frozenset({one} | {other for other in reached[one] if one in reached.get(other, ())})
        for one in edges
        if one in reached[one]
    }
    return sorted(sorted("::".join(one) for one in group) for group in groups)
