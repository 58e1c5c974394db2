"""Segment's calls over HTTP: who may send, what is kept, what is refused and how that is told."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from cdp.engagement.message import BATCH_BYTES_LIMIT, MESSAGE_BYTES_LIMIT
from cdp.identity.verify import verify_store
from cdp.store import schema
from tests.api.conftest import Caller
from tests.builders import NOW, StoreBuilder

ANA = {"email": "ana@example.com", "name": "Ana Reis", "birthday": "1980-02-29"}
IDENTIFY = {"userId": "u-1", "messageId": "m-1", "traits": ANA}
PAGE = {"type": "page", "anonymousId": "a-1", "messageId": "m-9", "name": "Home"}
PRODUCT = {"product_id": "p-1", "name": "Keyboard", "price": 50, "quantity": 2}


@pytest.fixture
def sender(client: FlaskClient, people: StoreBuilder) -> Iterator[Caller]:
    """A write key of the source web; after the test the store's invariants hold."""
    people.add_sources("web", "crm")
    yield Caller(client, people.add_key("segment:write", sources=["web"]))
    assert verify_store(people.engine, partition=False).breaches == []


@pytest.fixture
def lite_sender(lite_client: FlaskClient, lite_people: StoreBuilder) -> Iterator[Caller]:
    """The same on SQLite alone."""
    lite_people.add_sources("web", "crm")
    yield Caller(lite_client, lite_people.add_key("segment:write", sources=["web"]))
    assert verify_store(lite_people.engine, partition=False).breaches == []


def events(people: StoreBuilder) -> list[Any]:
    with people.engine.connect() as connection:
        return list(connection.execute(select(schema.events).order_by(schema.events.c.event_id)).mappings())


def told(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json


@pytest.mark.parametrize(
    ("call", "body", "kind", "name"),
    [
        ("identify", IDENTIFY, "identify", None),
        ("track", {"userId": "u-1", "event": "Signed Up"}, "track", "Signed Up"),
        ("page", {"userId": "u-1", "name": "Home"}, "page", "Home"),
        ("screen", {"anonymousId": "a-1", "name": "Start"}, "screen", "Start"),
        ("group", {"userId": "u-1", "groupId": "g-1", "traits": {"name": "Acme"}}, "group", None),
        ("alias", {"userId": "u-1", "previousId": "a-1"}, "alias", None),
    ],
)
def test_each_call_keeps_its_event(
    lite_sender: Caller, lite_people: StoreBuilder, call: str, body: Any, kind: str, name: str | None
) -> None:
    answer = lite_sender.post(f"/v1/{call}", body)

    [event] = events(lite_people)
    assert told(answer) == {"success": True}
    assert (event["kind"], event["name"]) == (kind, name)


def test_a_batch_keeps_what_can_be_kept_and_tells_of_the_rest(sender: Caller, people: StoreBuilder) -> None:
    answer = sender.post(
        "/v1/batch",
        {
            "batch": [
                {"type": "identify", **IDENTIFY},
                {"type": "track", "messageId": "m-2", "event": "Signed Up"},
                {"type": "wave", "messageId": "m-3", "userId": "u-1"},
                "hello",
                PAGE,
            ],
            "writeKey": "somebody's",
            "sentAt": NOW.isoformat(),
        },
    )

    rejected = told(answer)["rejected"]
    assert [(each["index"], each["messageId"], each["code"], each["pointer"]) for each in rejected] == [
        (1, "m-2", "missing", "/batch/1/userId"),
        (2, "m-3", "unknown_type", "/batch/2/type"),
        (3, None, "wrong_type", "/batch/3"),
    ]
    assert [event["message_id"] for event in events(people)] == ["m-1", "m-9"]


def test_a_batch_sent_again_is_answered_the_same_and_changes_nothing(
    sender: Caller, people: StoreBuilder
) -> None:
    batch = {"batch": [{"type": "identify", **IDENTIFY}, PAGE, {"type": "page"}]}
    first = sender.post("/v1/batch", batch)
    before = events(people)

    again = sender.post("/v1/batch", batch)

    assert told(again) == told(first)
    assert events(people) == before


def test_the_clock_of_the_sender_is_corrected_but_for_imports(sender: Caller, people: StoreBuilder) -> None:
    wrong = NOW - timedelta(days=400)
    sent = {
        "sentAt": wrong.isoformat(),
        "batch": [{**PAGE, "timestamp": (wrong - timedelta(hours=1)).isoformat()}],
    }

    sender.post("/v1/batch", sent)
    sent["batch"][0]["messageId"] = "m-10"
    sender.post("/v1/import", sent)

    corrected, historical = events(people)
    assert corrected["occurred_at"] == NOW - timedelta(hours=1)
    assert historical["occurred_at"] == wrong - timedelta(hours=1)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_a_packed_body_is_read(lite_sender: Caller, lite_people: StoreBuilder, coding: str) -> None:
    packed = gzip.compress(json.dumps({"batch": [PAGE]}).encode())

    answer = post_raw(lite_sender, "/v1/batch", packed, encoding=coding)

    assert told(answer) == {"success": True}
    assert len(events(lite_people)) == 1


def post_raw(sender: Caller, path: str, body: bytes, *, encoding: str | None = None) -> Any:
    headers = {"Content-Encoding": encoding} if encoding else {}
    headers["Authorization"] = f"Bearer {sender.secret}"
    return sender.client.post(path, data=body, content_type="application/json", headers=headers)


BATCH = json.dumps({"batch": [PAGE]}).encode()
BODIES: dict[str, tuple[str, bytes, str | None, int, str]] = {
    "a bomb": ("/v1/batch", gzip.compress(b"[" + b" " * 50_000_000), "gzip", 413, "body_too_large"),
    "half a pack": ("/v1/batch", gzip.compress(BATCH)[:-12], "gzip", 400, "bad_request"),
    "two packs": ("/v1/batch", gzip.compress(BATCH) * 2, "gzip", 400, "bad_request"),
    "more than a pack": ("/v1/batch", gzip.compress(BATCH) + b"more", "gzip", 400, "bad_request"),
    "no pack": ("/v1/batch", BATCH, "gzip", 400, "bad_request"),
    "another packing": ("/v1/batch", zlib.compress(BATCH), "deflate", 415, "unsupported_media_type"),
    "no JSON": ("/v1/batch", b"{", None, 400, "malformed_json"),
    "twice a name": ("/v1/batch", b'{"batch": [], "batch": []}', None, 400, "malformed_json"),
    "no list": ("/v1/batch", b'{"batch": {}}', None, 422, "validation_failed"),
    "a list": ("/v1/batch", b"[]", None, 422, "validation_failed"),
    "too many": ("/v1/batch", b'{"batch": [%b1]}' % (b"1," * 5000), None, 422, "validation_failed"),
    "too large a batch": (
        "/v1/batch",
        json.dumps({"batch": [], "more": "x" * BATCH_BYTES_LIMIT}).encode(),
        None,
        413,
        "body_too_large",
    ),
    "too large a message": (
        "/v1/page",
        json.dumps({**PAGE, "properties": {"x": "y" * MESSAGE_BYTES_LIMIT}}).encode(),
        None,
        413,
        "body_too_large",
    ),
    "nobody": ("/v1/page", b"{}", None, 422, "message_refused"),
    "no object": ("/v1/page", b"1", None, 422, "message_refused"),
    "half a character": ("/v1/page", b'{"userId": "\\ud800"}', None, 422, "message_refused"),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_cannot_be_taken_is_a_problem(lite_sender: Caller, case: str) -> None:
    path, body, encoding, status, code = BODIES[case]

    answer = post_raw(lite_sender, path, body, encoding=encoding)

    assert told(answer, status)["code"] == code


POISON: dict[str, bytes] = {
    "NUL": b'{"type": "page", "userId": "u-1", "properties": {"a": "\\u0000"}}',
    "half a character": b'{"type": "page", "userId": "u-1", "properties": {"\\ud800": 1}}',
    "5,000 digits": b'{"type": "page", "userId": "u-1", "properties": {"a": %b}}' % (b"9" * 5000),
    "30 digits": b'{"type": "page", "userId": "u-1", "properties": {"a": %b}}' % (b"9" * 30),
    "not a number": b'{"type": "page", "userId": "u-1", "properties": {"a": NaN}}',
    "twice a name": b'{"type": "page", "userId": "u-1", "userId": "u-2"}',
    "deep": b'{"type": "page", "userId": "u-1", "properties": %b1%b}' % (b'{"a":' * 5000, b"}" * 5000),
    "too large": b'{"type": "page", "userId": "u-1", "properties": {"a": "%b"}}'
    % (b"x" * MESSAGE_BYTES_LIMIT),
    "a user that looks like a visitor": b'{"type": "page", "userId": "anonymous:a-1"}',
    "a user that does not print": b'{"type": "page", "userId": "a\\u202eb"}',
    "a long user": b'{"type": "page", "userId": "%b"}' % (b"x" * 500),
    "a user that is an object": b'{"type": "page", "userId": {"$ne": null}}',
    "a list of traits": b'{"type": "identify", "userId": "u-1", "traits": []}',
    "next year": b'{"type": "page", "userId": "u-1", "timestamp": "2027-11-22T10:00:00Z"}',
    "no time": b'{"type": "page", "userId": "u-1", "timestamp": "yesterday"}',
    "a time before all": b'{"type": "page", "userId": "u-1", "timestamp": "0001-01-01T00:00:00+14:00"}',
    "a nameless event": b'{"type": "track", "userId": "u-1", "event": ""}',
    "an alias of nobody": b'{"type": "alias", "userId": "u-1"}',
    "an alias of a visitor": b'{"type": "alias", "anonymousId": "a-1", "previousId": "a-2"}',
}


@pytest.mark.parametrize("case", POISON)
def test_a_message_that_cannot_be_kept_stops_itself_alone(
    lite_sender: Caller, lite_people: StoreBuilder, case: str
) -> None:
    body = b'{"batch": [%b, %b]}' % (POISON[case], json.dumps(PAGE).encode())

    answer = post_raw(lite_sender, "/v1/batch", body)

    [rejected] = told(answer)["rejected"]
    assert rejected["index"] == 0
    assert [event["message_id"] for event in events(lite_people)] == ["m-9"]


@pytest.mark.parametrize(
    "sources", [None, ["web", "crm"], ["kiosk"]], ids=["none", "two", "one there is not"]
)
def test_a_key_that_is_not_bound_to_one_source_is_told_what_to_do(
    lite_sender: Caller, lite_people: StoreBuilder, sources: list[str] | None
) -> None:
    unbound = Caller(lite_sender.client, lite_people.add_key("segment:write", sources=sources))

    problem = told(unbound.post("/v1/identify", IDENTIFY), 403)

    assert problem["code"] == "write_key_unbound"
    assert "cdp " in problem["detail"]


def test_the_write_key_comes_as_a_user_name(lite_sender: Caller, lite_people: StoreBuilder) -> None:
    answer = lite_sender.client.post("/v1/identify", json=IDENTIFY, auth=(lite_sender.secret, ""))

    assert told(answer) == {"success": True}
    assert len(events(lite_people)) == 1


def test_a_call_under_a_key_of_its_own_is_answered_again(lite_sender: Caller) -> None:
    first, again = (
        lite_sender.post("/v1/batch", {"batch": [PAGE]}, headers={"Idempotency-Key": "k-1"}) for _ in range(2)
    )

    assert told(again) == told(first)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_refused_message_is_noted_under_a_key_of_its_own_too(sender: Caller, people: StoreBuilder) -> None:
    refused = {"messageId": "m-1"}

    first, again = (sender.post("/v1/page", refused, headers={"Idempotency-Key": "k-1"}) for _ in range(2))

    with people.engine.connect() as connection:
        noted = connection.scalars(select(schema.rejected_messages.c.message_id)).all()
    assert told(first, 422)["code"] == told(again, 422)["code"] == "message_refused"
    assert noted == ["m-1"]


def test_what_a_batch_says_for_all_is_of_each_message_that_says_nothing_else(
    lite_sender: Caller, lite_people: StoreBuilder
) -> None:
    own = {**PAGE, "messageId": "m-10", "context": {"locale": "pt-PT"}}

    lite_sender.post("/v1/batch", {"batch": [PAGE, own], "context": {"locale": "pt-BR", "app": "shop"}})

    first, second = (json.loads(event["context"]) for event in events(lite_people))
    assert first == {"locale": "pt-BR", "app": "shop"}
    assert second == {"locale": "pt-PT", "app": "shop"}


def test_many_messages_are_kept_in_several_writes(lite_sender: Caller, lite_people: StoreBuilder) -> None:
    batch = [{**PAGE, "messageId": f"m-{number}"} for number in range(600)]

    answer = lite_sender.post("/v1/batch", {"batch": batch})

    assert told(answer) == {"success": True}
    assert len(events(lite_people)) == 600
