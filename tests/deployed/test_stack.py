"""Tests that call the deployed stack as Passweb does."""

import json
import re
import time

import pytest

from support import alarms, waiting
from support import template as sam
from support.bridge import order_event, order_events, problem, status_report

FUNCTIONS = ("receive-event", "send-message", "track-delivery", "fire-reminders", "sync-templates")
REPORTED_LIMIT_S = 60
# A mapping on AWS may wait for 20 s before it reads an idle queue.
KEPT_LIMIT_S = 90


def test_an_event_becomes_a_message_and_the_same_id_again_does_not(bridge):
    event = order_event()
    for _ in range(2):
        assert bridge.accept(event) == {"id": event["id"], "status": "accepted"}
        (message,) = bridge.arrived(1)
    assert message["to"] == "+393401234567"
    for part in ("Anna", "OC1/1320", "129,90 €"):
        assert part in message["text"], message["text"]


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
    report = status_report(site.sender, message["id"], "delivered", int(time.time()))
    problem(bridge.report(site.webhook_path, report, "another secret"), 401)
    assert bridge.report(site.webhook_path, report, site.webhook_secret).status_code == 200
    waiting.until(
        lambda: any("status_delivered" in item for item in stack.ledger(event)),
        "the ledger has the report",
        REPORTED_LIMIT_S,
    )


def test_a_wrong_key_is_refused_and_sends_nothing(bridge):
    problem(bridge.post(order_event(), key="pwb_nobody_bm90aGluZw"), 401)
    bridge.drained()
    assert bridge.messages() == []


def test_an_unreadable_record_fails_no_other_record(bridge, site):
    bridge.sqs.send_message(QueueUrl=bridge.queue_url, MessageBody=f"not a job of {site.id}")
    event = order_event()
    bridge.accept(event)
    bridge.arrived(1)


@pytest.mark.parametrize("queue", ["events", "statuses"])
def test_a_record_sqs_gave_up_on_is_a_dead_letter_of_its_queue(bridge, stack, site, queue):
    report = {"notice": "number.1", "site": site.id, "phone_number_id": "1", "from": queue, "to": "393407654321"}
    body = {"events": f"not a job of {site.id}: {queue}", "statuses": json.dumps(report)}[queue]
    bridge.sqs.send_message(QueueUrl=stack.outputs["EventsDeadLettersUrl"], MessageBody=body)
    (letter,) = waiting.until(lambda: stack.dead_letters(body), "the dead letter is in the ledger", KEPT_LIMIT_S)
    assert (letter["queue"]["S"], letter["body"]["S"]) == (queue, body)


def test_the_gateway_answers_404_to_an_unknown_route(bridge):
    answer = bridge.post(order_event(), "/v1/unknown")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


def test_a_tick_sweeps_without_an_error(stack):
    answer = stack.invoke("fire-reminders")
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_every_bundle_is_native_and_named_as_lambda_expects(stack):
    for name in FUNCTIONS:
        found = stack.client("lambda").get_function_configuration(FunctionName=stack.function(name))
        assert (found["Runtime"], found["Handler"]) == ("provided.al2023", "bootstrap"), name


def test_the_keys_of_the_stack_were_generated(stack):
    secret = stack.client("secretsmanager").get_secret_value(SecretId=stack.outputs["SecretsPrefix"] + "keys")
    assert len(json.loads(secret["SecretString"])["hmac"]) >= 43


def test_every_alarm_reaches_the_topic_and_is_on_the_dashboard(stack):
    cloudwatch = stack.client("cloudwatch")
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{stack.name}-")
    # The condition of the topic's policy: the name begins with that of the stack. Alarms of deployments have no action.
    found = {a["AlarmArn"]: a for page in pages for a in page["MetricAlarms"] if a["AlarmActions"]}
    assert len(found) == len(alarms.alarms(sam.load()))
    resource = stack.client("cloudformation").describe_stack_resource
    topic = resource(StackName=stack.name, LogicalResourceId="AlarmTopic")["StackResourceDetail"]["PhysicalResourceId"]
    for arn, alarm in found.items():
        assert alarm["AlarmActions"] == [topic], arn
    body = cloudwatch.get_dashboard(DashboardName=stack.name)["DashboardBody"]
    shown = [arn for widget in json.loads(body)["widgets"] for arn in widget["properties"].get("alarms", [])]
    assert sorted(shown) == sorted(found)
    # CloudWatch itself resolves the labels.
    assert set(re.findall(r"\$\{(\w+)", body)) == {"PROP"}
    assert stack.outputs["LedgerTableName"] in body
