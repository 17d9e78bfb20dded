"""Tests that call the deployed stack as Passweb does."""

import json
import re
import time
from urllib.parse import urlsplit

from support import alarms, emulated_aws, waiting
from support import template as sam
from support.bridge import order_event, order_events, problem, status_report

FUNCTIONS = ("receive-event", "send-message", "track-delivery", "fire-reminders", "sync-templates")
REPORTED_LIMIT_S = 60


def test_an_event_becomes_a_message_and_the_same_id_again_does_not(bridge, site):
    event = order_event()
    for _ in range(2):
        assert bridge.accept(event) == {"id": event["id"], "status": "accepted"}
        (message,) = bridge.arrived(1)
    assert message["to"] == "+393401234567"
    for part in ("Anna", "OC1/1320", "129,90 €"):
        assert part in message["text"], message["text"]
    # The deployed functions sent the message. The local run never received the event, and it cannot match the
    # statuses that its phone reports.
    assert site.message_item(event) is None


def test_every_event_of_a_batch_becomes_a_message(bridge):
    events = order_events(12)
    answer = bridge.accept({"events": events}, "/v1/events/batch")
    assert [result["status"] for result in answer["results"]] == ["accepted"] * len(events)
    messages = bridge.arrived(len(events))
    assert {m["to"] for m in messages} == {e["data"]["customer"]["phone"] for e in events}


def test_a_dry_run_reads_the_configuration_and_sends_nothing(bridge):
    answer = bridge.post(order_event(), "/v1/events/validate")
    assert answer.status_code == 200, answer.text
    assert answer.json()["recipients"][0]["phone"] == "+393401234567"
    bridge.drained()
    assert bridge.messages() == []


def test_a_signed_report_reaches_the_ledger(bridge, stack, site):
    event = order_event()
    bridge.accept(event)
    (message,) = bridge.arrived(1)
    report = status_report(site.demo, message["id"], "delivered", int(time.time()))
    path = urlsplit(site.demo["webhook_url"]).path
    problem(bridge.report(path, report, "another secret"), 401)
    assert bridge.report(path, report, site.demo["webhook_secret"]).status_code == 200
    waiting.until(
        lambda: any("status_delivered" in item for item in stack.ledger(event)),
        "the ledger has the report",
        REPORTED_LIMIT_S,
    )


def test_a_wrong_key_is_refused_and_sends_nothing(bridge):
    problem(bridge.post(order_event(), key="pwb_nobody_bm90aGluZw"), 401)
    bridge.drained()
    assert bridge.messages() == []


def test_an_unreadable_record_fails_no_other_record(bridge):
    bridge.sqs.send_message(QueueUrl=bridge.queue_url, MessageBody="not a job")
    event = order_event()
    bridge.accept(event)
    bridge.arrived(1)


def test_the_gateway_answers_404_to_an_unknown_route(bridge):
    answer = bridge.post(order_event(), "/v1/unknown")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


def test_a_tick_sweeps_without_an_error(stack):
    answer = stack.emulator.client("lambda").invoke(FunctionName="bridge-test-fire-reminders", Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_every_bundle_is_native_and_named_as_lambda_expects(stack):
    functions = stack.emulator.client("lambda").list_functions()["Functions"]
    found = {function["FunctionName"]: (function["Runtime"], function["Handler"]) for function in functions}
    assert found == {f"bridge-test-{name}": ("provided.al2023", "bootstrap") for name in FUNCTIONS}


def test_the_keys_of_the_stack_were_generated(stack):
    secret = stack.emulator.client("secretsmanager").get_secret_value(SecretId=stack.outputs["SecretsPrefix"] + "keys")
    assert len(json.loads(secret["SecretString"])["hmac"]) >= 43


def test_every_alarm_reaches_the_topic_and_is_on_the_dashboard(stack):
    cloudwatch = stack.emulator.client("cloudwatch")
    found = {alarm["AlarmArn"]: alarm for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    assert len(found) == len(alarms.alarms(sam.load()))
    (topic,) = stack.emulator.client("sns").list_topics()["Topics"]
    for arn, alarm in found.items():
        assert alarm["AlarmActions"] == [topic["TopicArn"]], arn
        # The condition of the topic's policy.
        assert alarm["AlarmName"].startswith(f"{emulated_aws.STACK}-"), arn
    body = cloudwatch.get_dashboard(DashboardName=emulated_aws.STACK)["DashboardBody"]
    shown = [arn for widget in json.loads(body)["widgets"] for arn in widget["properties"].get("alarms", [])]
    assert sorted(shown) == sorted(found)
    # CloudWatch itself resolves the labels.
    assert set(re.findall(r"\$\{(\w+)", body)) == {"PROP"}
    assert stack.outputs["LedgerTableName"] in body
