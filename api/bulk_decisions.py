"""POST /v1/candidates/decisions: one decision about a chosen set of candidates, each decided by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import requires_scope
from api.decisions import DecisionSchema
from api.dumping import dump_of
from api.errors import PROBLEMS
from api.fields import TextField
from api.idempotency import (
    REPLAYED,
    REQUIRED_IDEMPOTENCY_HEADER,
    answer_once,
    key_refused,
    once,
    read_idempotency_key,
)
from api.inputs import ApiBlueprint, read_purpose
from api.masks import SHOWN
from api.profile_views import json_response
from api.rulings import read_order
from api.service import current_service
from api.snapshots import snapshot
from cdp.idempotency import Answer, Call, Once, carry_out_once
from cdp.identity.resolution_runs import select_version_in_use
from cdp.stewardship.bulk import AT_MOST, BulkResult, Chosen, Ruled, decide_all
from cdp.stewardship.confirmations import REASONS_FOR_TWO, Pending
from cdp.stewardship.desk_rules import desk_rules
from cdp.stewardship.errors import RulingRefusedError
from cdp.store import retry_write

blueprint = ApiBlueprint(
    "bulk_decisions", __name__, url_prefix="/v1/candidates", description="Several merge candidates at once"
)

OUTCOMES = ("decided", "waiting", "refused")


class ChosenCandidateSchema(ma.Schema):
    candidate_id = ma.fields.Integer(
        required=True, strict=True, validate=ma.validate.Range(min=1, max=2**63 - 1)
    )
    etag = ma.fields.String(
        required=True,
        validate=ma.validate.Length(min=1, max=100),
        metadata={"description": "Of the candidate as the steward saw it, as the queue tells it."},
    )


class BulkDecisionSchema(DecisionSchema):
    candidates = ma.fields.List(
        ma.fields.Nested(ChosenCandidateSchema),
        required=True,
        validate=ma.validate.Length(min=1, max=AT_MOST),
        metadata={"description": "Each counts once."},
    )


class RefusedDecisionSchema(ma.Schema):
    """Why this one was not decided; the decision about it alone would be refused with the same."""

    code = TextField(SHOWN, required=True, metadata={"examples": ["candidate_changed"]})
    status = ma.fields.Integer(required=True, metadata={"examples": [412]})
    detail = TextField(SHOWN, required=True)
    action_ids = ma.fields.List(
        ma.fields.Integer(), required=True, metadata={"description": "The rulings that stand in the way."}
    )


class BulkResultSchema(ma.Schema):
    """What came of one of the candidates."""

    candidate_id = ma.fields.Integer(required=True)
    outcome = TextField(
        SHOWN,
        required=True,
        metadata={
            "enum": list(OUTCOMES),
            "description": "`waiting`: it takes a second person, and this was the first.",
        },
    )
    action_id = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "Undo it by this; null where not decided."}
    )
    ledger_entry_ids = ma.fields.List(ma.fields.Integer(), required=True)
    why = ma.fields.List(
        TextField(SHOWN, metadata={"enum": list(REASONS_FOR_TWO)}),
        required=True,
        metadata={"description": "Why it takes two people; empty where it does not wait."},
    )
    problem = ma.fields.Nested(RefusedDecisionSchema, required=True, allow_none=True)


class BulkResultsSchema(ma.Schema):
    data = ma.fields.List(
        ma.fields.Nested(BulkResultSchema),
        required=True,
        metadata={"description": "In the order of the request."},
    )
    decided_count = ma.fields.Integer(required=True)
    waiting_count = ma.fields.Integer(required=True)
    refused_count = ma.fields.Integer(required=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)


_dump_results = dump_of(BulkResultsSchema())


@blueprint.post("/decisions")
@requires_scope("candidates:decide")
@blueprint.doc(operationId="decideCandidates", parameters=[REQUIRED_IDEMPOTENCY_HEADER])
@blueprint.arguments(BulkDecisionSchema())
@blueprint.response(200, BulkResultsSchema, headers=REPLAYED)
@key_refused(blueprint, is_required=True)
def decide_candidates(body: dict[str, Any]) -> Response:
    """Decide several merge candidates alike

    Each by itself, with its own action, ledger entries and undo: what changed since, what another one works on and
    what a ruling in force contradicts is refused with its reason and stops no other. Sent again with its key after
    a failure, it goes on where it ended.
    """
    # The answer tells of nobody, and so keeps no purpose; one that is none is refused as everywhere.
    read_purpose()
    order = read_order(body["reason"], dry_run=False)
    service = current_service()
    chosen = [Chosen(each["candidate_id"], each["etag"]) for each in body["candidates"]]

    def act(call: Call | None) -> Response:
        rules = desk_rules(service.settings)
        results = decide_all(
            service.resolver(),
            chosen,
            body["decision"],
            order,
            rules,
            once_of=lambda candidate_id: _once_of(call, candidate_id),
        )
        told = [_told(each) for each in results]
        version = _version_in_use()
        kept: Once[Any] | None = once(call, lambda told: _respond(told, version), lambda _: ())
        retry_write(
            service.store.engine(), lambda connection: carry_out_once(connection, kept, lambda _: told)
        )
        return _respond(told, version)

    return answer_once(read_idempotency_key(is_required=True), act)


def _once_of(call: Call | None, candidate_id: int) -> Once[Ruled] | None:
    """Of one candidate of the call. No caller's own key has a space in it."""
    if call is None:
        return None
    own = replace(call, idempotency_key=f"{call.idempotency_key} {candidate_id}")
    return Once(own, lambda ruled: Answer(200, json.dumps(_told_ruled(candidate_id, ruled)).encode(), (), {}))


def _told(result: BulkResult) -> dict[str, Any]:
    if result.answered is not None:
        told: dict[str, Any] = json.loads(result.answered.body)
        return told
    if result.refusal is not None:
        return _told_refusal(result.candidate_id, result.refusal)
    ruled = result.outcome or result.pending
    assert ruled is not None
    return _told_ruled(result.candidate_id, ruled)


def _told_ruled(candidate_id: int, ruled: Ruled) -> dict[str, Any]:
    if isinstance(ruled, Pending):
        return _result(candidate_id, "waiting", why=list(ruled.why))
    return _result(
        candidate_id, "decided", action_id=ruled.action_id, ledger_entry_ids=list(ruled.ledger_entry_ids)
    )


def _told_refusal(candidate_id: int, refusal: RulingRefusedError) -> dict[str, Any]:
    problem = {
        "code": refusal.reason,
        "status": PROBLEMS[refusal.reason].status,
        "detail": str(refusal),
        "action_ids": refusal.action_ids,
    }
    return _result(candidate_id, "refused", problem=problem)


def _result(candidate_id: int, outcome: str, **particulars: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"action_id": None, "ledger_entry_ids": [], "why": [], "problem": None}
    return {"candidate_id": candidate_id, "outcome": outcome, **nothing, **particulars}


def _respond(told: list[dict[str, Any]], version: int | None) -> Response:
    counts = {f"{name}_count": sum(each["outcome"] == name for each in told) for name in OUTCOMES}
    return json_response(_dump_results({"data": told, **counts, "model_version": version}))


def _version_in_use() -> int | None:
    with snapshot() as connection:
        return select_version_in_use(connection)
