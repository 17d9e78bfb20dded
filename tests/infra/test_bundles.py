"""Checks what is compiled into the bundles of the functions.

`sam build` and `cargo lambda build` select the functions as packages. Features are then the sum over the functions alone,
without those of the command line.
"""

import subprocess

import pytest

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
