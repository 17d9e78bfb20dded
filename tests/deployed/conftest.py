"""The stack deployed on an AWS emulator, with the site and the phone of a local run."""

import pytest

from support import emulated_aws, local_run


@pytest.fixture(scope="session")
def bundles():
    return emulated_aws.build_bundles()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A local run. The stack takes over its site, and its simulator is the phone. Its own functions stay idle."""
    with local_run.running(tmp_path_factory.mktemp("local")) as run:
        yield run


@pytest.fixture(scope="session")
def stack(bundles, site, tmp_path_factory):
    emulator = emulated_aws.Emulator(tmp_path_factory.mktemp("aws"))
    try:
        stack = emulated_aws.Stack(emulator, bundles)
        stack.take_over_site(site)
        yield stack
    finally:
        emulator.end()
        print(f"---- output of the emulator\n{emulator.output()[-8000:]}")


@pytest.fixture
def bridge(stack, site):
    site.bridge.reset()
    return stack.bridge(site)
