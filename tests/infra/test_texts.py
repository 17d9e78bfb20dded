"""The catalogue of the sentences that operators read."""

import re

import pytest

from support.paths import ROOT

LOCALES = ROOT / "shared/texts/locales"
# The command line finds the texts of its help by their ids. Its own test finds unused ones.
HELP = re.compile(r"(cmd|after|arg)(-|$)")
SENTENCE = re.compile(r"^([a-z][a-z0-9-]*) =(.*?)(?=^[a-z#]|\Z)", re.MULTILINE | re.DOTALL)


def sentences(language):
    return {
        found[1]: found[2]
        for file in sorted((LOCALES / language).glob("*.ftl"))
        for found in SENTENCE.finditer(file.read_text())
    }


def test_both_languages_have_the_same_files():
    names = [sorted(file.name for file in (LOCALES / language).iterdir()) for language in ("it", "en")]
    assert names[0] == names[1]


def test_both_languages_have_the_same_sentences_with_the_same_variables():
    def variables(language):
        return {key: set(re.findall(r"\$([\w-]+)", text)) for key, text in sentences(language).items()}

    assert variables("it") == variables("en")


@pytest.fixture(scope="module")
def sources():
    folders = ("shared", "infra", "functions")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.rs") if "target" not in file.parts]
    return "\n".join(file.read_text() for file in files)


def test_every_sentence_is_used(sources):
    called = set(re.findall(r"\.\s*([a-z][a-z0-9_]*)\(", sources))
    keys = {key for key in sentences("en") if not HELP.match(key)}
    assert sorted(key for key in keys if key.replace("-", "_") not in called) == []
