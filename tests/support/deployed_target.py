"""Which stack the suite `deployed` tests: one on an emulator, or one on AWS that the environment names.

`BRIDGE_DEPLOYED_STACK` decides. Without it, the suite starts an emulator and deploys there. Nothing else can lead to a stack on
AWS, whatever credentials the environment has.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

PREFIX = "BRIDGE_DEPLOYED_"
STACK = PREFIX + "STACK"
REGION = PREFIX + "REGION"
PROFILE = PREFIX + "PROFILE"
SIMULATOR = PREFIX + "SIMULATOR"
TOKEN = PREFIX + "SIMULATOR_TOKEN"
KNOWN = {STACK, REGION, PROFILE, SIMULATOR, TOKEN}
# The variable of the AWS tools for another address of every service.
ENDPOINT = "AWS_ENDPOINT_URL"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Unusable(Exception):
    """The environment does not say which stack to test, or how."""


@dataclass(frozen=True)
class Target:
    """A deployed stack and the simulator that its accounts call."""

    stack: str
    region: str
    simulator: str
    token: str = field(repr=False)
    profile: str | None = None
    # The emulator. `None` is AWS.
    endpoint: str | None = None

    @property
    def is_emulated(self):
        return self.endpoint is not None


def choose(environment):
    """Returns the target that the environment names, or `None` for an emulator of the suite's own.

    Raises `Unusable` if something is missing or misspelt. It guesses nothing, because a guess could be another stack.
    """
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    unknown = sorted(set(given) - KNOWN)
    if unknown:
        raise Unusable(f"unknown: {', '.join(unknown)}; known are {', '.join(sorted(KNOWN))}")
    if STACK not in given:
        if given:
            raise Unusable(f"{', '.join(sorted(given))} without {STACK}: name the stack, or remove the others")
        return None
    missing = [name for name in (SIMULATOR, TOKEN) if name not in given]
    if missing:
        raise Unusable(f"{STACK} also needs {' and '.join(missing)}")
    region = given.get(REGION) or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if not region:
        raise Unusable(f"no region: set {REGION} or AWS_REGION")
    endpoint = environment.get(ENDPOINT) or None
    if endpoint and urlsplit(endpoint).hostname not in LOOPBACK:
        raise Unusable(f"{ENDPOINT} is not an address of this machine; unset it to test a stack on AWS")
    simulator = given[SIMULATOR].rstrip("/")
    if endpoint is None and urlsplit(simulator).scheme != "https":
        # The functions refuse every other scheme.
        raise Unusable(f"{SIMULATOR} must begin with https://, because Lambda calls it")
    return Target(given[STACK], region, simulator, given[TOKEN], given.get(PROFILE), endpoint)
