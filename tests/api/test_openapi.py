"""Checks the running bridge against the OpenAPI document: no 5xx, and no undocumented response."""

import base64
import datetime
import hashlib
import hmac
import json
import os
import subprocess
import time
from pathlib import Path

import pytest
import requests
import standardwebhooks
import yaml

from support import bridge, local_run
from support.paths import ROOT

DOCUMENT = ROOT / "infra" / "openapi.yaml"
# Per operation and phase. All operations together make about two thousand requests.
EXAMPLES = 150
RUN_LIMIT_S = 600


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with local_run.running(tmp_path_factory.mktemp("api")) as run:
        yield run


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))


def test_every_type_of_event_is_in_the_document(document):
    event = document["components"]["schemas"]["Event"]
    schemas = {path.name.removesuffix(".json") for path in (ROOT / "docs/events/schema").glob("*.json")}
    assert set(event["discriminator"]["mapping"]) == schemas
    assert {Path(one["$ref"]).name.removesuffix(".json") for one in event["oneOf"]} == schemas


def test_the_routes_are_those_of_the_gateway(document):
    template = (ROOT / "infra/template.yaml").read_text(encoding="utf-8")
    for path, operations in document["paths"].items():
        for method in operations.keys() & {"get", "post"}:
            assert f"{method.upper()} {path}" in template


def test_no_request_gets_an_undocumented_answer(run, tmp_path):
    command = ["schemathesis", "run", str(DOCUMENT), "--url", run.demo["base_url"]]
    command += ["--header", f"X-API-Key: {run.demo['api_key']}", "--max-examples", str(EXAMPLES)]
    # The bridge ignores unknown fields and accepts several ways to authenticate. Data that the schema calls negative
    # may therefore be valid, and a request without the first scheme may still be authorized by another one.
    command += ["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"]
    command += ["--checks", "response_headers_conformance,response_schema_conformance"]
    command += ["--seed", "1", "--no-color"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"COLUMNS": "120"}, capture_output=True, text=True, timeout=RUN_LIMIT_S
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_a_valid_event_of_the_document_is_accepted(run):
    for example in sorted((ROOT / "docs/events/examples").glob("*.json")):
        answer = run.bridge.post(yaml.safe_load(example.read_text(encoding="utf-8")))
        assert answer.status_code == 202, (example.name, answer.text)


# ---- Signed events


def cli(run, *arguments):
    """Runs `bridge` on the local run and returns its JSON."""
    command = ["cargo", "run", "--quiet", "--bin", "bridge", "--", "--data-dir", str(run.data_dir), "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=local_run.BUILD_LIMIT_S)
    return json.loads(done.stdout)


def signature_headers(secret, webhook_id, timestamp, body):
    """Signs a body as the guide to the events says."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    signature = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": webhook_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def test_signatures_agree_with_another_implementation(tmp_path):
    # A run of its own: the functions keep a key for 50 seconds.
    with local_run.running(tmp_path) as run:
        secret = cli(run, "site", "set-signing")["signing_secret"]
        cli(run, "site", "set-signing", "--mode", "required")
        theirs = standardwebhooks.Webhook(secret)
        event = bridge.order_event()
        body, now = json.dumps(event).encode(), int(time.time())
        ours = signature_headers(secret, event["id"], now, body)
        assert theirs.verify(body, ours) == event
        signed_by_them = theirs.sign(event["id"], datetime.datetime.fromtimestamp(now, datetime.timezone.utc), body.decode())
        for headers in [ours, ours | {"webhook-signature": signed_by_them}]:
            assert post_signed(run, body, headers).status_code == 202
        other = standardwebhooks.Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        assert bridge.problem(post_signed(run, body, {}), 401)["type"].endswith(":signature-missing")
        wrong = other.sign(event["id"], datetime.datetime.fromtimestamp(now, datetime.timezone.utc), body.decode())
        refused = post_signed(run, body, ours | {"webhook-signature": wrong})
        assert bridge.problem(refused, 401)["type"].endswith(":signature-mismatch")
        late = post_signed(run, body, signature_headers(secret, event["id"], now - 301, body))
        assert bridge.problem(late, 401)["type"].endswith(":signature-stale")


def post_signed(run, body, headers):
    common = {"Content-Type": "application/json", "X-API-Key": run.demo["api_key"]}
    address = run.demo["base_url"] + "/v1/events"
    return requests.post(address, data=body, headers=common | headers, timeout=bridge.HTTP_LIMIT_S)


# ---- Webhooks


def signed(body, secret):
    """Returns the header with Meta's signature of these bytes."""
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def webhook_of(demo):
    """Returns a webhook in Meta's format, with one status of an unknown message."""
    status = {"id": "wamid.nobody's", "status": "delivered", "timestamp": "1795341600", "recipient_id": "393401234567"}
    value = {"metadata": {"phone_number_id": demo["phone_number_id"]}, "statuses": [status]}
    entry = {"id": demo["waba_id"], "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def test_a_signed_webhook_is_accepted(run):
    body = webhook_of(run.demo)
    headers = signed(body, run.demo["webhook_secret"])
    answer = requests.post(run.demo["webhook_url"], data=body, headers=headers, timeout=bridge.HTTP_LIMIT_S)
    assert (answer.status_code, answer.json()) == (200, {"received": 1})


def test_a_webhook_that_is_not_signed_is_refused(run):
    body = webhook_of(run.demo)
    for headers in [{}, signed(body + b" ", run.demo["webhook_secret"]), signed(body, "another")]:
        answer = requests.post(run.demo["webhook_url"], data=body, headers=headers, timeout=bridge.HTTP_LIMIT_S)
        bridge.problem(answer, 401)
        assert "WWW-Authenticate" in answer.headers


def test_a_webhook_is_verified_by_its_token_only(run):
    query = {"hub.mode": "subscribe", "hub.verify_token": "a guess", "hub.challenge": "1158201444"}
    bridge.problem(requests.get(run.demo["webhook_url"], params=query, timeout=bridge.HTTP_LIMIT_S), 403)
    elsewhere = run.demo["webhook_url"] + "x"
    bridge.problem(requests.get(elsewhere, params=query, timeout=bridge.HTTP_LIMIT_S), 404)
