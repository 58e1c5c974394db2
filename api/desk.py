"""POST /v1/candidates/{candidate_id}/claim, release, skip, comments: how stewards work on the queue together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import current_caller, requires_scope
from api.candidates import LeaseSchema
from api.dumping import dump_of
from api.errors import Problem
from api.fields import InstantField, TextField
from api.idempotency import (
    KEY_RUNNING,
    OPTIONAL_IDEMPOTENCY_HEADER,
    REPLAYED,
    answer_work,
    key_refused,
)
from api.inputs import ApiBlueprint, read_purpose
from api.masks import SHOWN
from api.profile_views import json_response
from api.reading import Reading, audit_read
from api.rulings import read_number
from api.service import current_service
from api.snapshots import snapshot
from api.view_schemas import REFERENCE
from cdp.idempotency import Once
from cdp.identity.resolution_runs import select_version_in_use
from cdp.stewardship.candidates import require_candidate
from cdp.stewardship.claim import Claimed, claim, release, skip
from cdp.stewardship.comments import LENGTH, Comment, comment_on_candidate, select_comments
from cdp.stewardship.desk_rules import desk_rules

blueprint = ApiBlueprint(
    "desk", __name__, url_prefix="/v1/candidates", description="Who works on which merge candidate"
)


class ClaimSchema(LeaseSchema):
    candidate_id = ma.fields.Integer(required=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)


class ReleaseSchema(ma.Schema):
    candidate_id = ma.fields.Integer(required=True)
    released = ma.fields.Boolean(
        required=True, metadata={"description": "Whether it was this caller's; false where it was not."}
    )
    model_version = ma.fields.Integer(required=True, allow_none=True)


class SkipSchema(ma.Schema):
    candidate_id = ma.fields.Integer(required=True)
    hidden_until = InstantField(
        required=True,
        metadata={"format": "date-time", "description": "Until then it is not this caller's next."},
    )
    model_version = ma.fields.Integer(required=True, allow_none=True)


class NewCommentSchema(ma.Schema):
    body = ma.fields.String(
        required=True,
        validate=[
            ma.validate.Length(max=LENGTH),
            ma.validate.Regexp(r"(?s).*\S", error="Say something."),
        ],
        metadata={
            "description": "It is kept for good, so name no person in it.",
            "minLength": 1,
            "examples": ["asked the branch for the contract"],
        },
    )


class CommentSchema(ma.Schema):
    """What somebody wrote about a candidate."""

    comment_id = ma.fields.Integer(required=True)
    candidate_id = ma.fields.Integer(required=True)
    author = TextField(SHOWN, required=True, metadata={"examples": ["key:k1"]})
    body = TextField(SHOWN, required=True)
    written_at = InstantField(required=True, metadata={"format": "date-time"})


class WrittenCommentSchema(CommentSchema):
    model_version = ma.fields.Integer(required=True, allow_none=True)


class CommentsSchema(ma.Schema):
    data = ma.fields.List(
        ma.fields.Nested(CommentSchema), required=True, metadata={"description": "The oldest first."}
    )
    model_version = ma.fields.Integer(required=True, allow_none=True)


_dump_claim = dump_of(ClaimSchema())
_dump_release = dump_of(ReleaseSchema())
_dump_skip = dump_of(SkipSchema())
_dump_comment = dump_of(WrittenCommentSchema())
_dump_comments = dump_of(CommentsSchema())

_not_found = blueprint.refuses(404, "No such candidate, or not one this key may know of")


@blueprint.post("/<candidate_id>/claim")
@requires_scope("candidates:decide")
@blueprint.doc(operationId="claimCandidate", parameters=[OPTIONAL_IDEMPOTENCY_HEADER])
@blueprint.response(200, ClaimSchema, headers=REPLAYED)
@_not_found
@blueprint.refuses(
    409, f"It is closed, another one works on it: `held_by`, or this caller left it unsure. {KEY_RUNNING}"
)
@key_refused(blueprint, is_required=False)
def claim_candidate(candidate_id: str) -> Response:
    """Claim a merge candidate

    Nobody else decides it until `expires_at`; claimed again, it is held for longer. Safe to repeat.
    """
    chosen, author, version = _read_work(candidate_id)
    service = current_service()

    def take(once: Once[Claimed] | None) -> Claimed:
        rules, now = desk_rules(service.settings), service.clock()
        return claim(service.store.engine(), chosen, rules, author=author, now=now, once=once)

    def respond(taken: Claimed) -> Response:
        return json_response(_dump_claim({**vars(taken.lease), "model_version": version}))

    return answer_work(take, respond)


@blueprint.post("/<candidate_id>/release")
@requires_scope("candidates:decide")
@blueprint.doc(operationId="releaseCandidate", parameters=[OPTIONAL_IDEMPOTENCY_HEADER])
@blueprint.response(200, ReleaseSchema, headers=REPLAYED)
@_not_found
@key_refused(blueprint, is_required=False)
def release_candidate(candidate_id: str) -> Response:
    """Give a claimed candidate back

    Anybody may take it then. Safe to repeat.
    """
    chosen, author, version = _read_work(candidate_id)
    service = current_service()
    with snapshot() as connection:
        require_candidate(connection, chosen)

    def give_back(once: Once[bool] | None) -> bool:
        return release(service.store.engine(), chosen, author=author, now=service.clock(), once=once)

    def respond(released: bool) -> Response:
        document = {"candidate_id": chosen, "released": released, "model_version": version}
        return json_response(_dump_release(document))

    return answer_work(give_back, respond)


@blueprint.post("/<candidate_id>/skip")
@requires_scope("candidates:decide")
@blueprint.doc(operationId="skipCandidate", parameters=[OPTIONAL_IDEMPOTENCY_HEADER])
@blueprint.response(200, SkipSchema, headers=REPLAYED)
@_not_found
@blueprint.refuses(409, f"It is closed, or another one works on it: `held_by`. {KEY_RUNNING}")
@key_refused(blueprint, is_required=False)
def skip_candidate(candidate_id: str) -> Response:
    """Put a candidate off

    It goes back to the queue, for others at once. Safe to repeat: it is put off anew.
    """
    chosen, author, version = _read_work(candidate_id)
    service = current_service()

    def put_off(once: Once[datetime] | None) -> datetime:
        rules, now = desk_rules(service.settings), service.clock()
        return skip(service.store.engine(), chosen, rules, author=author, now=now, once=once)

    def respond(until: datetime) -> Response:
        document = {"candidate_id": chosen, "hidden_until": until, "model_version": version}
        return json_response(_dump_skip(document))

    return answer_work(put_off, respond)


@blueprint.get("/<candidate_id>/comments")
@requires_scope("candidates:read")
@blueprint.doc(operationId="getCandidateComments")
@blueprint.response(200, CommentsSchema)
@_not_found
def get_candidate_comments(candidate_id: str) -> Response:
    """What was written about a candidate

    The read is audited.
    """
    chosen = read_number(candidate_id, "candidate_not_found")
    reading = Reading(REFERENCE, False, read_purpose())
    with snapshot() as connection:
        candidate = require_candidate(connection, chosen, sources=current_caller().sources)
        found = select_comments(connection, candidate_id=chosen)
        version = select_version_in_use(connection)
    for profile_id in sorted(set(candidate.profile_ids)):
        audit_read(profile_id, "profile.read_comments", reading, candidate_id=chosen)
    return json_response(_dump_comments({"data": found, "model_version": version}))


@blueprint.post("/<candidate_id>/comments")
@requires_scope("candidates:decide")
@blueprint.doc(operationId="commentOnCandidate", parameters=[OPTIONAL_IDEMPOTENCY_HEADER])
@blueprint.arguments(NewCommentSchema())
@blueprint.response(201, WrittenCommentSchema, headers=REPLAYED)
@_not_found
@key_refused(blueprint, is_required=False)
def comment_on_a_candidate(body: dict[str, Any], candidate_id: str) -> Response:
    """Write a comment about a candidate

    Comments are kept with it and neither changed nor taken away. Without an Idempotency-Key, a call that is sent again
    writes another one.
    """
    chosen, author, version = _read_work(candidate_id)
    service = current_service()

    def write(once: Once[Comment] | None) -> Comment:
        return comment_on_candidate(
            service.store.engine(), chosen, body["body"], author=author, now=service.clock(), once=once
        )

    def respond(comment: Comment) -> Response:
        return json_response(_dump_comment({**vars(comment), "model_version": version}), 201)

    return answer_work(write, respond)


def _read_work(candidate_id: str) -> tuple[int, str, int | None]:
    """Which candidate, who works on it, and the model version in use."""
    chosen, author = read_number(candidate_id, "candidate_not_found"), _read_author()
    with snapshot() as connection:
        return chosen, author, select_version_in_use(connection)


def _read_author() -> str:
    """Raises Problem: who decides about people of all sources is bound to none."""
    caller = current_caller()
    if caller.sources is not None:
        raise Problem("scope_missing", "A key that is bound to sources works on no candidate.")
    return f"key:{caller.key_id}"
