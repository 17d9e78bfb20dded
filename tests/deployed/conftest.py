"""A deployed stack and a site of its own: on an emulator, or on AWS if the environment names a stack there.

Both run the same tests through the same code. On the emulator, the suite makes the environment that a person would set.
"""

import os

import pytest

from support import deployed_stack, deployed_target, emulated_aws, local_run


def pytest_report_header():
    try:
        chosen = deployed_target.choose(os.environ)
    except deployed_target.Unusable as error:
        raise pytest.UsageError(str(error)) from error
    place = f"on AWS, {chosen.stack} in {chosen.region}" if chosen else "on an emulator"
    return f"deployed: a stack {place}"


@pytest.fixture(scope="session")
def chosen():
    """The stack that the environment names, or `None`."""
    return deployed_target.choose(os.environ)


@pytest.fixture(scope="session")
def emulated(chosen):
    """Skips what only a stack on the emulator can show."""
    if chosen is not None:
        pytest.skip("it needs a stack that the suite deploys itself; unset BRIDGE_DEPLOYED_STACK")


@pytest.fixture(scope="session")
def bundles(emulated):
    return emulated_aws.build_bundles()


@pytest.fixture(scope="session")
def environment(bundles, tmp_path_factory):
    """The variables by which a person would name a stack on the emulator."""
    # The emulator accepts any credentials, and must not get those of the person.
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        # The simulator of a local run is the phone. The functions of the run stay idle.
        with local_run.running(tmp_path_factory.mktemp("local")) as run:
            emulator = emulated_aws.Emulator(tmp_path_factory.mktemp("aws"))
            try:
                emulated_aws.deploy(emulator, bundles)
                yield emulated_aws.environment(emulator, run)
            finally:
                emulator.end()
                print(f"---- output of the emulator\n{emulator.output()[-8000:]}")


@pytest.fixture(scope="session")
def stack(chosen, request):
    return deployed_stack.Stack(chosen or deployed_target.choose(request.getfixturevalue("environment")))


@pytest.fixture(scope="session")
def site(stack):
    """A site of this run. Everything of it is removed at the end."""
    site = stack.add_site()
    yield site
    stack.remove_site(site)


@pytest.fixture
def bridge(stack, site):
    bridge = stack.bridge(site)
    bridge.reset()
    return bridge
