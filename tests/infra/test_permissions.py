"""Checks permissions: each function has its own role, with the least privileges that it needs."""

import re

import pytest

from support import permissions, store_calls
from support import template as sam
from support.paths import FUNCTIONS, ROOT

# The only allowed wildcards: the provider token of any site, the webhook secrets of any site, and the alarms that
# CodeDeploy reads.
SECRET = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/*/%s-??????"
ALARMS = "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"
PATTERNS_ALLOWED = {SECRET % "provider", SECRET % "inbound", ALARMS}
# The services that may use the roles which no function has.
OTHER_ROLES = {"ClockRole": "scheduler.amazonaws.com", "DeploymentRole": "codedeploy.amazonaws.com"}

# The queue of version 0.1.0, whose mapping an update deletes last.
LEFT = {"SendMessageFunction": {"StatusesDeadLetters"}}

# The client crate for each service in a function's manifest. Every function has permission to write logs.
CLIENTS = {"dynamodb": "aws-sdk-dynamodb", "sqs": "aws-sdk-sqs", "secretsmanager": "aws-sdk-secretsmanager"}


def all_statements(template):
    for name, role in sam.of_type(template, "AWS::IAM::Role").items():
        for statement in sam.statements(role["Properties"]):
            yield name, statement


def test_every_function_has_a_role_of_its_own(template):
    roles = [sam.role_of(template, properties)[0] for properties in sam.functions(template).values()]
    assert len(roles) == len(set(roles)) >= 3


def test_no_role_is_left_over(template):
    used = {sam.role_of(template, properties)[0] for properties in sam.functions(template).values()}
    schedules = sam.of_type(template, "AWS::Scheduler::Schedule").values()
    used |= {schedule["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0] for schedule in schedules}
    used |= {f["DeploymentPreference"]["Role"]["Fn::GetAtt"][0] for f in sam.functions(template).values()}
    assert used == set(sam.of_type(template, "AWS::IAM::Role"))


def test_no_role_has_a_managed_policy_and_sam_adds_none(template):
    for role in sam.of_type(template, "AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]
    for name, properties in sam.functions(template).items():
        assert not {"Policies", "Events", "Tracing", "DeadLetterQueue"} & set(properties), name


def test_only_a_traced_stack_may_write_traces(template):
    (policy,) = sam.of_type(template, "AWS::IAM::Policy").values()
    assert policy["Condition"] == "Traced"
    assert template["Conditions"]["Traced"] == {"Fn::Equals": [{"Ref": "Tracing"}, "Active"]}
    assert template["Parameters"]["Tracing"]["Default"] == "PassThrough"
    assert template["Globals"]["Function"]["Tracing"] == {"Ref": "Tracing"}
    properties = policy["Properties"]
    assert [role["Ref"] for role in properties["Roles"]] == [
        sam.role_of(template, function)[0] for function in sam.functions(template).values()
    ]
    (statement,) = properties["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]


def test_no_wildcard_in_an_action(template):
    for name, statement in all_statements(template):
        assert statement["Effect"] == "Allow"
        assert all(re.fullmatch(r"[a-z]+:[A-Za-z]+", action) for action in statement["Action"]), (name, statement)


def test_every_resource_is_named(template):
    for name, statement in all_statements(template):
        for resource in statement["Resource"]:
            assert isinstance(resource, dict), (name, resource)
            text = resource.get("Fn::Sub", "")
            assert not re.search(r"[*?]", text) or text in PATTERNS_ALLOWED, (name, resource)


def test_every_role_trusts_one_service(template):
    for name, role in sam.of_type(template, "AWS::IAM::Role").items():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRole"
        assert statement["Principal"] == {"Service": OTHER_ROLES.get(name, "lambda.amazonaws.com")}, name


def test_a_function_writes_to_its_own_logs_only(template):
    for name, properties in sam.functions(template).items():
        _, role = sam.role_of(template, properties)
        groups = [r for s in sam.statements(role) if "logs:PutLogEvents" in s["Action"] for r in s["Resource"]]
        assert groups == [{"Fn::GetAtt": [properties["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]}], name


def test_public_functions_read_no_token_and_senders_read_no_inbound_secret(template):
    readers = {"provider": set(), "inbound": set()}
    for name, properties in sam.functions(template).items():
        _, role = sam.role_of(template, properties)
        for kind, found in readers.items():
            if any({"Fn::Sub": SECRET % kind} in statement["Resource"] for statement in sam.statements(role)):
                found.add(name)
    assert readers == {"provider": {"send-message", "sync-templates"}, "inbound": {"receive-event"}}


def test_role_and_environment_name_the_same_tables_and_queues(template):
    kept = {"AWS::DynamoDB::Table", "AWS::SQS::Queue"}
    mappings = [m["Properties"] for m in sam.of_type(template, "AWS::Lambda::EventSourceMapping").values()]
    for logical, resource in sam.of_type(template, "AWS::Serverless::Function").items():
        properties = resource["Properties"]
        _, role = sam.role_of(template, properties)
        allowed = {sam.resource_name(r).split(",")[0] for s in sam.statements(role) for r in s["Resource"]}
        allowed = {n for n in allowed if n in template["Resources"] and template["Resources"][n]["Type"] in kept}
        # An ARN is a name to compare. It is not used for calls.
        used = [v for name, v in properties["Environment"]["Variables"].items() if not name.endswith("_ARN")]
        told = {sam.resource_name(value) for value in used} & set(template["Resources"])
        # Lambda writes to it with the function's role.
        if "EventInvokeConfig" in properties:
            told.add("FailedInvocations")
        told |= {sam.resource_name(m["EventSourceArn"]) for m in mappings if sam.invoked(m["FunctionName"]) == logical}
        assert allowed - LEFT.get(logical, set()) == told, logical


def test_a_function_polls_only_the_queues_that_feed_it(template):
    polling = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    mappings = [m["Properties"] for m in sam.of_type(template, "AWS::Lambda::EventSourceMapping").values()]
    for logical, resource in sam.of_type(template, "AWS::Serverless::Function").items():
        _, role = sam.role_of(template, resource["Properties"])
        allowed = [s for s in sam.statements(role) if polling & set(s["Action"])]
        assert all(set(statement["Action"]) == polling for statement in allowed), logical
        feeding = [m["EventSourceArn"] for m in mappings if sam.invoked(m["FunctionName"]) == logical]
        feeding += [{"Fn::GetAtt": [name, "Arn"]} for name in LEFT.get(logical, ())]
        assert [queue for statement in allowed for queue in statement["Resource"]] == feeding, logical


@pytest.mark.parametrize("service", sorted(CLIENTS))
def test_a_role_allows_a_service_exactly_when_the_manifest_depends_on_it(template, service):
    for function, properties in sam.functions(template).items():
        manifest = (ROOT / "functions" / function / "Cargo.toml").read_text(encoding="utf-8")
        ours = manifest.split("[dev-dependencies]")[0]
        depends = re.search(rf"^{re.escape(CLIENTS[service])}\b", ours, re.MULTILINE) is not None
        _, role = sam.role_of(template, properties)
        # Lambda itself records failed runs with the function's role, and polls the queue.
        by_lambda = {"Fn::GetAtt": ["FailedInvocations", "Arn"]}
        actions = {a for s in sam.statements(role) if s["Resource"] != [by_lambda] for a in s["Action"]} - {
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
        }
        assert depends == any(action.startswith(f"{service}:") for action in actions), function


# ---- Restored tables

RESTORED = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Restored%sTable}"
TABLES = ("Config", "Contacts", "Ledger", "Schedule")


def restored(value):
    """Returns (table, value for the own table, value for the restored one) of a choice between both."""
    condition, own, other = value["Fn::If"]
    return condition.removeprefix("Own"), own, other


def test_permissions_follow_a_restored_table(template):
    found = set()
    for name, statement in all_statements(template):
        if not any(action.startswith("dynamodb:") for action in statement["Action"]):
            continue
        for resource in statement["Resource"]:
            table, own, other = restored(resource)
            index = own["Fn::Sub"].split(".Arn}")[1] if "Fn::Sub" in own else ""
            expected = {"Fn::Sub": f"${{{table}Table.Arn}}{index}"} if index else {"Fn::GetAtt": [f"{table}Table", "Arn"]}
            assert own == expected, (name, resource)
            assert other == {"Fn::Sub": RESTORED % table + index}, (name, resource)
            found.add(table)
    assert found == set(TABLES)


def test_functions_and_outputs_follow_a_restored_table(template):
    names = {
        table: {"Fn::If": [f"Own{table}", {"Ref": f"{table}Table"}, {"Ref": f"Restored{table}Table"}]} for table in TABLES
    }
    for function, properties in sam.functions(template).items():
        for variable, value in properties["Environment"]["Variables"].items():
            if variable.endswith("_TABLE"):
                assert value == names[variable.removeprefix("BRIDGE_").removesuffix("_TABLE").title()], function
    for table in TABLES:
        assert template["Outputs"][f"{table}TableName"]["Value"] == names[table]
        assert template["Parameters"][f"Restored{table}Table"]["Default"] == ""
        assert template["Conditions"][f"Own{table}"] == {"Fn::Equals": [{"Ref": f"Restored{table}Table"}, ""]}


# ---- Items of the tables


def test_a_role_allows_exactly_the_dynamodb_calls_that_its_function_makes(template):
    for function, properties in sam.functions(template).items():
        _, role = sam.role_of(template, properties)
        allowed = {
            (sam.resource_name(resource).split(",")[0].removesuffix("Table"), "index" in sam.resource_name(resource), name)
            for statement in sam.statements(role)
            for resource in statement["Resource"]
            for service, name in (action.split(":") for action in statement["Action"])
            if service == "dynamodb"
        }
        assert allowed == store_calls.of_crate(FUNCTIONS / function / "src"), function


def test_a_limit_on_items_also_refuses_a_request_without_keys(template):
    limited = [(name, s) for name, s in all_statements(template) if s["Condition"]]
    assert len(limited) >= 20
    for name, statement in limited:
        assert all(action.startswith("dynamodb:") for action in statement["Action"]), name
        assert statement["Condition"] == {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": statement["Keys"]},
            "Null": {"dynamodb:LeadingKeys": False},
        }, name


def test_every_limit_names_the_beginning_of_a_key_that_the_code_writes(template):
    keys = [ROOT / "shared" / "domain" / "src" / "primitives" / "key.rs", *sorted(store_calls.STORE.rglob("*.rs"))]
    text = "".join(store_calls.code(path) for path in keys)
    prefixes = set(re.findall(r'"([A-Z]+#)', text)) | set(re.findall(r'"([A-Z]+)"', text))
    for name, statement in all_statements(template):
        for pattern in statement["Keys"] or ():
            assert re.fullmatch(r"[A-Z]+(#\*)?", pattern), (name, pattern)
            assert pattern.removesuffix("*") in prefixes, (name, pattern)


def test_only_the_stacks_own_schedules_may_use_the_clock(template):
    (trust,) = template["Resources"]["ClockRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {
        "aws:SourceAccount": {"Ref": "AWS::AccountId"},
        "aws:SourceArn": {"Fn::GetAtt": ["Clock", "Arn"]},
    }
    for name, schedule in sam.of_type(template, "AWS::Scheduler::Schedule").items():
        assert schedule["Properties"]["GroupName"] == {"Ref": "Clock"}, name


def test_the_readme_shows_these_permissions():
    readme = (ROOT / "infra" / "README.md").read_text(encoding="utf-8")
    assert permissions.table() in readme, "run: cd tests && ../.local/venv/bin/python -m support.permissions"
