"""`sam build` for each architecture of the template."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from support import bundles
from support import template as sam
from support.paths import ROOT

# Five links with full optimisation, each more than a minute on two cores, after the dependencies.
BUILD_LIMIT_S = 3600
TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}


def installed(target):
    """Returns whether the toolchain has the standard library of a target."""
    command = ["rustc", "--print", "target-libdir", "--target", target]
    folder = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    return any(Path(folder).glob("libstd-*"))


@pytest.fixture(scope="module", params=bundles.ARCHITECTURES)
def architecture(request):
    target = TARGETS[request.param]
    if not installed(target):
        pytest.skip(f"{request.param} was not built: `rustup target add {target}` first")
    return request.param


@pytest.fixture(scope="module")
def programs(architecture):
    """Builds as a deployer does. Returns {function: program}."""
    # Not .aws-sam/build: `sam deploy` would take what it finds there.
    folder = ROOT / "target" / "sam" / architecture
    choice = ["--parameter-overrides", f"Architecture={architecture}"]
    command = ["sam", "build", "--build-dir", str(folder), *choice]
    subprocess.run(command, cwd=ROOT, check=True, timeout=BUILD_LIMIT_S)
    resources = sam.resources(sam.load())
    return {name: (folder / resource / bundles.PROGRAM).read_bytes() for name, resource in resources.items()}


def test_every_program_is_built_for_the_architecture(architecture, programs):
    assert {bundles.architecture_of(program) for program in programs.values()} == {architecture}


def test_every_bundle_is_within_its_budget(architecture, programs, capsys):
    sizes = {name: bundles.size_of(program) for name, program in programs.items()}
    rows = {name: replace(row, sizes={**row.sizes, architecture: sizes[name]}) for name, row in bundles.table().items()}
    with capsys.disabled():
        print(f"\n{bundles.printed(rows)}")
    assert set(rows) == set(sizes)
    assert bundles.over_budget(sizes) == []
