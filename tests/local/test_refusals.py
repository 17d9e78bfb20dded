"""The requests that the bridge refuses. No input breaks the bridge."""

import json

import pytest

from support.bridge import order_event, problem

KIB = 1024


def pointers(document):
    return [error["pointer"] for error in document["errors"]]


def without(event, path):
    """Returns the event without the member at a path such as `data.customer`."""
    *parents, last = path.split(".")
    place = event
    for name in parents:
        place = place[name]
    del place[last]
    return event


# ---- The documented refusals


@pytest.mark.parametrize("key", ["", "nonsense", "pwb_unknown_c2VjcmV0", "pwb_", "è"])
def test_no_or_a_wrong_key_is_401(run, key):
    problem(run.bridge.post(order_event(), key=key.encode()), 401)


def test_a_key_in_the_query_string_is_401(run):
    path = f"/v1/events?api_key={run.bridge.api_key}"
    problem(run.bridge.post(order_event(), path, key=""), 401)


@pytest.mark.parametrize(
    "body", [b"{", b"", b"not json", b'{"id":"\xff\xfe"}', b"\x00", json.dumps(order_event())[:-1].encode()]
)
def test_a_body_that_is_not_json_is_400(run, body):
    problem(run.bridge.post(body), 400)


def test_more_than_64_kib_is_413_even_without_a_key(run):
    body = order_event(padding="x" * (70 * KIB))
    problem(run.bridge.post(body), 413)
    problem(run.bridge.post(body, key=""), 413)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", None])
def test_another_content_type_is_415(run, content_type):
    problem(run.bridge.post(json.dumps(order_event()).encode(), content_type=content_type), 415)


@pytest.mark.parametrize(
    "path",
    [
        "id",
        "type",
        "occurred_at",
        "data",
        "data.customer",
        "data.customer.id",
        "data.order",
        "data.order.id",
        "data.order.status",
        "data.order.total",
    ],
)
def test_a_missing_field_is_422_with_its_pointer(run, path):
    document = problem(run.bridge.post(without(order_event(), path)), 422)
    assert pointers(document) == ["/" + path.replace(".", "/")]


@pytest.mark.parametrize(
    "moment", ["2026-11-22T10:15:00", "2026-11-22", "yesterday", 1795342500, "2999-01-01T00:00:00+01:00"]
)
def test_a_time_without_offset_or_in_the_future_is_422(run, moment):
    document = problem(run.bridge.post(order_event(occurred_at=moment)), 422)
    assert pointers(document) == ["/occurred_at"]


def test_an_unknown_type_is_422_with_the_known_ones(run):
    document = problem(run.bridge.post(order_event(type="order.exploded")), 422)
    assert "order.status_changed" in document["known_types"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/event", "/v2/events", "/v1/events/1", "/v1/events/validate/1"])
def test_another_path_is_the_gateways_own_404(run, path):
    answer = run.bridge.post(order_event(), path)
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


# ---- Nasty input

DEEP = 30_000

NASTY = {
    "deep arrays": b"[" * DEEP,
    "deep objects": b'{"a":' * (DEEP // 5),
    "deep and closed": b'{"id":"x","data":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "a number without end": b'{"id":' + b"9" * 60_000 + b"}",
    "an exponent without end": b'{"id":1e999999999}',
    "a huge amount": json.dumps(order_event()).replace("129.90", "9" * 5000).encode(),
    "an amount with a huge exponent": json.dumps(order_event()).replace('"129.90"', '"1e2147483647"').encode(),
    "a huge count": json.dumps(order_event()).replace('"item_count": 3', '"item_count": 1e400').encode(),
    "a NUL as it is": json.dumps(order_event()).replace("Anna", "An\x00na").encode(),
    "half a surrogate pair": json.dumps(order_event()).replace("Anna", "\\ud800").encode(),
    "a list": b"[1,2,3]",
    "null": b"null",
    "the same member twice": b'{"id":"a","id":"b"}',
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(order_event()).encode(),
    "UTF-16": json.dumps(order_event()).encode("utf-16"),
}


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/batch", "/v1/events/validate"])
@pytest.mark.parametrize("name", NASTY)
def test_hostile_input_never_causes_a_server_error(run, name, path):
    answer = run.bridge.post(NASTY[name], path)
    assert answer.status_code < 500, (answer.status_code, answer.text)
    if answer.status_code >= 400:
        problem(answer, answer.status_code)


def test_a_nul_in_a_name_is_removed(run):
    event = order_event()
    event["data"]["customer"]["first_name"] = "An\x00na"
    run.bridge.accept(event)
    (message,) = run.bridge.arrived(1)
    assert "Anna" in message["text"]


def test_no_worker_of_receive_event_was_lost_on_the_way(run):
    assert "receive-event | process ended" not in run.output()
    run.bridge.accept(order_event())
    run.bridge.arrived(1)
