"""Modules of a crate import in one direction, and files and functions stay short."""

import re
import statistics

import pytest

from support import prose, rust
from support.paths import ROOT

CRATES = sorted(
    path.parent.relative_to(ROOT).as_posix() for path in prose.tracked(ROOT, "*/Cargo.toml") if (path.parent / "src").is_dir()
)
FILE_MEDIAN_MAX = 150
FILE_NINETIETH_MAX = 300
FILE_MAX = 500
FUNCTION_NINETIETH_MAX = 25
FUNCTION = re.compile(r"\bfn\s+\w+")


def crate(tmp_path, files):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return rust.circles(rust.modules(tmp_path))


@pytest.mark.parametrize(
    "second",
    [
        "use crate::a::A;",
        "use crate::{\n    a::{A, self},\n};",
        "fn b() -> super::a::A {}",
        "pub(crate) use super::A;",
        "fn b() { super::super::c() } use self::inner::I; mod inner;",
    ],
)
def test_a_circle_is_found_whatever_the_path(tmp_path, second):
    files = {
        "lib.rs": "mod a; mod b; pub use a::A;",
        "a.rs": "use crate::b::b; // crate::c",
        "b.rs": second,
        "b/inner.rs": "use crate::a::A;",
    }
    found = crate(tmp_path, files)
    assert found == [["a", "b"]]


def test_one_direction_is_no_circle(tmp_path):
    files = {
        "lib.rs": "mod a; mod b; struct App;",
        "a.rs": 'use crate::b::b; use crate::App; const C: &str = "crate::a";',
        "b.rs": "use crate::App;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n",
    }
    assert crate(tmp_path, files) == []


@pytest.mark.parametrize("name", CRATES)
def test_a_crates_modules_have_no_circle(name):
    assert rust.circles(rust.modules(ROOT / name / "src")) == []


def lengths_of_functions(text):
    """The lines of each function, from `fn` to its closing brace."""
    for found in FUNCTION.finditer(text):
        at, parens = found.end(), 0
        while at < len(text) and not (parens == 0 and text[at] in ";{"):
            parens += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[at], 0)
            at += 1
        if at >= len(text) or text[at] == ";":
            continue
        begin, depth, at = at, 1, at + 1
        while depth and at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield text.count("\n", found.start(), at) + 1


def test_files_and_functions_are_short(capsys):
    sources = {path: path.read_text(encoding="utf-8") for path in prose.tracked(ROOT, "*.rs")}
    files = sorted((text.count("\n"), path.relative_to(ROOT).as_posix()) for path, text in sources.items())
    lines = [count for count, _ in files]
    functions = sorted(length for text in sources.values() for length in lengths_of_functions(rust.code(text)))
    ninetieth = functions[int(0.9 * len(functions))]
    with capsys.disabled():
        print(f"\nfiles: median {statistics.median(lines):.0f}, p90 {lines[int(0.9 * len(lines))]}, longest {files[-1]}")
        print(f"functions: median {statistics.median(functions):.0f}, p90 {ninetieth}, longest {functions[-1]} lines")
    assert statistics.median(lines) <= FILE_MEDIAN_MAX
    assert lines[int(0.9 * len(lines))] <= FILE_NINETIETH_MAX
    assert files[-1][0] <= FILE_MAX, files[-1]
    assert ninetieth <= FUNCTION_NINETIETH_MAX
