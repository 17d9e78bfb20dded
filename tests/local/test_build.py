"""After `cargo run`, no documented command compiles a dependency again."""

import json
import re
import subprocess

import pytest

from support import prose
from support.paths import ROOT

BUILD_LIMIT_S = 1200
# The options that select what is built; `--quiet` changes nothing.
RUN = re.compile(r"\bcargo run\b((?:\s+(?:-q|--quiet|--release|(?:-p|--package|--bin|--example)[ =][\w-]+))*)")


def built(arguments):
    """The external libraries that a build consists of, fresh or not, by their files."""
    command = ["cargo", "build", "--locked", "--message-format=json", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=BUILD_LIMIT_S)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    artifacts = [one for one in messages if one["reason"] == "compiler-artifact" and "path+" not in one["package_id"]]
    return {file for one in artifacts for file in one["filenames"]}


def documented():
    """The arguments that select packages in every documented `cargo run`."""
    found = set()
    for path in prose.tracked(ROOT, "*.md"):
        for options in RUN.findall(path.read_text(encoding="utf-8")):
            found.add(tuple(one for one in options.split() if one not in ("-q", "--quiet")))
    return sorted(found)


@pytest.fixture(scope="module")
def first():
    return built([])


def test_the_commands_are_found():
    assert {(), ("--bin", "bridge")} <= set(documented())


@pytest.mark.parametrize("arguments", documented(), ids=" ".join)
def test_a_documented_command_compiles_no_dependency_again(first, arguments):
    assert len(first) > 100
    again = built(arguments) - first
    assert len(again) == 0, sorted(again)[:10]
