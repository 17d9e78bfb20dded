"""The way to AWS, rehearsed: a person names a stack by the environment, here that on the emulator."""

import os
import re
import subprocess
import sys

from support.paths import ROOT

RUN_LIMIT_S = 300


def test_the_suite_passes_on_a_stack_that_the_environment_names(environment, stack):
    command = [sys.executable, "-m", "pytest", "-c", "tests/pytest.ini", "tests/deployed"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=RUN_LIMIT_S
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert f"deployed: a stack on AWS, {stack.name} in {stack.target.region}" in done.stdout
    passed, skipped = (int(re.search(rf"(\d+) {word}", done.stdout)[1]) for word in ("passed", "skipped"))
    assert passed >= 12, done.stdout
    # Both tests of the bundles, and this one, each with its reason.
    assert skipped == 3, done.stdout
    assert "unset BRIDGE_DEPLOYED_STACK" in done.stdout
    # The site of that run is gone.
    left = {item["sk"]["S"] for item in stack.items("ConfigTableName") if item["pk"]["S"] == "SITES"}
    assert len(left) <= 1, left
