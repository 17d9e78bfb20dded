"""Events, and a running bridge to post them to, on this machine or deployed."""

import hashlib
import hmac
import json
import uuid
from datetime import datetime, timezone

import botocore.session
import requests

from support import waiting

HTTP_LIMIT_S = 30
ARRIVAL_LIMIT_S = 60


def order_event(phone="+393401234567", **changes):
    """Returns a complete and valid status event of a new order. `changes` replaces top-level fields."""
    unique = uuid.uuid4().hex
    return {
        "id": f"order-{unique}",
        "type": "order.status_changed",
        "occurred_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "language": "it",
        "data": {
            "order": {
                "id": unique,
                "code": "OC1/1320",
                "status": "MEMORIZZATO",
                "total": {"amount": "129.90", "currency": "EUR"},
                "item_count": 3,
            },
            "customer": {"id": "c-77", "first_name": "Anna", "last_name": "Rossi", "phone": phone, "language": "it"},
        },
        **changes,
    }


def order_events(count):
    """Returns `count` orders with different customers, up to 10,000."""
    events = [order_event(phone=f"+39340123{number:04}") for number in range(count)]
    for number, event in enumerate(events):
        event["data"]["customer"]["id"] = f"c-{number}"
    return events


def status_report(demo, wamid, status, at):
    """Returns a webhook with one status of a message, in Meta's format. `at` is in seconds since 1970."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "390236269240", "phone_number_id": demo["phone_number_id"]},
        "statuses": [{"id": wamid, "status": status, "timestamp": str(at), "recipient_id": "393401234567"}],
    }
    entry = {"id": demo["waba_id"], "changes": [{"field": "messages", "value": value}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def problem(answer, status):
    """Checks that a refusal is a problem document, and returns it."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"].split(";")[0] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert {"type", "title", "detail"} <= set(document)
    return document


def aws_client(service, endpoint, region="eu-central-1"):
    """Returns an AWS client for an emulator, which accepts any credentials."""
    return botocore.session.get_session().create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


class Bridge:
    """A bridge, its events queue, and the simulated phone behind it.

    `host` is the host name for calls if it differs from the address, as for an emulated API Gateway.
    """

    def __init__(self, base_url, api_key, simulator_url, sqs, queue_url, host=None):
        self.base_url = base_url
        self.api_key = api_key
        self.simulator_url = simulator_url
        self.sqs = sqs
        self.queue_url = queue_url
        self.host = host

    # ---- Calling the bridge

    def post(self, body, path="/v1/events", content_type="application/json", key=None, headers=None):
        """Posts JSON, or bytes unchanged. `key` replaces the correct API key; an empty one omits the header."""
        own = {"Content-Type": content_type, "X-API-Key": self.api_key if key is None else key, "Host": self.host}
        headers = {**own, **(headers or {})}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return requests.post(
            self.base_url + path, data=content, headers={k: v for k, v in headers.items() if v}, timeout=HTTP_LIMIT_S
        )

    def accept(self, event, path="/v1/events"):
        """Posts an event that must be accepted."""
        answer = self.post(event, path)
        assert answer.status_code == 202, (answer.status_code, answer.text)
        return answer.json()

    def report(self, path, document, secret):
        """Posts a webhook as Meta does, with a signature of the bytes that are sent."""
        body = json.dumps(document).encode()
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature, "Host": self.host}
        return requests.post(
            self.base_url + path, data=body, headers={k: v for k, v in headers.items() if v}, timeout=HTTP_LIMIT_S
        )

    # ---- Looking at the phone

    def messages(self):
        """Returns the messages that the simulator accepted, oldest first."""
        answer = requests.get(self.simulator_url + "/_sim/messages", timeout=HTTP_LIMIT_S)
        answer.raise_for_status()
        return answer.json()

    def reset(self):
        """Resets the phone."""
        requests.post(self.simulator_url + "/_sim/reset", timeout=HTTP_LIMIT_S).raise_for_status()

    def write(self, phone, text):
        """Sends a message from a phone number to the shop."""
        message = {"from": phone, "text": text}
        requests.post(self.simulator_url + "/_sim/inbound", json=message, timeout=HTTP_LIMIT_S).raise_for_status()

    def arrived(self, count, limit_s=ARRIVAL_LIMIT_S):
        """Waits until there are `count` messages and the queue is empty. Fails if there are more than `count`."""
        waiting.until(lambda: len(self.messages()) >= count, f"{count} messages on the phone", limit_s)
        self.drained(limit_s)
        messages = self.messages()
        assert len(messages) == count, messages
        return messages

    # ---- Looking at the queue

    def queue_counts(self, url=None):
        """Returns the number of visible, in-flight and delayed records. The default is the events queue."""
        names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]
        found = self.sqs.get_queue_attributes(QueueUrl=url or self.queue_url, AttributeNames=names)
        return [int(found["Attributes"][name]) for name in names]

    def drained(self, limit_s=ARRIVAL_LIMIT_S):
        """Waits until the events queue is completely empty, so that nothing more can be sent."""
        waiting.until(lambda: not any(self.queue_counts()), "the events queue is empty", limit_s)
