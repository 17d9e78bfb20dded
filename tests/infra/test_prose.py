"""The prose reads like that of well-kept projects: short sentences, plain words."""

import pytest

from support import prose
from support.paths import ROOT

# Italian pages have their own words.
PARTS = {
    "Rust comments": ["*.rs"],
    "Markdown": ["*.md", ":!*.it.md"],
}
# The most that well-kept Rust projects of this size have, as of November 2026.
TELL_MAX = 2
STAND_MAX = 1
OPENING_MAX = 2
MEDIAN_MAX = 14
NINETIETH_MAX = 26


def test_sentences_are_split_where_they_end():
    text = "One `a. b` is code, e.g. this. Two!\n\n- an item\n- What it is\n\n| no | table |\n"
    assert prose.sentences(text) == ["One `a_b` is code, e.g. this.", "Two!", "an item", "What it is"]
    found = prose.figures([text])
    assert (found.words, found.openings, found.lengths) == (12, 1, [6, 1, 2, 3])


def test_comments_are_separated_from_code():
    source = 'let a = "// no"; // yes\n/// One\n/// two.\nfn b() {} /* three */\nlet c = r#"" // no "#;'
    assert prose.comments(source).split() == ["yes", "One", "two.", "three"]


@pytest.mark.parametrize("part", PARTS)
def test_the_prose_is_plain(part, capsys):
    found = prose.figures(prose.prose(path) for path in prose.tracked(ROOT, *PARTS[part]))
    with capsys.disabled():
        print(f"\n{prose.HEADER}\n{found.row(part)}")
    assert found.words > 1_000
    assert found.per_10_000(found.tell) <= TELL_MAX
    assert found.per_10_000(found.stand) <= STAND_MAX
    assert found.per_10_000(found.openings) <= OPENING_MAX
    assert found.median <= MEDIAN_MAX
    assert found.ninetieth <= NINETIETH_MAX
