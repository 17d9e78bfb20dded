"""Checks the running bridge against the OpenAPI document: no 5xx, and no undocumented response."""

import hashlib
import hmac
import json
import os
import subprocess
from pathlib import Path

import pytest
import requests
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
