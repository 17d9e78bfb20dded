"""The fuzz package is a workspace of its own, but fuzzes the versions that the functions are built from."""

import re

from support.paths import ROOT

PACKAGE = re.compile(r'^name = "(.+)"\nversion = "(.+)"\nsource', re.MULTILINE)


def locked(folder):
    """Returns the versions of each registry package in a lock file."""
    versions = {}
    for name, version in PACKAGE.findall((ROOT / folder / "Cargo.lock").read_text(encoding="utf-8")):
        versions.setdefault(name, set()).add(version)
    return versions


def test_the_fuzz_package_has_the_versions_of_the_workspace():
    workspace, fuzz = locked("."), locked("tests/fuzz")
    assert len(workspace) > 100 and len(fuzz) > 100
    other = {name: found for name, found in fuzz.items() if not found <= workspace.get(name, found)}
    assert not other, "copy the versions with `cargo update --manifest-path tests/fuzz/Cargo.toml -p NAME --precise VERSION`"
