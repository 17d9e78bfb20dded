"""The SBOM of each bundle is valid CycloneDX and lists what is linked into the bundle, nothing else."""

import json
import subprocess
import sys

import pytest
import tomlkit

from support import template as sam
from support.paths import ROOT

TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
SUFFIX = ".cdx.json"
OURS = {path.parent.name for path in (*ROOT.glob("shared/*/Cargo.toml"), *ROOT.glob("functions/*/Cargo.toml"))}
# Crates that every function calls, and crates of the command line, the local run, the tests and the build.
IN_EACH = {"aws-lc-sys", "aws-sdk-dynamodb", "domain", "lambda_runtime", "rustls", "tokio"}
IN_NONE = {"bridge", "cc", "clap", "dynoxide-rs", "kit", "local", "proptest", "rustack-sqs-core", "serde_derive", "simulator", "syn"}


@pytest.fixture(scope="module", params=sorted(TARGETS))
def written(request, tmp_path_factory):
    """Writes the SBOMs as a deployer does. Returns the architecture and {function: text}."""
    folder = tmp_path_factory.mktemp(request.param)
    choice = ["--architecture", request.param, "--output", str(folder)]
    subprocess.run([sys.executable, "infra/sbom.py", *choice], cwd=ROOT, check=True, timeout=120)
    bills = {path.name.removesuffix(SUFFIX): path.read_text(encoding="utf-8") for path in folder.iterdir()}
    return request.param, bills


def tree(function, architecture):
    """Returns the name and version of each crate that cargo links into a function."""
    edges = ["--edges", "normal,no-proc-macro", "--target", TARGETS[architecture]]
    command = ["cargo", "tree", "--locked", "--package", function, *edges, "--prefix", "none"]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    return {tuple(line.split()[:2]) for line in lines}


def listed(bill):
    return [bill["metadata"]["component"], *bill["components"]]


def test_every_bundle_has_a_valid_sbom(written):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    _, bills = written
    assert set(bills) == set(sam.functions(sam.load()))
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert {name: validator.validate_str(text) for name, text in bills.items()} == dict.fromkeys(bills)
    assert validator.validate_str(bills["send-message"].replace('"name"', '"nom"')) is not None


def test_an_sbom_lists_exactly_the_linked_crates(written):
    architecture, bills = written
    for function, text in bills.items():
        crates = [(one["name"], f"v{one['version']}") for one in listed(json.loads(text))]
        assert len(crates) == len(set(crates))
        assert set(crates) == tree(function, architecture), function
        names = {name for name, _ in crates}
        assert names >= IN_EACH, function
        assert not names & IN_NONE, function


def test_every_component_has_a_licence_and_every_published_crate_its_address(written):
    for text in written[1].values():
        for one in listed(json.loads(text)):
            (licence,) = one["licenses"]
            # A licence without an SPDX id would have a name.
            assert "expression" in licence or "id" in licence["license"], one
            # Crates.io has other crates with the names of ours, such as `domain`.
            address = None if one["name"] in OURS else f"pkg:cargo/{one['name']}@{one['version']}"
            assert one.get("purl") == address
            assert bool(one.get("hashes")) == bool(address), one


def test_the_graph_leads_from_the_function_to_every_crate(written):
    locked = tomlkit.parse((ROOT / "Cargo.lock").read_text(encoding="utf-8")).unwrap()["package"]
    # A dependency is a name, or a name and a version.
    direct = {f"{one['name']}@{one['version']}": {name.split()[0] for name in one.get("dependencies", [])} for one in locked}
    for function, text in written[1].items():
        bill = json.loads(text)
        edges = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
        for ref, found in edges.items():
            assert {one.split("@")[0] for one in found} <= direct[ref], ref
        reached, waiting = set(), [bill["metadata"]["component"]["bom-ref"]]
        while waiting:
            ref = waiting.pop()
            if ref not in reached:
                reached.add(ref)
                waiting += edges[ref]
        assert reached == {one["bom-ref"] for one in listed(bill)}, function
