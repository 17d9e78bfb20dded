"""Builds the fuzz targets and runs one. It replaces `cargo fuzz` in the suites, so that none has to install it."""

import os
import re
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from support import examples
from support.paths import ROOT

FOLDER = ROOT / "tests" / "fuzz"
# Files of the repository that are inputs of a target, beside those in seeds/.
EXAMPLES = {
    "event": "docs/events/examples/*.json",
    "mapping": "docs/mappings/*.yaml",
    "templates": "infra/local/src/templates.json",
}
# The time at which the examples of events are used: that of the targets, in the zone of the examples.
NOW = datetime.fromtimestamp(1_795_341_600, ZoneInfo("Europe/Rome"))
BUILD_LIMIT_S = 1200
# A run ends by itself. The rest is for reading the corpus and for a busy machine.
SLACK_S = 120
# A single input that takes longer, or more memory, is a defect.
INPUT_LIMIT_S = 10
MEMORY_LIMIT_MB = 2048
# The instrumentation of `cargo fuzz run --sanitizer none`, which works with a stable compiler.
RUSTFLAGS = " ".join(
    [
        "--cfg fuzzing",
        "-Cpasses=sancov-module",
        "-Cllvm-args=-sanitizer-coverage-level=4",
        "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
        "-Cllvm-args=-sanitizer-coverage-pc-table",
        "-Cllvm-args=-sanitizer-coverage-trace-compares",
        "-Ccodegen-units=1",
    ]
)
STATUS = re.compile(r"^#(\d+)\s+(INITED|DONE)\s+cov: (\d+)", re.MULTILINE)


def targets():
    return sorted(path.stem for path in (FOLDER / "targets").glob("*.rs"))


def seeds(target):
    examples = ROOT.glob(EXAMPLES[target]) if target in EXAMPLES else []
    return sorted([*examples, *(FOLDER / "seeds" / target).glob("*")])


def host():
    return subprocess.run(["rustc", "--print", "host-tuple"], check=True, capture_output=True, text=True).stdout.strip()


def build():
    """Builds every target, and returns the folder of the binaries."""
    folder = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "fuzz"
    # With a named target, build scripts and macros are not instrumented.
    command = ["cargo", "build", "--release", "--locked", "--target", host(), "--target-dir", str(folder)]
    environment = os.environ | {"RUSTFLAGS": RUSTFLAGS}
    subprocess.run(command, cwd=FOLDER, env=environment, check=True, timeout=BUILD_LIMIT_S)
    return folder / host() / "release"


def run(binaries, target, seconds):
    """Fuzzes a target. Returns the exit code and the output of libFuzzer."""
    corpus, artifacts = FOLDER / "corpus" / target, FOLDER / "artifacts" / target
    corpus.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        return run_with(binaries, target, seconds, inputs(target, Path(folder)), corpus, artifacts)


def inputs(target, folder):
    """Writes the seeds of a target into a folder, with the times of examples filled in. Returns their paths."""
    written = []
    for number, seed in enumerate(seeds(target)):
        path = folder / f"{number}-{seed.name}"
        is_example = seed.is_relative_to(ROOT / "docs" / "events")
        text = examples.filled(seed.read_text(encoding="utf-8"), NOW).encode() if is_example else seed.read_bytes()
        path.write_bytes(text)
        written.append(path)
    return written


def run_with(binaries, target, seconds, seeds, corpus, artifacts):
    command = [
        str(binaries / target),
        f"-max_total_time={seconds}",
        f"-timeout={INPUT_LIMIT_S}",
        f"-rss_limit_mb={MEMORY_LIMIT_MB}",
        f"-artifact_prefix={artifacts}/",
        f"-seed_inputs={','.join(map(str, seeds))}",
        str(corpus),
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=seconds + SLACK_S)
    return done.returncode, done.stderr


def figures(output):
    """Returns the inputs that were run, and the coverage before and after, from the output of libFuzzer."""
    found = {name: (int(inputs), int(coverage)) for inputs, name, coverage in STATUS.findall(output)}
    return found["DONE"][0], found["INITED"][1], found["DONE"][1]
