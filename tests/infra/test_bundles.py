"""Checks what is compiled into the bundles of the functions, and the table of their sizes.

`sam build` and `cargo lambda build` select the functions as packages. Features are then the sum over the functions alone,
without those of the command line.
"""

import subprocess

import pytest

from support import bundles
from support import template as sam
from support.paths import ROOT

# How a person signs in. A function has a role.
OF_PERSONS = {"aws-sdk-sso", "aws-sdk-ssooidc"}


def crates_of(*packages):
    """Returns the names of the crates that a build of packages compiles in."""
    selected = [argument for package in packages for argument in ("--package", package)]
    command = ["cargo", "tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", *selected]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return {line.split()[0] for line in done.stdout.splitlines() if line.strip()}


@pytest.mark.parametrize("together", [False, True], ids=["each alone", "all together"])
def test_no_bundle_contains_how_a_person_signs_in(together):
    names = sorted(sam.functions(sam.load()))
    builds = [names] if together else [[name] for name in names]
    for build in builds:
        crates = crates_of(*build)
        assert "aws-config" in crates
        assert not crates & OF_PERSONS, build


def test_the_command_line_signs_in_as_a_person_does():
    assert crates_of("bridge") >= OF_PERSONS


# ---- Sizes

# A higher budget would hide a growth that nobody measured.
BUDGET_FACTOR_MAX = 1.2


def test_the_table_has_a_budget_for_each_bundle(template):
    rows = bundles.table()
    assert set(rows) == set(sam.functions(template))
    for name, row in rows.items():
        assert "x86_64" in row.sizes, name
        for size in row.sizes.values():
            assert size.zip < size.program, name
            assert size.zip <= row.budget <= size.zip * BUDGET_FACTOR_MAX, name


def test_the_table_is_printed_as_it_is_on_the_page():
    assert bundles.printed(bundles.table()) in bundles.PAGE.read_text(encoding="utf-8")


def test_a_bundle_above_its_budget_is_found():
    row = bundles.table()["send-message"]
    assert bundles.over_budget({"send-message": bundles.Size(1, row.budget)}) == []
    (found,) = bundles.over_budget({"send-message": bundles.Size(1, row.budget + 1)})
    assert found.startswith("send-message: ")


def test_a_program_names_its_architecture():
    for number, name in bundles.MACHINES.items():
        assert bundles.architecture_of(b"\x7fELF" + bytes(14) + number.to_bytes(2, "little") + bytes(8)) == name
    assert bundles.architecture_of(b"#!/bin/sh\n") is None
