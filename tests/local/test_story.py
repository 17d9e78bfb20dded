"""The main story as a new user runs it: the printed command makes a message appear on the phone."""

import re
import subprocess

import pytest

from support.bridge import order_event, problem
from support.paths import ROOT

CURL_LIMIT_S = 30


def printed_curl(run):
    (line,) = [line for line in run.output().splitlines() if line.startswith("curl ")]
    return line


def test_the_printed_curl_line_sends_one_message_however_often_it_is_run(start):
    run = start()
    for _ in range(2):
        # curl writes the status after the body, on a separate line.
        command = printed_curl(run) + " -w '\\n%{http_code}'"
        answer = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, check=True, timeout=CURL_LIMIT_S
        )
        body, status = answer.stdout.rsplit("\n", 1)
        assert status == "202", answer.stdout
        assert '"accepted"' in body
        (message,) = run.bridge.arrived(1)
    for part in ("Anna", "OC1/1320", "129,90 €"):
        assert part in message["text"], message["text"]
    assert "memorizzato" in message["text"].lower()


def lines_of_the_readme(run):
    """Returns the lines of the quick start that send an event, with the key and the port of a run."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```bash\n( *now=.*?)```", text, re.DOTALL)
    return lines.replace("pwb_…", run.demo["api_key"]).replace("http://127.0.0.1:8080", run.demo["base_url"])


def test_the_lines_of_the_readme_send_one_message_on_any_day(run):
    lines = lines_of_the_readme(run)
    # The second call has the same id. The text that follows is what the page says about it.
    command = lines + lines.partition("\n")[2]
    answer = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, check=True, timeout=CURL_LIMIT_S)
    assert answer.stdout.count('"accepted"') == 2, answer.stdout
    (message,) = run.bridge.arrived(1)
    assert "OC1/1320" in message["text"]


@pytest.mark.parametrize("example", ["order.status_changed", "message.sent"])
def test_an_example_is_sent_on_any_day(run, example):
    body = (ROOT / "docs" / "events" / "examples" / f"{example}.json").read_bytes()
    assert b"{{now}}" in body
    answer = run.bridge.post(body)
    assert answer.status_code == 202, answer.text
    run.bridge.arrived(1)


def test_a_signed_example_is_left_as_it_was_signed(run):
    body = (ROOT / "docs" / "events" / "examples" / "message.sent.json").read_bytes()
    answer = run.bridge.post(body, headers={"webhook-signature": "v1,AA=="})
    assert "/occurred_at" in [error["pointer"] for error in problem(answer, 422)["errors"]]


def test_the_request_is_a_template_send_of_the_cloud_api(run):
    run.bridge.accept(order_event())
    (message,) = run.bridge.arrived(1)
    body = message["body"]
    assert set(body) == {"messaging_product", "recipient_type", "to", "type", "template", "biz_opaque_callback_data"}
    assert body["messaging_product"] == "whatsapp"
    assert body["recipient_type"] == "individual"
    assert body["type"] == "template"
    assert body["to"] == message["to"] == "+393401234567"
    assert body["biz_opaque_callback_data"] == message["biz_opaque_callback_data"]
    assert set(body["template"]) == {"name", "language", "components"}
    assert body["template"]["language"] == {"code": "it"}
    (component,) = body["template"]["components"]
    assert component["type"] == "body"
    assert all(
        set(parameter) == {"type", "text"} and parameter["type"] == "text" for parameter in component["parameters"]
    )


def test_a_repeated_id_is_accepted_and_sends_nothing(run):
    event = order_event()
    first = run.bridge.accept(event)
    again = run.bridge.accept(event)
    assert first == again == {"id": event["id"], "status": "accepted"}
    run.bridge.arrived(1)


def test_a_dry_run_says_what_it_understood_and_sends_nothing(run):
    answer = run.bridge.post(order_event(), "/v1/events/validate")
    assert answer.status_code == 200, answer.text
    (recipient,) = answer.json()["recipients"]
    assert (recipient["role"], recipient["phone"]) == ("customer", "+393401234567")
    run.bridge.drained()
    assert run.bridge.messages() == []


def test_a_batch_answers_for_each_event_in_order(run):
    good, bad = order_event(), order_event(type="order.exploded")
    answer = run.bridge.accept({"events": [bad, good]}, "/v1/events/batch")
    refused, accepted = answer["results"]
    assert (refused["index"], refused["status"]) == (0, "refused")
    assert refused["problem"]["status"] == 422
    assert accepted == {"index": 1, "id": good["id"], "status": "accepted"}
    run.bridge.arrived(1)
