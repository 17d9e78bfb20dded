"""Kills, restarts and load: nothing is lost and nothing is sent twice."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import waiting
from support.bridge import order_event, order_events

EVENTS = 200
IN_FLIGHT = 16
LOAD_LIMIT_S = 180
REPLACED_LIMIT_S = 5
KEPT_LIMIT_S = 30


def test_a_sender_killed_before_its_claim_loses_and_doubles_nothing(start):
    run = start()
    # Stopped processes keep their slots, so the record goes to one that never claims it.
    stopped = run.signal_workers("send-message", signal.SIGSTOP)
    assert stopped
    run.bridge.accept(order_event())
    waiting.until(lambda: run.bridge.queue_counts()[1] == 1, "the record is with a stopped process", REPLACED_LIMIT_S)
    assert run.bridge.messages() == []
    run.signal_workers("send-message", signal.SIGKILL)
    waiting.until(
        lambda: len(run.workers("send-message") - stopped) == len(stopped),
        "the processes are replaced",
        REPLACED_LIMIT_S,
    )
    run.bridge.arrived(1)


def test_each_of_many_events_at_once_makes_one_message(start):
    run = start()
    events = order_events(EVENTS)
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        answers = list(pool.map(run.bridge.post, events))
    assert {answer.status_code for answer in answers} == {202}
    messages = run.bridge.arrived(EVENTS, LOAD_LIMIT_S)
    assert {message["to"] for message in messages} == {event["data"]["customer"]["phone"] for event in events}


REPORT = {"notice": "number.1", "site": "demo", "phone_number_id": "1", "from": "393401234567", "to": "393407654321"}


@pytest.mark.parametrize(("queue", "body"), [("events", "what nobody could process"), ("statuses", json.dumps(REPORT))])
def test_a_record_sqs_gave_up_on_is_moved_from_the_queue_to_the_ledger(run, queue, body):
    dead = run.bridge.sqs.get_queue_url(QueueName="bridge-dead")["QueueUrl"]
    run.bridge.sqs.send_message(QueueUrl=dead, MessageBody=body)

    def letters():
        items = run.table_items("BRIDGE_LEDGER_TABLE")
        return [i for i in items if i["pk"]["S"].startswith("DEAD#") and i["queue"]["S"] == queue]

    (letter,) = waiting.until(letters, "the dead letter is in the ledger", KEPT_LIMIT_S)
    assert letter["body"]["S"] == body
    waiting.until(lambda: not any(run.bridge.queue_counts(dead)), "the dead-letter queue is empty", KEPT_LIMIT_S)


def test_a_restart_keeps_ledger_mappings_and_key(start):
    first = start()
    event = order_event()
    first.bridge.accept(event)
    first.bridge.arrived(1)
    first.read(event)
    ledger, config = first.table_items("BRIDGE_LEDGER_TABLE"), first.table_items("BRIDGE_CONFIG_TABLE")
    assert first.interrupt() == 0

    second = start(first.data_dir)
    assert second.demo["api_key"] == first.demo["api_key"]
    assert second.table_items("BRIDGE_LEDGER_TABLE") == ledger
    assert {item["pk"]["S"] for item in config} == {
        item["pk"]["S"] for item in second.table_items("BRIDGE_CONFIG_TABLE")
    }
    # The simulator lost its messages, but the ledger still has them.
    second.bridge.accept(event)
    second.bridge.drained()
    assert second.bridge.messages() == []
    second.bridge.accept(order_event())
    second.bridge.arrived(1)
