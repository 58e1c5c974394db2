"""A message as Segment's SDKs send it, and what makes it one that can be kept. Pure rules.

Source of the shapes: Segment's public specification of its HTTP tracking API and of the calls identify, track, page,
screen, group and alias.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson

from cdp.errors import CdpError
from cdp.intake.instants import FUTURE_AT_MOST, InstantOutOfRangeError, parse_instant
from cdp.store.engagement_schema import EVENT_KINDS
from cdp.store.instants import format_instant

MESSAGE_BYTES_LIMIT = 32 * 1024
BATCH_BYTES_LIMIT = 500 * 1024
ID_LIMIT = 190
NAME_LIMIT = 500

# A visitor that nobody named yet has a record of this key; no user id may look like one.
ANONYMOUS = "anonymous:"

# What programs send where they have no id: whoever is named by one is everybody. Compared without regard to case.
PLACEHOLDERS = frozenset(
    {
        *("undefined", "null", "none", "nil", "nan", "n/a", "-", "0", "-1", "true", "false"),
        *("anonymous", "unknown", "[object object]", "00000000-0000-0000-0000-000000000000"),
    }
)
_OF_PEOPLE = ("userId", "anonymousId", "previousId")

# What says nothing of the person, and may differ between two deliveries of one message.
_OF_THE_DELIVERY = ("sentAt", "writeKey", "receivedAt", "_metadata", "integrations")


class RefusedMessageError(CdpError):
    """A message that cannot be kept. code: one of the reasons of docs/segment.md; pointer: into the message."""

    reason = "message_refused"

    def __init__(self, code: str, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.code, self.pointer = code, pointer


@dataclass(frozen=True)
class Delivery:
    """What a request says of all its messages. sent_at: by the sender's clock, None where it did not say.

    is_historical: times are given as they were, by a clock that was right. new_id: for messages that can be told from
    no other."""

    received_at: datetime
    sent_at: datetime | None = None
    is_historical: bool = False
    new_id: Callable[[], str] = lambda: uuid4().hex


@dataclass(frozen=True)
class Message:
    """occurred_at: by our clock. properties: the traits of identify; of group and alias also the id they name."""

    message_id: str
    kind: str
    name: str | None
    user_id: str | None
    anonymous_id: str | None
    previous_id: str | None
    occurred_at: datetime
    properties: Mapping[str, Any]
    context: Mapping[str, Any]

    @property
    def record_key(self) -> str:
        """The key of the record it belongs to."""
        return self.user_id or anonymous_key(self.anonymous_id or "")


def anonymous_key(anonymous_id: str) -> str:
    return f"{ANONYMOUS}{anonymous_id}"


def read_message(values: object, delivery: Delivery, *, kind: str | None = None) -> Message:
    """Raises RefusedMessageError for the first thing that is wrong. Kind: where the address says it."""
    if not isinstance(values, Mapping):
        raise RefusedMessageError("wrong_type", "a message is an object")
    _check_content(values)
    kind = kind or _kind(values)
    user_id, anonymous_id = _id(values, "userId"), _id(values, "anonymousId")
    if user_id is None and (anonymous_id is None or kind == "alias"):
        wanted = "userId" if kind == "alias" else "userId or anonymousId"
        raise RefusedMessageError("missing", f"{wanted} is missing", "/userId")
    previous_id = _required_id(values, "previousId") if kind == "alias" else None
    group_id = _required_id(values, "groupId") if kind == "group" else None
    return Message(
        message_id=_id(values, "messageId") or _own_id(values, delivery),
        kind=kind,
        name=_name(values, kind),
        user_id=user_id,
        anonymous_id=anonymous_id,
        previous_id=previous_id,
        occurred_at=_occurred_at(values, delivery),
        properties=_properties(values, kind, previous_id=previous_id, group_id=group_id),
        context=_object(values, "context"),
    )


def _own_id(values: Mapping[str, Any], delivery: Delivery) -> str:
    """Of a message without one: what it says, and when it happened or was sent. Where it says neither, it may be said
    twice and mean it, as by who puts the same product into the cart again: then each is one of its own."""
    if any(values.get(name) is not None for name in ("timestamp", "originalTimestamp")):
        return f"hash:{message_hash(values)}"
    sent_at = parse_sent_at(values.get("sentAt"))
    if sent_at is None:
        return f"own:{delivery.new_id()}"
    return f"hash:{message_hash([message_hash(values), format_instant(sent_at)])}"


def parse_sent_at(value: object) -> datetime | None:
    """None for what is no time: without it times are taken as they are given."""
    try:
        return parse_instant(value, UTC) if isinstance(value, str) else None
    except ValueError:
        return None


def message_hash(values: object) -> str:
    """The same for two deliveries of one message."""
    if isinstance(values, Mapping):
        values = {name: value for name, value in values.items() if name not in _OF_THE_DELIVERY}
    # Also of what cannot be kept: half characters, numbers of any size.
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def _check_content(values: Mapping[str, Any]) -> None:
    try:
        raw = orjson.dumps(values)
    except orjson.JSONEncodeError as error:
        message = "a number is out of range, send it as text; or a text holds half a character"
        raise RefusedMessageError("number_too_large", message) from error
    if len(raw) > MESSAGE_BYTES_LIMIT:
        raise RefusedMessageError(
            "message_too_large", f"the message has {len(raw):,} bytes and may have {MESSAGE_BYTES_LIMIT:,}"
        )
    if b"\\u0000" in raw and any("\0" in text for text in _texts(values)):
        raise RefusedMessageError("malformed", "a text holds NUL")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield name
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _kind(values: Mapping[str, Any]) -> str:
    kind = values.get("type")
    if kind is None:
        raise RefusedMessageError("missing", "type is missing", "/type")
    if kind not in EVENT_KINDS:
        raise RefusedMessageError("unknown_type", f"type is one of {', '.join(EVENT_KINDS)}", "/type")
    return str(kind)


def _id(values: Mapping[str, Any], field: str) -> str | None:
    """An id; a whole number counts as its digits."""
    value = values.get(field)
    if value is None:
        return None
    if type(value) not in (str, int):
        raise RefusedMessageError("wrong_type", f"{field} is a text", f"/{field}")
    text = str(value).strip()
    if len(text) > ID_LIMIT:
        raise RefusedMessageError("too_long", f"{field} is longer than {ID_LIMIT} characters", f"/{field}")
    if not text.isprintable():
        raise RefusedMessageError("unprintable", f"{field} holds characters that do not print", f"/{field}")
    if field in _OF_PEOPLE:
        _check_id_of_person(field, text)
    return text or None


def _check_id_of_person(field: str, text: str) -> None:
    if field != "anonymousId" and text.startswith(ANONYMOUS):
        message = f"a {field} does not begin with {ANONYMOUS}; a visitor's id stands alone"
        raise RefusedMessageError("reserved", message, f"/{field}")
    if text.casefold() in PLACEHOLDERS:
        message = f"{field} names nobody; leave it out where there is no id"
        raise RefusedMessageError("placeholder", message, f"/{field}")


def _required_id(values: Mapping[str, Any], field: str) -> str:
    found = _id(values, field)
    if found is None:
        raise RefusedMessageError("missing", f"{field} is missing", f"/{field}")
    return found


def _name(values: Mapping[str, Any], kind: str) -> str | None:
    """Of what happened, or of the page or screen."""
    field = {"track": "event", "page": "name", "screen": "name"}.get(kind)
    if field is None:
        return None
    name = values.get(field)
    if kind == "track" and (name is None or name == ""):
        raise RefusedMessageError("missing", "event is missing", "/event")
    if name is not None and not isinstance(name, str):
        raise RefusedMessageError("wrong_type", f"{field} is a text", f"/{field}")
    if name and len(name) > NAME_LIMIT:
        raise RefusedMessageError("too_long", f"{field} is longer than {NAME_LIMIT} characters", f"/{field}")
    return name or None


def _properties(
    values: Mapping[str, Any], kind: str, *, previous_id: str | None, group_id: str | None
) -> Mapping[str, Any]:
    match kind:
        case "identify":
            return _object(values, "traits")
        case "group":
            return {"groupId": group_id, "traits": _object(values, "traits")}
        case "alias":
            return {"previousId": previous_id}
    properties = _object(values, "properties")
    category = values.get("category")
    return {"category": category, **properties} if isinstance(category, str) and category else properties


def _object(values: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = values.get(field)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RefusedMessageError("wrong_type", f"{field} is an object", f"/{field}")
    return value


def _occurred_at(values: Mapping[str, Any], delivery: Delivery) -> datetime:
    """When it happened by our clock: what the sender's clock was off by shows in when it says the message was sent."""
    field = "timestamp" if values.get("timestamp") is not None else "originalTimestamp"
    stated = values.get(field)
    if stated is None:
        return delivery.received_at
    try:
        moment = parse_instant(stated if isinstance(stated, str) else "", UTC)
        sent_at = delivery.sent_at or parse_sent_at(values.get("sentAt"))
        if sent_at is not None and not delivery.is_historical:
            moment = delivery.received_at - (sent_at - moment)
    except InstantOutOfRangeError as error:
        raise RefusedMessageError("timestamp", "a time is of the years 1900 to 9999", f"/{field}") from error
    except (ValueError, OverflowError) as error:
        message = "not an ISO 8601 time such as 2026-11-20T12:00:00.000Z"
        raise RefusedMessageError("timestamp", message, f"/{field}") from error
    if moment > delivery.received_at + FUTURE_AT_MOST:
        message = "it lies in the future; send the time when it happened"
        raise RefusedMessageError("future", message, f"/{field}")
    if moment.year < 1900:
        raise RefusedMessageError("timestamp", "a time is of the years 1900 to 9999", f"/{field}")
    return moment
