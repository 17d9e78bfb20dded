"""Each fuzz target runs for some seconds without a crash. README.md says how to run one for longer."""

import os

import pytest

from support import fuzzing

SECONDS = int(os.environ.get("BRIDGE_FUZZ_SECONDS", "8"))
# Without instrumentation, libFuzzer counts no coverage at all.
COVERAGE_MIN = 100


@pytest.fixture(scope="session")
def binaries():
    return fuzzing.build()


@pytest.mark.parametrize("target", fuzzing.targets())
def test_a_target_finds_no_crash(binaries, target, capsys):
    assert fuzzing.seeds(target), "no input to begin with"
    code, output = fuzzing.run(binaries, target, SECONDS)
    assert code == 0, f"an input of {target} failed; it is in tests/fuzz/artifacts/{target}\n{output[-4000:]}"
    inputs, before, after = fuzzing.figures(output)
    with capsys.disabled():
        print(f"\n{target}: {inputs:,} inputs, coverage {before:,} to {after:,}")
    assert before >= COVERAGE_MIN, f"{target} is not instrumented"
