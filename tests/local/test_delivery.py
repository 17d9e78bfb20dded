"""Feedback from the phone: statuses reach the ledger, and a STOP suppresses further messages."""

import json
from urllib.parse import urlsplit

import requests

from support import waiting
from support.bridge import HTTP_LIMIT_S, order_event, problem, status_report

SUPPRESSED_LIMIT_S = 30
NOON = 1795345200


def test_a_message_that_arrives_is_delivered_and_read_in_the_ledger(run):
    event = order_event()
    run.bridge.accept(event)
    (message,) = run.bridge.arrived(1)
    run.read(event)
    item = run.message_item(event)
    assert message["id"] in item["answer"]["S"]
    assert "status_failed" not in item


def test_a_stop_ends_messages_to_its_number(start):
    run = start()
    phone = "+393401230001"
    run.bridge.accept(order_event(phone=phone))
    run.bridge.arrived(1)
    run.bridge.write(phone, "Stop")
    waiting.until(
        lambda: any("all" in item for item in run.table_items("BRIDGE_CONTACTS_TABLE")),
        "the number is suppressed",
        SUPPRESSED_LIMIT_S,
    )
    refused, other = order_event(phone=phone), order_event(phone="+393401230002")
    for event in (refused, other):
        run.bridge.accept(event)
    messages = run.bridge.arrived(2)
    assert [message["to"] for message in messages] == [phone, "+393401230002"]
    skipped = json.loads(run.message_item(refused)["skipped"]["S"])
    assert skipped["reason"] == "suppressed", skipped


def test_a_webhook_is_accepted_only_with_its_signature(run):
    event = order_event()
    run.bridge.accept(event)
    (message,) = run.bridge.arrived(1)
    run.read(event)
    report = status_report(run.demo, message["id"], "failed", NOON)
    path = urlsplit(run.demo["webhook_url"]).path
    problem(run.bridge.report(path, report, "another secret"), 401)
    problem(run.bridge.report("/v1/webhooks/whatsapp/another", report, run.demo["webhook_secret"]), 404)
    assert run.bridge.report(path, report, run.demo["webhook_secret"]).status_code == 200
    waiting.until(lambda: "status_failed" in run.message_item(event), "the report is kept", SUPPRESSED_LIMIT_S)


def test_the_webhook_address_answers_the_verification_challenge(run):
    url = run.demo["webhook_url"]
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": url.rsplit("/", 1)[1]}
    answer = requests.get(url, params=asked, timeout=HTTP_LIMIT_S)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    answer = requests.get(url, params={**asked, "hub.verify_token": "another"}, timeout=HTTP_LIMIT_S)
    problem(answer, 403)
