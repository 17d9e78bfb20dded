"""Checks the choice of the suite `deployed`: it tests a stack on AWS only if the environment names it completely."""

import pytest

from support import deployed_target
from support.deployed_target import Target, Unusable, choose
from support.paths import ROOT

COMPLETE = {
    "BRIDGE_DEPLOYED_STACK": "passweb-bridge-dev",
    "BRIDGE_DEPLOYED_REGION": "eu-central-1",
    "BRIDGE_DEPLOYED_SIMULATOR": "https://phone.example.com/",
    "BRIDGE_DEPLOYED_SIMULATOR_TOKEN": "secret",
}


def without(name):
    return {key: value for key, value in COMPLETE.items() if key != name}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"BRIDGE_DEPLOYED_STACK": ""},
        # Credentials, a profile and an endpoint name no stack.
        {"AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "A", "AWS_REGION": "eu-south-1", "AWS_ENDPOINT_URL": "http://localhost"},
    ],
)
def test_without_a_stack_the_suite_starts_an_emulator(environment):
    assert choose(environment) is None


def test_a_complete_environment_names_a_stack_on_aws():
    target = choose(COMPLETE)
    assert target == Target("passweb-bridge-dev", "eu-central-1", "https://phone.example.com", "secret")
    assert not target.is_emulated
    assert "secret" not in repr(target)
    assert choose({**COMPLETE, "BRIDGE_DEPLOYED_PROFILE": "agency"}).profile == "agency"


@pytest.mark.parametrize("region", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_may_be_that_of_the_aws_tools(region):
    assert choose({**without("BRIDGE_DEPLOYED_REGION"), region: "eu-south-1"}).region == "eu-south-1"


@pytest.mark.parametrize(
    ("environment", "cause"),
    [
        (without("BRIDGE_DEPLOYED_STACK"), "without BRIDGE_DEPLOYED_STACK"),
        (without("BRIDGE_DEPLOYED_REGION"), "no region"),
        (without("BRIDGE_DEPLOYED_SIMULATOR"), "needs BRIDGE_DEPLOYED_SIMULATOR"),
        (without("BRIDGE_DEPLOYED_SIMULATOR_TOKEN"), "needs BRIDGE_DEPLOYED_SIMULATOR_TOKEN"),
        ({**COMPLETE, "BRIDGE_DEPLOYED_STAK": "x"}, "unknown: BRIDGE_DEPLOYED_STAK"),
        ({**COMPLETE, "BRIDGE_DEPLOYED_SIMULATOR": "http://phone.example.com"}, "https://"),
        ({**COMPLETE, "AWS_ENDPOINT_URL": "https://sqs.example.com"}, "AWS_ENDPOINT_URL"),
    ],
)
def test_an_incomplete_environment_is_refused(environment, cause):
    with pytest.raises(Unusable, match=cause):
        choose(environment)


def test_an_emulator_may_have_a_simulator_without_tls():
    emulated = {"AWS_ENDPOINT_URL": "http://localhost:4566", "BRIDGE_DEPLOYED_SIMULATOR": "http://127.0.0.1:8090"}
    target = choose({**COMPLETE, **emulated})
    assert target.is_emulated and target.simulator == "http://127.0.0.1:8090"


def test_the_variables_are_documented():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {name for name in deployed_target.KNOWN if f"`{name}`" not in page} == set()
