"""One local run for the whole suite, and fresh ones for tests that stop or break theirs."""

import pytest

from support import local_run


@pytest.fixture(scope="session")
def built():
    """The binaries are there, so that every wait below is for a program and not for a compiler."""
    local_run.build()


@pytest.fixture(scope="session")
def shared_run(tmp_path_factory):
    with local_run.running(tmp_path_factory.mktemp("shared")) as run:
        yield run


@pytest.fixture
def run(shared_run):
    """The shared run with an empty phone."""
    shared_run.bridge.drained()
    shared_run.bridge.reset()
    return shared_run


@pytest.fixture
def start(built, tmp_path):
    """Starts runs that belong to one test: `start()`, or `start(folder)` for a second one on the same data."""
    runs = []

    def start_one(data_dir=None):
        one = local_run.LocalRun(data_dir or tmp_path / "data", tmp_path / f"output-{len(runs)}.log")
        runs.append(one)
        return one

    yield start_one
    for one in runs:
        one.end()
        print(f"---- output of the local run on {one.data_dir}\n{one.output()[-4000:]}")
