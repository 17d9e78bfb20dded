"""The functions under `cargo lambda watch`, with the environment file of a running local run."""

import json
import uuid
from datetime import datetime, timezone

import pytest
import requests

from support import local_run, processes
from support.bridge import order_event

LISTEN_LIMIT_S = 30
# The first call of a function builds it, with the features of its package only.
FIRST_CALL_LIMIT_S = 900


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with local_run.running(tmp_path_factory.mktemp("local")) as run:
        yield run


@pytest.fixture(scope="module")
def watch(site, tmp_path_factory):
    """The base URL of `cargo lambda watch`."""
    port = processes.free_port()
    command = ["cargo", "lambda", "watch", "-A", "127.0.0.1", "-P", str(port), "--env-file", site.demo["env_file"]]
    watcher = processes.Process(command, tmp_path_factory.mktemp("watch") / "output.log")
    try:
        watcher.until(lambda: processes.listening(port), "cargo lambda watch listens", LISTEN_LIMIT_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        watcher.end()
        print(f"---- output of cargo lambda watch\n{watcher.output()[-8000:]}")


@pytest.fixture(autouse=True)
def empty_phone(site):
    site.bridge.drained()
    site.bridge.reset()


def test_a_callback_through_the_function_url_reaches_the_phone(watch, site):
    event = order_event()
    answer = requests.post(
        f"{watch}/lambda-url/receive-event/v1/events",
        json=event,
        headers={"X-API-Key": site.bridge.api_key},
        timeout=FIRST_CALL_LIMIT_S,
    )
    assert (answer.status_code, answer.json()) == (202, {"id": event["id"], "status": "accepted"})
    (message,) = site.bridge.arrived(1)
    assert "OC1/1320" in message["text"]


def test_a_wrong_key_is_refused_through_the_function_url(watch):
    answer = requests.post(
        f"{watch}/lambda-url/receive-event/v1/events",
        json=order_event(),
        headers={"X-API-Key": "nonsense"},
        timeout=FIRST_CALL_LIMIT_S,
    )
    assert answer.status_code == 401


def test_send_message_takes_an_sqs_event(watch, site):
    job = {
        "job": "event.1",
        "site": site.demo["site"],
        "received_at": datetime.now(timezone.utc).isoformat(),
        "event": order_event(),
    }
    good, bad = str(uuid.uuid4()), str(uuid.uuid4())
    answer = requests.post(
        f"{watch}/2015-03-31/functions/send-message/invocations",
        json={"Records": [record(good, json.dumps(job)), record(bad, "not a job")]},
        timeout=FIRST_CALL_LIMIT_S,
    )
    assert answer.status_code == 200, answer.text
    # An unreadable record becomes a dead letter in the ledger, so no record has to be delivered again.
    assert answer.json() == {"batchItemFailures": []}
    site.bridge.arrived(1)


def record(message_id, body):
    """Returns a record of an SQS event in the form that Lambda passes to a function."""
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(int(datetime.now(timezone.utc).timestamp() * 1000)),
            "SenderId": "local",
            "ApproximateFirstReceiveTimestamp": str(int(datetime.now(timezone.utc).timestamp() * 1000)),
        },
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:events",
        "awsRegion": "eu-central-1",
    }
