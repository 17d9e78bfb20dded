"""The bundles that the stack runs are for its processor and within their budgets."""

import zipfile

import pytest

from support import bundles as sizes
from support.emulated_aws import ARCHITECTURE


@pytest.fixture(scope="module")
def programs(bundles):
    return {name: zipfile.ZipFile(path).read(sizes.PROGRAM) for name, path in bundles.items()}


def test_every_program_is_built_for_this_machine(programs):
    assert {sizes.architecture_of(program) for program in programs.values()} == {ARCHITECTURE}


def test_every_bundle_is_within_its_budget(programs):
    measured = {name: sizes.size_of(program) for name, program in programs.items()}
    assert sizes.over_budget(measured) == []
