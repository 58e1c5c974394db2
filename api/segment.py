"""POST /v1/identify, /track, /page, ..., /batch, /import: Segment's SDKs work by changing the host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import marshmallow as ma
from flask import Response, request

from api.auth import current_caller, requires_scope
from api.errors import Problem
from api.idempotency import (
    KEY_REUSED,
    OPTIONAL_IDEMPOTENCY_HEADER,
    REPLAYED,
    answer_once,
    key_refused,
    once,
    read_idempotency_key,
)
from api.inputs import ApiBlueprint, Flaw, find_flaw, read_flawed_json
from api.profile_views import json_response
from api.segment_schemas import (
    BATCH_AT_MOST,
    SegmentAliasSchema,
    SegmentAnswerSchema,
    SegmentBatchAnswerSchema,
    SegmentBatchSchema,
    SegmentGroupSchema,
    SegmentIdentifySchema,
    SegmentPageSchema,
    SegmentTrackSchema,
)
from api.service import current_service
from cdp.engagement.message import (
    BATCH_BYTES_LIMIT,
    MESSAGE_BYTES_LIMIT,
    Delivery,
    Message,
    RefusedMessageError,
    parse_sent_at,
    read_message,
)
from cdp.engagement.receive_messages import Received, receive_messages
from cdp.engagement.rejected_messages import Rejection, reject
from cdp.idempotency import Call

blueprint = ApiBlueprint(
    "segment", __name__, url_prefix="/v1", description="Events, as Segment's SDKs send them"
)

_KEPT = {"success": True}
_OF_A_USER = {"userId": "u-481", "messageId": "m-1", "timestamp": "2026-11-20T12:00:00.000Z"}
_TRAITS = {"email": "ana@example.com", "name": "Ana Reis", "phone": "+55 11 98765-4321"}
_PRODUCT = {"product_id": "p-1", "name": "Keyboard", "price": 250.0, "quantity": 1}
_IDENTIFY_EXAMPLE = {**_OF_A_USER, "anonymousId": "a-7f3c", "traits": _TRAITS}
_TRACK_EXAMPLE = {**_OF_A_USER, "event": "Product Added", "properties": _PRODUCT}
_BATCH_EXAMPLE = {
    "sentAt": "2026-11-20T12:00:01.000Z",
    "batch": [
        {"type": "identify", **_IDENTIFY_EXAMPLE},
        {"type": "track", **_TRACK_EXAMPLE, "messageId": "m-2"},
    ],
}

View = Callable[[], Response]


def _call(
    path: str,
    schema: type[ma.Schema],
    example: Mapping[str, Any],
    *,
    answer: type[ma.Schema] = SegmentAnswerSchema,
) -> Callable[[View], Any]:
    """A route with all that these calls have in common."""
    body = {"required": True, "content": {"application/json": {"schema": schema, "example": dict(example)}}}
    operation = f"segment{path.strip('/').capitalize()}"
    refused = f"The message cannot be kept; `errors` says why. {KEY_REUSED}"
    around = [
        key_refused(blueprint, is_required=False),
        blueprint.refuses(503, "The store is busy, or must be resolved first"),
        blueprint.refuses(422, refused),
        blueprint.refuses(413, "The message or the batch is too large"),
        blueprint.refuses(403, "The key lacks the scope, or is not bound to exactly one source"),
        blueprint.response(200, answer, example=_KEPT, headers=REPLAYED),
        blueprint.doc(operationId=operation, requestBody=body, parameters=[OPTIONAL_IDEMPOTENCY_HEADER]),
        requires_scope("segment:write"),
        blueprint.post(path),
    ]

    def described(view: View) -> Any:
        made: Any = view
        for decorate in around:
            made = decorate(made)
        return made

    return described


@_call("/identify", SegmentIdentifySchema, _IDENTIFY_EXAMPLE)
def identify() -> Response:
    """Say who somebody is

    Its traits make the record of the user, or of the visitor who has no name yet. Of each trait the value said last
    stands, by the time of the message, whatever the order of arrival. A visitor and a user that are named together
    are one person, unless the visitor's device turns out to be shared.
    """
    return _receive_one("identify")


@_call("/track", SegmentTrackSchema, _TRACK_EXAMPLE)
def track() -> Response:
    """Say what somebody did

    The events of Segment's e-commerce specification make orders, carts and wish lists.
    """
    return _receive_one("track")


@_call("/page", SegmentPageSchema, {**_OF_A_USER, "name": "Home", "properties": {"path": "/"}})
def page() -> Response:
    """Say which page somebody saw"""
    return _receive_one("page")


@_call("/screen", SegmentPageSchema, {**_OF_A_USER, "name": "Start"})
def screen() -> Response:
    """Say which screen of an app somebody saw"""
    return _receive_one("screen")


@_call("/group", SegmentGroupSchema, {**_OF_A_USER, "groupId": "g-1", "traits": {"name": "Acme"}})
def group() -> Response:
    """Say which company somebody belongs to

    It becomes the attribute `company` and joins nobody.
    """
    return _receive_one("group")


@_call("/alias", SegmentAliasSchema, {**_OF_A_USER, "previousId": "a-7f3c"})
def alias() -> Response:
    """Say that a former id is a user's

    The records of both ids are held to be one person, by an action that a steward can take back.
    """
    return _receive_one("alias")


@_call("/batch", SegmentBatchSchema, _BATCH_EXAMPLE, answer=SegmentBatchAnswerSchema)
def batch() -> Response:
    """Send many messages

    Up to 500 KB, and 32 KB a message. Each is kept or rejected for itself: the answer is 200 all the same, since the
    same messages sent again would be rejected again, and `rejected` says which and why.
    """
    return _receive_batch(is_historical=False)


@_call("/import", SegmentBatchSchema, _BATCH_EXAMPLE, answer=SegmentBatchAnswerSchema)
def import_batch() -> Response:
    """Send messages of former times

    As a batch; their times are taken as they are, without correcting the sender's clock.
    """
    return _receive_batch(is_historical=True)


def _receive_one(kind: str) -> Response:
    source, now = _source(), current_service().clock()
    values, is_flawed = read_flawed_json(request, elements_of="", unpacked_limit=MESSAGE_BYTES_LIMIT)
    if isinstance(values, Flaw):
        raise Problem("malformed_json", values.detail)
    taken = _read(0, values, Delivery(now), kind=kind, is_flawed=is_flawed)
    return _receive(source, [taken], _respond_to_one)


def _respond_to_one(received: Received) -> Response:
    if received.rejections:
        [only] = received.rejections
        error = {"pointer": only.pointer, "detail": only.detail, "code": only.code}
        raise Problem("message_refused", errors=[error])
    return json_response(_KEPT)


def _receive_batch(*, is_historical: bool) -> Response:
    source, now = _source(), current_service().clock()
    body, is_flawed = read_flawed_json(request, elements_of="batch", unpacked_limit=BATCH_BYTES_LIMIT)
    if isinstance(body, Flaw):
        raise Problem("malformed_json", body.detail)
    listed = body.get("batch") if isinstance(body, dict) else None
    if not isinstance(listed, list) or len(listed) > BATCH_AT_MOST:
        detail = f"Give a list of {BATCH_AT_MOST:,} messages at most."
        raise Problem("validation_failed", errors=[{"pointer": "/batch", "detail": detail}])
    delivery = Delivery(now, parse_sent_at(body.get("sentAt")), is_historical)
    context = body.get("context")
    shared = context if isinstance(context, dict) and find_flaw(context) is None else {}
    taken = [
        _read(index, _with_context(each, shared), delivery, is_flawed=is_flawed)
        for index, each in enumerate(listed)
    ]
    return _receive(source, taken, _respond_to_batch)


def _respond_to_batch(received: Received) -> Response:
    rejected = [
        {
            "index": each.index,
            "messageId": each.message_id,
            "code": each.code,
            "pointer": f"/batch/{each.index}{each.pointer}",
            "detail": each.detail,
        }
        for each in received.rejections
    ]
    return json_response({**_KEPT, "rejected": rejected} if rejected else _KEPT)


def _receive(
    source: str, taken: list[Message | Rejection], respond: Callable[[Received], Response]
) -> Response:
    caller, service = current_caller(), current_service()
    # A problem that is raised within the write would take back the note of what was refused; and it is the same answer
    # each time, without being kept under the caller's key.
    is_kept = respond is _respond_to_batch or all(isinstance(each, Message) for each in taken)

    def act(call: Call | None) -> Response:
        received = receive_messages(
            service.resolver(),
            taken,
            source=source,
            author=f"key:{caller.key_id}",
            now=service.clock(),
            once=once(call, respond, lambda _: ()) if is_kept else None,
        )
        return respond(received)

    return answer_once(read_idempotency_key(is_required=False), act)


def _source() -> str:
    """The one that the key is bound to: its messages are that source's."""
    sources = current_caller().sources
    if sources is None or len(sources) != 1:
        bound = "to none" if not sources else f"to {len(sources)}"
        detail = f"It is bound {bound}: make one with `cdp key create --scope segment:write --source NAME`."
        raise Problem("write_key_unbound", detail)
    [source] = sources
    return source


def _read(
    index: int, values: object, delivery: Delivery, *, kind: str | None = None, is_flawed: bool
) -> Message | Rejection:
    flaw = find_flaw(values) if is_flawed else None
    try:
        if flaw is not None:
            raise RefusedMessageError("malformed", flaw[1], flaw[0])
        return read_message(values, delivery, kind=kind)
    except RefusedMessageError as error:
        return reject(index, values, error)


def _with_context(message: object, shared: Mapping[str, Any]) -> object:
    """What the batch says for all of its messages, where a message does not say otherwise."""
    if not shared or not isinstance(message, dict):
        return message
    own = message.get("context")
    if own is not None and not isinstance(own, dict):
        return message
    return {**message, "context": {**shared, **(own or {})}}
