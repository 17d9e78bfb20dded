#!/usr/bin/env python3
"""Writes a software bill of materials (SBOM) of the bundle of each function, as CycloneDX 1.6 in JSON.

    .local/venv/bin/python infra/sbom.py [--architecture arm64|x86_64] [--output FOLDER]

A bundle contains the crates that `sam build` links into it. Procedural macros and build scripts only run during the build
and are left out. The names, versions and edges are those of `cargo tree`, the licences those of `cargo metadata`, and the
checksums those of Cargo.lock.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import tomlkit
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
# A line of `cargo tree --prefix depth`. A repeated crate ends with `(*)`, a crate of the workspace has its path.
LINE = re.compile(r"^(\d+)(\S+) v(\S+)")
# The notation of licences before SPDX expressions.
SLASH = re.compile(r"\s*/\s*")


def cargo(*arguments):
    """Returns the output of a command of cargo."""
    return subprocess.run(["cargo", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def linked(function, target):
    """Returns the crates of a bundle with their direct dependencies, as {(name, version): {(name, version), …}}.

    The function itself is the first.
    """
    edges = ("--edges", "normal,no-proc-macro", "--target", target)
    found, path = {}, []
    for line in cargo("tree", "--locked", "--package", function, *edges, "--prefix", "depth").splitlines():
        depth, name, version = LINE.match(line).groups()
        del path[int(depth) :]
        path.append((name, version))
        found.setdefault(path[-1], set())
        if len(path) > 1:
            found[path[-2]].add(path[-1])
    return found


class Catalogue:
    """What cargo knows about each crate."""

    def __init__(self, target):
        metadata = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", target))
        self.packages = {(one["name"], one["version"]): one for one in metadata["packages"]}
        lock = tomlkit.parse((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
        self.checksums = {(str(one["name"]), str(one["version"])): one.get("checksum") for one in lock["package"]}

    def component(self, crate, kind=ComponentType.LIBRARY):
        """Returns the component of a crate.

        A crate of the workspace has no package URL. A scanner would take it for a crate of the same name on crates.io.
        """
        name, version = crate
        package = self.packages[crate]
        published = package["source"] is not None
        checksum = self.checksums[crate]
        return Component(
            type=kind,
            name=name,
            version=version,
            bom_ref=f"{name}@{version}",
            licenses=[LicenseFactory().make_from_string(SLASH.sub(" OR ", package["license"]))],
            purl=PackageURL("cargo", name=name, version=version) if published else None,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=str(checksum))] if checksum else None,
        )


def bill(function, architecture, catalogue):
    """Returns the SBOM of a function as text."""
    crates = linked(function, TARGETS[architecture])
    root = next(iter(crates))
    components = {
        crate: catalogue.component(crate, ComponentType.APPLICATION if crate == root else ComponentType.LIBRARY)
        for crate in crates
    }
    bom = Bom(components=[component for crate, component in components.items() if crate != root])
    bom.metadata.component = components[root]
    bom.metadata.tools.components.add(this_component())
    bom.metadata.properties.add(Property(name="rust:target", value=TARGETS[architecture]))
    for crate, direct in crates.items():
        bom.register_dependency(components[crate], [components[one] for one in sorted(direct)])
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Writes a CycloneDX SBOM of the bundle of each function.")
    parser.add_argument("--architecture", choices=sorted(TARGETS), default="arm64", help="default: arm64")
    parser.add_argument("--output", type=Path, default=ROOT / "target" / "sbom", help="default: target/sbom")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    catalogue = Catalogue(TARGETS[options.architecture])
    for manifest in sorted(ROOT.glob("functions/*/Cargo.toml")):
        function = manifest.parent.name
        path = options.output / f"{function}.cdx.json"
        path.write_text(bill(function, options.architecture, catalogue) + "\n", encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
