"""The field tables of the guides agree with the schemas of the events."""

import os
import re

import pytest

from support import fields

# Set to write the pages instead of comparing them.
WRITES = bool(os.environ.get("BRIDGE_WRITE_FIELDS"))
ENGLISH = re.compile(r"\b(?:the|of|whether|which|absent|if|and|with|is)\b", re.IGNORECASE)


@pytest.mark.parametrize("language", fields.WORDS)
def test_the_field_tables_are_those_of_the_schemas(language):
    if WRITES:
        fields.file(language).write_text(fields.page(language), encoding="utf-8")
    assert fields.file(language).read_text(encoding="utf-8") == fields.page(language), (
        "BRIDGE_WRITE_FIELDS=1 tests/run infra writes the page"
    )


def descriptions():
    for schema in fields.schemas().values():
        for part in (schema["properties"]["data"], *schema["$defs"].values()):
            yield from (field["description"] for field in part["properties"].values())


def test_every_meaning_has_one_translation_and_no_other_is_left():
    assert set(fields.translations()) == set(descriptions())


def test_the_translations_are_italian():
    found = {text for text in fields.translations().values() if ENGLISH.search(re.sub(r"`[^`]*`", "", text))}
    assert found == set()


def test_both_guides_link_the_tables():
    for guide, page in (("README.md", "fields.md"), ("README.it.md", "fields.it.md")):
        assert f"]({page})" in (fields.EVENTS / guide).read_text(encoding="utf-8")
