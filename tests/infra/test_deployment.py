"""Checks the defaults of `sam deploy` for each stage, gradual deployments and the rollback."""

import importlib.util
import json
import sys
from datetime import datetime, timezone

import pytest
import tomlkit
from cfnlint.api import lint

from support import template as sam
from support.paths import ROOT

SCRIPT = importlib.util.spec_from_file_location("rollback", ROOT / "infra" / "rollback.py")
rollback = importlib.util.module_from_spec(SCRIPT)
sys.modules["rollback"] = rollback
SCRIPT.loader.exec_module(rollback)

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


# ---- Versions and gradual deployments


@pytest.fixture(scope="module")
def gradual():
    """The template of a gradual deployment, as CloudFormation reads it."""
    return sam.translate(sam.load(), {"GradualDeployments": "true"})


def test_production_is_deployed_in_steps(samconfig, template):
    assert "GradualDeployments=true" in samconfig["prod"]["deploy"]["parameters"]["parameter_overrides"]
    assert template["Parameters"]["GradualDeployments"]["Default"] == "false"


def test_everything_invokes_the_alias(template):
    assert template["Globals"]["Function"]["AutoPublishAlias"] == "live"
    aliases = {f"{name}.Alias" for name in sam.of_type(template, "AWS::Serverless::Function")}

    def invoked(kind, *path):
        for resource in sam.of_type(template, kind).values():
            value = resource["Properties"]
            for part in path:
                value = value[part]
            yield value["Ref"]

    targets = [
        *invoked("AWS::Lambda::EventSourceMapping", "FunctionName"),
        *invoked("AWS::Lambda::Permission", "FunctionName"),
        *invoked("AWS::ApiGatewayV2::Integration", "IntegrationUri"),
        *invoked("AWS::Scheduler::Schedule", "Target", "Arn"),
    ]
    assert set(targets) == aliases
    clock = sam.statements(template["Resources"]["ClockRole"]["Properties"])
    may_invoke = [r["Ref"] for s in clock if "lambda:InvokeFunction" in s["Action"] for r in s["Resource"]]
    assert may_invoke == ["FireRemindersFunction.Alias", "SyncTemplatesFunction.Alias"]


def test_failed_runs_of_the_alias_are_recorded(gradual):
    configured = sam.of_type(gradual, "AWS::Lambda::EventInvokeConfig").values()
    assert [config["Properties"]["Qualifier"] for config in configured] == ["live", "live"]


def test_without_steps_nothing_of_codedeploy_is_left():
    direct = sam.translate(sam.load(), {"GradualDeployments": "false"})
    assert not [name for name, res in direct["Resources"].items() if res["Type"].startswith("AWS::CodeDeploy::")]
    assert all("UpdatePolicy" not in alias for alias in sam.of_type(direct, "AWS::Lambda::Alias").values())


def test_the_template_of_a_gradual_deployment_is_valid(gradual):
    # Above all, no resource waits for itself: alias, deployment group, role and alarms name each other.
    matches = lint(json.dumps(gradual), regions=[sam.REGION])
    assert [match.message for match in matches if match.rule.id.startswith("E")] == []


def test_each_alias_is_moved_by_a_deployment_that_its_own_alarms_stop(gradual):
    groups = sam.of_type(gradual, "AWS::CodeDeploy::DeploymentGroup")
    functions = sam.of_type(gradual, "AWS::Lambda::Function")
    for function in functions:
        alias = gradual["Resources"][f"{function}Aliaslive"]
        group = alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"]
        properties = groups[group]["Properties"]
        assert properties["ServiceRoleArn"] == {"Fn::GetAtt": ["DeploymentRole", "Arn"]}
        assert properties["AlarmConfiguration"]["Enabled"] is True
        watched = {alarm["Name"]["Ref"] for alarm in properties["AlarmConfiguration"]["Alarms"]}
        short = function.removesuffix("Function")
        of_api = {"DeploymentServerErrorsAlarm"} if function == "ReceiveEventFunction" else set()
        assert watched == {f"{short}NewVersionErrorsAlarm", f"{short}LiveThrottlesAlarm"} | of_api
    assert len(groups) == len(functions) == 5


def test_the_alarms_of_a_deployment_watch_the_new_version(gradual):
    alarms = {
        name: alarm["Properties"]
        for name, alarm in sam.of_type(gradual, "AWS::CloudWatch::Alarm").items()
        if alarm.get("Condition") == "Gradual"
    }
    assert len(alarms) == 11
    for name, alarm in alarms.items():
        assert not {"AlarmActions", "OKActions"} & set(alarm), name
        assert alarm["TreatMissingData"] == "notBreaching", name
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
        if alarm["Namespace"] == "AWS/ApiGateway":
            assert (alarm["MetricName"], dimensions) == ("5xx", {"ApiId": {"Ref": "HttpApi"}, "Stage": "$default"})
            continue
        function = dimensions.pop("FunctionName")["Ref"]
        assert dimensions.pop("Resource") == {"Fn::Sub": f"${{{function}}}:live"}, name
        if alarm["MetricName"] == "Errors":
            published = gradual["Resources"][f"{function}Aliaslive"]["Properties"]["FunctionVersion"]
            assert dimensions == {"ExecutedVersion": published}, name
        else:
            assert (alarm["MetricName"], dimensions) == ("Throttles", {}), name


# ---- Rollback

MONDAY, TUESDAY = (datetime(2026, 11, day, tzinfo=timezone.utc) for day in (23, 24))


def live(name, version, published, in_progress=False):
    return rollback.Live(name, version, dict(enumerate(published, start=1)), in_progress, "revision")


def test_a_rollback_moves_the_functions_that_the_last_deployment_changed():
    changed, same = live("changed", 2, [MONDAY, TUESDAY]), live("same", 1, [MONDAY])
    assert rollback.plan([changed, same], TUESDAY) == [(changed, 1)]


def test_a_second_rollback_moves_nothing():
    with pytest.raises(rollback.Refused, match="published no version"):
        rollback.plan([live("changed", 1, [MONDAY, TUESDAY])], TUESDAY)


def test_a_rollback_is_refused_as_a_whole():
    good = live("good", 2, [MONDAY, TUESDAY])
    with pytest.raises(rollback.Refused, match="first has no version before 1"):
        rollback.plan([good, live("first", 1, [TUESDAY])], TUESDAY)
    with pytest.raises(rollback.Refused, match="a deployment of moving is in progress"):
        rollback.plan([good, live("moving", 1, [MONDAY, TUESDAY], in_progress=True)], TUESDAY)
