"""Checks the defaults of `sam deploy` for each stage."""

import pytest
import tomlkit

from support.paths import ROOT

STAGES = {"default": "dev", "prod": "prod"}


@pytest.fixture(scope="module")
def samconfig():
    return tomlkit.parse((ROOT / "samconfig.toml").read_text(encoding="utf-8")).unwrap()


def test_each_stage_has_its_own_stack_and_values(samconfig):
    assert set(samconfig) - {"version"} == set(STAGES)
    deploys = {name: samconfig[name]["deploy"]["parameters"] for name in STAGES}
    assert len({deploy["stack_name"] for deploy in deploys.values()}) == len(STAGES)
    for name, stage in STAGES.items():
        assert f"Stage={stage}" in deploys[name]["parameter_overrides"]
        assert f"stage={stage}" in deploys[name]["tags"]


def test_a_failed_first_deployment_can_be_repeated(samconfig):
    for name in STAGES:
        deploy = samconfig[name]["deploy"]["parameters"]
        # Otherwise the stack stays in ROLLBACK_COMPLETE, which no deployment can update.
        assert deploy["on_failure"] == "DELETE"
        # Without the rollback, CloudFormation would keep the keys secret with its fixed name.
        assert "disable_rollback" not in deploy


def test_production_asks_before_it_changes_anything(samconfig):
    asks = {name: samconfig[name]["deploy"]["parameters"]["confirm_changeset"] for name in STAGES}
    assert asks == {"default": False, "prod": True}
