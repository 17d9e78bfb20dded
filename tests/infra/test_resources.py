"""Checks the tables, queues, functions, logs and routes, and their safeguards."""

import json
import re

from support import template as sam
from support.paths import ROOT

FOURTEEN_DAYS_S = 14 * 24 * 3600


def properties_of(template, kind):
    return {name: res["Properties"] for name, res in sam.of_type(template, kind).items()}


# ---- Tables


def test_tables_outlive_the_stack_and_can_be_restored(template):
    tables = sam.of_type(template, "AWS::DynamoDB::Table")
    assert set(tables) == {"ConfigTable", "ContactsTable", "LedgerTable", "ScheduleTable"}
    for name, table in tables.items():
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain", name
        properties = table["Properties"]
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
        assert properties["SSESpecification"] == {"SSEEnabled": True}, name
        assert properties["BillingMode"] == "PAY_PER_REQUEST", name
        assert properties["DeletionProtectionEnabled"] == {"Fn::If": ["Production", True, False]}, name


def test_only_tables_that_grow_with_traffic_expire_items(template):
    expiring = {
        name
        for name, properties in properties_of(template, "AWS::DynamoDB::Table").items()
        if properties.get("TimeToLiveSpecification") == {"AttributeName": "expires_at", "Enabled": True}
    }
    assert expiring == {"ContactsTable", "LedgerTable"}


# ---- Queues and their consumers

# The function that reads each queue, and its maximum number of concurrent batches.
FEEDS = {
    "EventsQueue": ("SendMessageFunction", {"Ref": "SendConcurrency"}),
    "EventsDeadLetters": ("SendMessageFunction", {"Ref": "DeadLetterConcurrency"}),
    "StatusesQueue": ("TrackDeliveryFunction", {"Ref": "StatusConcurrency"}),
}


def test_a_visibility_timeout_is_at_least_six_function_timeouts(template):
    queues = properties_of(template, "AWS::SQS::Queue")
    functions = properties_of(template, "AWS::Serverless::Function")
    for queue, (function, _) in FEEDS.items():
        assert queues[queue]["VisibilityTimeout"] >= 6 * functions[function]["Timeout"], queue


def test_a_record_received_too_often_becomes_a_dead_letter(template):
    queues = properties_of(template, "AWS::SQS::Queue")
    redriven = {name: queue["RedrivePolicy"] for name, queue in queues.items() if "RedrivePolicy" in queue}
    assert redriven == {
        queue: {"deadLetterTargetArn": {"Fn::GetAtt": ["EventsDeadLetters", "Arn"]}, "maxReceiveCount": 10}
        for queue in ("EventsQueue", "StatusesQueue")
    }


def test_the_dead_letters_of_the_first_version_outlive_the_update(template):
    # Version 0.1.0 states no deletion policy. A queue that leaves the template would be deleted with its records.
    assert "StatusesDeadLetters" in sam.of_type(template, "AWS::SQS::Queue")
    # Its mapping, which the update deletes last, drains it.
    _, role = sam.role_of(template, sam.functions(template)["send-message"])
    read = [one["Resource"] for one in sam.statements(role) if "sqs:ReceiveMessage" in one["Action"]]
    assert {"Fn::GetAtt": ["StatusesDeadLetters", "Arn"]} in [queue for queues in read for queue in queues]


def test_every_queue_keeps_a_record_as_long_as_sqs_can(template):
    for name, queue in properties_of(template, "AWS::SQS::Queue").items():
        assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS_S, name
        assert queue["SqsManagedSseEnabled"] is True, name


def test_a_queue_with_records_outlives_the_stack(template):
    for name, queue in sam.of_type(template, "AWS::SQS::Queue").items():
        # A missed tick and a failed run are only evidence.
        expected = "Delete" if name in ("MissedTicks", "FailedInvocations") else "Retain"
        assert queue["DeletionPolicy"] == queue["UpdateReplacePolicy"] == expected, name


def test_a_failed_record_does_not_redeliver_the_others(template):
    mappings = properties_of(template, "AWS::Lambda::EventSourceMapping")
    assert len(mappings) == len(FEEDS)
    assert FEEDS == {
        m["EventSourceArn"]["Fn::GetAtt"][0]: (sam.invoked(m["FunctionName"]), m["ScalingConfig"]["MaximumConcurrency"])
        for m in mappings.values()
    }
    for name, mapping in mappings.items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        assert mapping["BatchSize"] == 10, name


# Executions that a new account may run at once, and those that run beside the mappings. Sweeps and syncs run one at a time.
# A console is not part of the stack yet.
NEW_ACCOUNT = 10
BESIDE = {"receive-event": 1, "fire-reminders": 1, "sync-templates": 1, "console": 1}


def test_the_defaults_add_up_to_a_new_account(template):
    mappings = properties_of(template, "AWS::Lambda::EventSourceMapping").values()
    used = [mapping["ScalingConfig"]["MaximumConcurrency"]["Ref"] for mapping in mappings]
    # Each parameter counts once, for one mapping.
    assert sorted(used) == ["DeadLetterConcurrency", "SendConcurrency", "StatusConcurrency"]
    taken = {name: template["Parameters"][name]["Default"] for name in used}
    # The minimum of an SQS mapping.
    assert all(template["Parameters"][name]["MinValue"] == 2 for name in used)
    assert sum(taken.values()) + sum(BESIDE.values()) == NEW_ACCOUNT
    polled = {sam.invoked(mapping["FunctionName"]) for mapping in mappings}
    others = set(sam.of_type(template, "AWS::Serverless::Function")) - polled
    assert {name.replace("-", " ").title().replace(" ", "") + "Function" for name in set(BESIDE) - {"console"}} == others


def test_bridge_doctor_counts_the_same_executions(template):
    code = (ROOT / "infra/cli/src/doctor/aws.rs").read_text(encoding="utf-8")
    assert int(re.search(r"const OTHERS: i32 = (\d+);", code)[1]) == sum(BESIDE.values())
    counted = re.findall(r'"(\w+)"', re.search(r"const MAPPINGS: \[&str; \d+\] = \[(.*?)\];", code)[1])
    mappings = properties_of(template, "AWS::Lambda::EventSourceMapping").values()
    assert sorted(counted) == sorted(mapping["ScalingConfig"]["MaximumConcurrency"]["Ref"] for mapping in mappings)


def test_receiving_reserves_executions_only_if_asked(template):
    assert template["Parameters"]["ReceiveConcurrency"]["Default"] == 0
    assert template["Conditions"]["ReservesReceiving"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "ReceiveConcurrency"}, "0"]}]
    }
    reserved = {"Fn::If": ["ReservesReceiving", {"Ref": "ReceiveConcurrency"}, {"Ref": "AWS::NoValue"}]}
    for name, function in sam.functions(template).items():
        expected = reserved if name == "receive-event" else None
        assert function.get("ReservedConcurrentExecutions") == expected, name


# ---- Functions and logs


def test_functions_are_native_bundles_built_by_cargo_lambda(template):
    shared = template["Globals"]["Function"]
    assert shared["Runtime"] == "provided.al2023"
    assert shared["Handler"] == "bootstrap"
    assert shared["Architectures"] == [{"Ref": "Architecture"}]
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"
    for name, function in sam.of_type(template, "AWS::Serverless::Function").items():
        assert function["Metadata"] == {"BuildMethod": "rust-cargolambda"}, name


def test_every_log_group_is_declared_and_has_a_retention(template):
    groups = sam.of_type(template, "AWS::Logs::LogGroup")
    for name, group in groups.items():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
    used = {f["LoggingConfig"]["LogGroup"]["Ref"] for f in sam.functions(template).values()}
    used |= {
        s["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]
        for s in properties_of(template, "AWS::ApiGatewayV2::Stage").values()
    }
    assert used == set(groups)


def test_functions_log_json(template):
    for name, function in sam.functions(template).items():
        assert function["LoggingConfig"]["LogFormat"] == "JSON", name


# ---- Schedule


def test_every_tick_has_its_own_retry_and_dead_letters(template):
    schedules = properties_of(template, "AWS::Scheduler::Schedule")
    expected = {
        "EveryMinute": ("rate(1 minute)", "FireRemindersFunction", 60),
        "EveryMinuteTemplates": ("rate(1 minute)", "SyncTemplatesFunction", 60),
        "EveryHour": ("rate(1 hour)", "SyncTemplatesFunction", 3600),
    }
    assert set(schedules) == set(expected)
    for name, (rate, function, age_s) in expected.items():
        schedule, target = schedules[name], schedules[name]["Target"]
        assert schedule["ScheduleExpression"] == rate
        assert sam.invoked(target["Arn"]) == function
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["MissedTicks", "Arn"]}}
        # A tick older than the next one is of no use.
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == age_s


def test_the_template_sync_every_minute_serves_only_requests(template):
    schedules = properties_of(template, "AWS::Scheduler::Schedule")
    assert json.loads(schedules["EveryMinuteTemplates"]["Target"]["Input"]) == {"asked": True}
    assert "Input" not in schedules["EveryHour"]["Target"]


def test_a_sweep_ends_before_the_next_begins(template):
    sweeper = sam.functions(template)["fire-reminders"]
    assert sweeper["Timeout"] < 60
    assert sweeper["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    assert sweeper["EventInvokeConfig"]["MaximumEventAgeInSeconds"] == 60


def test_a_failed_run_of_a_scheduled_function_leaves_a_record(template):
    schedules = properties_of(template, "AWS::Scheduler::Schedule").values()
    scheduled = {sam.invoked(schedule["Target"]["Arn"]) for schedule in schedules}
    for name, function in properties_of(template, "AWS::Serverless::Function").items():
        on_failure = function.get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure")
        expected = {"Type": "SQS", "Destination": {"Fn::GetAtt": ["FailedInvocations", "Arn"]}}
        assert on_failure == (expected if name in scheduled else None), name


# ---- HTTP


def test_exactly_the_documented_routes_are_reachable(template):
    routes = properties_of(template, "AWS::ApiGatewayV2::Route")
    keys = {route["RouteKey"] for route in routes.values()}
    webhook = "/v1/webhooks/whatsapp/{id}"
    events = {f"POST /v1/events{path}" for path in ["", "/batch", "/validate"]}
    assert keys == {*events, f"GET {webhook}", f"POST {webhook}"}
    permitted = {
        p["SourceArn"]["Fn::Sub"].split("/$default/", 1)[1]
        for p in properties_of(template, "AWS::Lambda::Permission").values()
    }
    # The ARN of a call contains the actual path.
    assert permitted == {key.replace(" /", "/").replace("{id}", "*") for key in keys}


def test_the_gateway_is_permitted_before_it_invokes(template):
    (integration,) = sam.of_type(template, "AWS::ApiGatewayV2::Integration").values()
    assert set(integration["DependsOn"]) == set(sam.of_type(template, "AWS::Lambda::Permission"))


def test_the_gateway_waits_longer_than_the_function_may_take(template):
    (integration,) = properties_of(template, "AWS::ApiGatewayV2::Integration").values()
    assert integration["PayloadFormatVersion"] == "2.0"
    assert sam.functions(template)["receive-event"]["Timeout"] * 1000 < integration["TimeoutInMillis"] <= 30000


def test_the_stage_throttles_and_its_log_has_no_personal_data(template):
    (stage,) = properties_of(template, "AWS::ApiGatewayV2::Stage").values()
    assert stage["StageName"] == "$default"
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] > 0
    logged = set(json.loads(stage["AccessLogSettings"]["Format"]).values())
    assert logged <= {
        "$context.requestId",
        "$context.routeKey",
        "$context.status",
        "$context.responseLength",
        "$context.responseLatency",
        "$context.integrationLatency",
        "$context.integration.requestId",
        "$context.error.message",
    }


def test_the_address_is_the_own_domain_if_one_is_given(template):
    own, generated = template["Outputs"]["ApiUrl"]["Value"]["Fn::If"][1:]
    assert template["Outputs"]["ApiUrl"]["Value"]["Fn::If"][0] == "HasDomain"
    assert own == {"Fn::Sub": "https://${DomainName}"}
    assert generated == {"Fn::Sub": "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}
    # Paths are the same on both, because the mapping has no key.
    assert "ApiMappingKey" not in template["Resources"]["ApiDomainMapping"]["Properties"]


def test_without_a_domain_there_is_no_resource_for_it(template):
    conditions = {
        name: template["Resources"][name]["Condition"]
        for name in ("ApiDomain", "ApiDomainMapping", "ApiDomainRecord")
    }
    assert conditions == {"ApiDomain": "HasDomain", "ApiDomainMapping": "HasDomain", "ApiDomainRecord": "HasRecord"}
    assert [template["Parameters"][name]["Default"] for name in ("DomainName", "CertificateArn", "HostedZoneId")] == [""] * 3


# ---- Secrets and outputs


def test_the_keys_of_the_stack_are_made_by_aws_and_kept(template):
    (secret,) = sam.of_type(template, "AWS::SecretsManager::Secret").values()
    # The name is fixed, so a rolled-back first deployment must not leave it behind.
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    properties = secret["Properties"]
    assert properties["Name"] == {"Fn::Sub": "${AWS::StackName}/keys"}
    generated = properties["GenerateSecretString"]
    assert generated["GenerateStringKey"] == "hmac"
    # 43 letters and digits contain the 256 bits that HMAC-SHA256 can use.
    assert generated["PasswordLength"] >= 43 and generated["ExcludePunctuation"] is True
    assert "SecretString" not in properties


def test_no_secret_is_a_parameter_or_a_variable(template):
    text = json.dumps([template["Parameters"], [f["Environment"] for f in sam.functions(template).values()]]).lower()
    assert not any(word in text for word in ("token", "password", "secret", "resolve:", "api_key"))


def test_the_stack_has_the_outputs_an_operator_needs(template):
    assert set(template["Outputs"]) == {
        "ApiUrl",
        "ApiDomainTarget",
        "EventsQueueUrl",
        "EventsDeadLettersUrl",
        "StatusesQueueUrl",
        "StatusesDeadLettersUrl",
        "MissedTicksUrl",
        "FailedInvocationsUrl",
        "ConfigTableName",
        "ContactsTableName",
        "LedgerTableName",
        "ScheduleTableName",
        "SecretsPrefix",
    }
