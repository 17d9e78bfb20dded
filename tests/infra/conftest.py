"""Fixture that loads the template once."""

import pytest

from support import template as sam


@pytest.fixture(scope="session")
def template():
    return sam.load()
