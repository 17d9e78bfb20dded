"""One local run for the whole suite, and separate ones for tests that stop or break theirs."""

import pytest

from support import local_run


@pytest.fixture(scope="session")
def built():
    """Builds the binaries, so that no later wait includes compilation."""
    local_run.build()


@pytest.fixture(scope="session")
def shared_run(tmp_path_factory):
    with local_run.running(tmp_path_factory.mktemp("shared")) as run:
        yield run


@pytest.fixture
def run(shared_run):
    """The shared run, with an empty phone."""
    shared_run.bridge.drained()
    shared_run.bridge.reset()
    return shared_run


@pytest.fixture
def start(built, tmp_path):
    """Starts runs for one test: `start()`, or `start(folder)` for a second run on the same data."""
    runs = []

    def start_one(data_dir=None):
        one = local_run.LocalRun(data_dir or tmp_path / "data", tmp_path / f"output-{len(runs)}.log")
        runs.append(one)
        return one

    yield start_one
    for one in runs:
        one.end()
        print(f"---- output of the local run on {one.data_dir}\n{one.output()[-4000:]}")
