"""POST /v1/records, /v1/records/batch, DELETE: what channels say about people, resolved as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import marshmallow as ma
import structlog
from flask import Response

from api.auth import current_caller, requires_scope
from api.context import current_request
from api.errors import Problem, invalid, problem_document, refused_record
from api.fields import TextField, ValueField
from api.idempotency import (
    KEY_REUSED,
    OPTIONAL_IDEMPOTENCY_HEADER,
    REPLAYED,
    answer_once,
    key_refused,
    once,
    read_idempotency_key,
)
from api.inputs import ApiBlueprint, Flaw, find_flaw, read_flawed_json, read_json
from api.masks import SHOWN
from api.profile_schemas import RefusalSchema
from api.profile_views import json_response
from api.record_schemas import RECORD_EXAMPLE, IncomingRecordSchema
from api.service import current_service
from api.view_schemas import PROFILE_ID_EXAMPLE
from cdp.idempotency import Call
from cdp.realtime.incoming import RefusedRecordError
from cdp.realtime.ingest import Deleted
from cdp.realtime.ingest import delete_record as delete_stored_record
from cdp.realtime.receive import Received, receive_records

logger = structlog.get_logger(__name__)

RECORDS_AT_MOST = 1000
OUTCOMES = ("created", "attached", "joined", "unchanged", "superseded")

blueprint = ApiBlueprint(
    "records", __name__, url_prefix="/v1/records", description="Records of people, as channels send them"
)


class WrittenRecordSchema(ma.Schema):
    """What became of a record."""

    record_id = ma.fields.Integer(required=True)
    profile_id = TextField(
        SHOWN,
        required=True,
        allow_none=True,
        metadata={
            "description": "Whose it is now; null for a version older than its record's deletion.",
            "examples": [PROFILE_ID_EXAMPLE],
        },
    )
    outcome = TextField(
        SHOWN,
        required=True,
        metadata={
            "enum": list(OUTCOMES),
            "description": "A new profile; a profile that there was; one that absorbed others; the version is "
            "stored already; a newer version is.",
        },
    )
    profiles_joined = ma.fields.List(
        TextField(SHOWN), required=True, metadata={"description": "The ids that its profile absorbed."}
    )
    candidates = ma.fields.List(
        ma.fields.Integer(),
        required=True,
        metadata={
            "description": "All open merge candidates of its profile, older ones too; empty where the "
            "record changed nothing."
        },
    )
    model_version = ma.fields.Integer(required=True)
    match_weight = ma.fields.Float(
        required=True,
        allow_none=True,
        metadata={
            "description": "In bits, of its heaviest pair inside the profile; null when it is alone there, or "
            "nothing changed.",
            "examples": [14.2],
        },
    )
    match_probability = ma.fields.Float(required=True, allow_none=True, metadata={"examples": [0.9999]})
    refusals = ma.fields.List(
        ma.fields.Nested(RefusalSchema),
        required=True,
        metadata={"description": "Values that were not used; an empty `field` is the record as a whole."},
    )


class BatchSchema(ma.Schema):
    records = ma.fields.List(
        ma.fields.Nested(IncomingRecordSchema),
        required=True,
        validate=ma.validate.Length(min=1, max=RECORDS_AT_MOST),
    )


class BatchResultsSchema(ma.Schema):
    results = ma.fields.List(
        ValueField(
            SHOWN,
            metadata={
                "oneOf": [
                    {"$ref": "#/components/schemas/WrittenRecord"},
                    {"$ref": "#/components/schemas/Problem"},
                ]
            },
        ),
        required=True,
        metadata={"description": "In the order of the records, each what became of it or a problem."},
    )


class DeletedRecordSchema(ma.Schema):
    profiles_touched = ma.fields.List(
        TextField(SHOWN, metadata={"examples": [PROFILE_ID_EXAMPLE]}),
        required=True,
        metadata={"description": "The profile that held it, and those that came of it."},
    )
    model_version = ma.fields.Integer(required=True)


_ANSWER_EXAMPLE = {
    "record_id": 12,
    "profile_id": PROFILE_ID_EXAMPLE,
    "outcome": "attached",
    "profiles_joined": [],
    "candidates": [],
    "model_version": 0,
    "match_weight": 14.2,
    "match_probability": 0.9999,
    "refusals": [{"field": "/emails/0", "reason": "junk"}],
}


def _body(schema: type[ma.Schema], example: Any) -> dict[str, Any]:
    """For the description only: what is a record is said by `cdp`, once."""
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


_not_resolved = blueprint.refuses(503, "The store is busy, or must be resolved first")


_key_refused = key_refused(blueprint, is_required=False)


@blueprint.post("")
@requires_scope("records:write")
@blueprint.doc(
    operationId="writeRecord",
    requestBody=_body(IncomingRecordSchema, RECORD_EXAMPLE),
    parameters=[OPTIONAL_IDEMPOTENCY_HEADER],
)
@blueprint.response(
    201,
    WrittenRecordSchema,
    description="The record is new to the store",
    example=_ANSWER_EXAMPLE,
    headers=REPLAYED,
)
@blueprint.alt_response(
    200, schema=WrittenRecordSchema, description="The store knew the record", headers=REPLAYED
)
@blueprint.refuses(422, f"The record is refused; `errors` says why. {KEY_REUSED}")
@_not_resolved
@_key_refused
def write_record() -> Response:
    """Write a record

    `source` and `source_record_id` are its key. Of two versions the one with the later `occurred_at` stands,
    whatever the order of arrival; without `occurred_at` it is of now. The same version again changes nothing.
    Values that cannot be used keep no record out: `refusals` tells them. The profile is resolved when the
    answer comes.
    """
    return _receive([read_json(current_request())], _respond_to_one)


@blueprint.post("/batch")
@requires_scope("records:write")
@blueprint.doc(
    operationId="writeRecords",
    requestBody=_body(BatchSchema, {"records": [RECORD_EXAMPLE]}),
    parameters=[OPTIONAL_IDEMPOTENCY_HEADER],
)
@blueprint.response(200, BatchResultsSchema, example={"results": [_ANSWER_EXAMPLE]}, headers=REPLAYED)
@blueprint.refuses(422, f"There are no records, or too many. {KEY_REUSED}")
@_not_resolved
@_key_refused
def write_records() -> Response:
    """Write up to 1000 records

    Each is taken in or refused for itself: a refused one is a problem at its place in `results`, whose
    pointers lead into the body, and stops no other. Those that are taken in are stored together.
    """
    return _receive(_read_batch(), _respond_to_all)


# A key of a record may hold slashes, even two in a row.
@blueprint.route("/<source>/<path:source_record_id>", methods=["DELETE"], merge_slashes=False)
@requires_scope("records:write")
@blueprint.doc(operationId="deleteRecord", parameters=[OPTIONAL_IDEMPOTENCY_HEADER])
@blueprint.response(200, DeletedRecordSchema, headers=REPLAYED)
@blueprint.refuses(404, "No such record, or not one this key may write")
@_not_resolved
@_key_refused
def delete_record(source: str, source_record_id: str) -> Response:
    """Delete a record

    Its profile is resolved without it. The record comes back only in a version that is younger than the
    deletion.
    """
    caller, service = current_caller(), current_service()
    # What does not print is no key, and not every store can even be asked for it.
    if not caller.may_use_source(source) or not (source + source_record_id).isprintable():
        raise Problem("record_not_found")

    def act(call: Call | None) -> Response:
        deleted = delete_stored_record(
            service.resolver(),
            source,
            source_record_id,
            author=f"key:{caller.key_id}",
            now=service.clock(),
            once=once(call, _respond_to_deletion, lambda deleted: deleted.profiles_touched),
        )
        return _respond_to_deletion(deleted)

    return answer_once(read_idempotency_key(is_required=False), act)


def _respond_to_deletion(deleted: Deleted) -> Response:
    return json_response(
        {"profiles_touched": list(deleted.profiles_touched), "model_version": deleted.model_version}
    )


def _receive(
    records: Sequence[object], respond: Callable[[Sequence[Received | RefusedRecordError]], Response]
) -> Response:
    caller, service = current_caller(), current_service()

    def act(call: Call | None) -> Response:
        received = receive_records(
            service.resolver(),
            service.ingest_queue,
            records,
            sources=caller.sources,
            author=f"key:{caller.key_id}",
            now=service.clock(),
            once=once(call, respond, _profile_ids),
        )
        _log_set_aside(received)
        return respond(received)

    return answer_once(read_idempotency_key(is_required=False), act)


def _respond_to_one(received: Sequence[Received | RefusedRecordError]) -> Response:
    [only] = received
    if isinstance(only, RefusedRecordError):
        raise only
    return json_response(_answer(only), 201 if only.ingested.is_new else 200)


def _respond_to_all(received: Sequence[Received | RefusedRecordError]) -> Response:
    results = [
        problem_document("record_refused", errors=[refused_record(each, f"/records/{place}")])
        if isinstance(each, RefusedRecordError)
        else _answer(each)
        for place, each in enumerate(received)
    ]
    return json_response({"results": results})


def _profile_ids(received: Sequence[Received | RefusedRecordError]) -> set[str]:
    return {each.ingested.profile_id for each in received if isinstance(each, Received)} - {""}


def _log_set_aside(received: Sequence[Received | RefusedRecordError]) -> None:
    for each in received:
        if isinstance(each, Received) and each.ingested.is_set_aside:
            told = each.ingested
            logger.warning("record.set_aside", record_id=told.record_id, model_version=told.model_version)


def _read_batch() -> list[object]:
    """The records as they came. A schema over a thousand of them would cost more than resolving them."""
    body, is_flawed = read_flawed_json(current_request(), elements_of="records")
    if isinstance(body, Flaw):
        raise Problem("malformed_json", body.detail)
    if not isinstance(body, dict):
        raise invalid("", "Give an object with `records`.")
    unknown = next((name for name in body if name != "records"), None)
    if unknown is not None:
        raise invalid(f"/{unknown[:64].replace('~', '~0').replace('/', '~1')}", "Unknown field.")
    records = body.get("records")
    if not isinstance(records, list) or not 0 < len(records) <= RECORDS_AT_MOST:
        raise invalid("/records", f"Give a list of 1 to {RECORDS_AT_MOST} records.")
    return [_without_flaw(each) for each in records] if is_flawed else records


def _without_flaw(record: object) -> object:
    """The record; what to answer for it when a value in it cannot be read."""
    found = find_flaw(record)
    return record if found is None else RefusedRecordError("malformed", found[1], found[0])


def _answer(received: Received) -> dict[str, Any]:
    """As WrittenRecordSchema says, written out: there may be a thousand."""
    ingested = received.ingested
    return {
        "record_id": ingested.record_id,
        "profile_id": ingested.profile_id or None,
        "outcome": ingested.outcome,
        "profiles_joined": list(ingested.profiles_joined),
        "candidates": list(ingested.candidates),
        "model_version": ingested.model_version,
        "match_weight": ingested.match_weight,
        "match_probability": ingested.match_probability,
        "refusals": [{"field": each.field, "reason": each.reason} for each in received.refusals],
    }
