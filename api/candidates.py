"""GET /v1/candidates, POST /v1/candidates/{candidate_id}/decision: the queue of what the machine leaves to stewards."""

from __future__ import annotations

from functools import partial
from typing import Any

import marshmallow as ma
from flask import Response, request

from api.auth import current_caller, requires_scope
from api.errors import PROBLEM_TYPE, Problem, ProblemSchema
from api.idempotency import KEY_RUNNING, REPLAYED, REQUIRED_IDEMPOTENCY_HEADER, key_refused
from api.inputs import ApiBlueprint, PageSchema, decode_cursor, encode_cursor, read_purpose
from api.lookups import NOBODY
from api.profile_views import (
    PROFILE_ID_EXAMPLE,
    REFERENCE,
    GoldenRecordSchema,
    HeldIdentifierSchema,
    InstantField,
    Reading,
    audit_read,
    json_response,
    shown_values,
)
from api.profiles import LanguageQuerySchema, PairEvidenceSchema, ReportLineSchema, choose_language
from api.rulings import (
    ProposedPairSchema,
    ReasonSchema,
    RulingQuerySchema,
    RulingSchema,
    answer_ruling,
    read_number,
    read_order,
    read_ruling_unmasking,
)
from api.service import current_service
from api.snapshots import snapshot
from cdp.identity.explain import LANGUAGES, explain_edge
from cdp.identity.profile_reads import Profile, require_profile
from cdp.stewardship.candidates import DECISIONS, REASONS, STATES, require_candidate, select_candidates
from cdp.stewardship.decide import decide
from cdp.stewardship.errors import UnknownCandidateError

blueprint = ApiBlueprint(
    "candidates", __name__, url_prefix="/v1/candidates", description="Profiles that may be one person"
)


class CandidatesQuerySchema(PageSchema):
    state = ma.fields.String(load_default="open", validate=ma.validate.OneOf(STATES))
    reason = ma.fields.String(
        validate=ma.validate.OneOf(REASONS), metadata={"description": "All of them by default."}
    )


class CandidateQuerySchema(LanguageQuerySchema):
    unmask = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "Whole values; needs the scope `pii:unmask` and the header CDP-Purpose."},
    )


class MergeCandidateSchema(ProposedPairSchema):
    candidate_id = ma.fields.Integer(required=True)
    state = ma.fields.String(required=True, metadata={"enum": list(STATES)})
    model_version = ma.fields.Integer(required=True)
    created_at = InstantField(required=True, metadata={"format": "date-time"})
    closed_at = InstantField(required=True, allow_none=True, metadata={"format": "date-time"})
    closed_by = ma.fields.String(required=True, allow_none=True)


class PageOfMergeCandidatesSchema(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(MergeCandidateSchema), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)


class CandidateSideSchema(ma.Schema):
    """One of the two profiles, as it is now."""

    profile_id = ma.fields.String(required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    version = ma.fields.Integer(required=True)
    state = ma.fields.String(required=True, metadata={"enum": ["live", "empty"]})
    record_count = ma.fields.Integer(required=True)
    golden = ma.fields.Nested(GoldenRecordSchema, required=True)
    identifiers = ma.fields.List(ma.fields.Nested(HeldIdentifierSchema), required=True)


class WholeMergeCandidateSchema(MergeCandidateSchema):
    masked = ma.fields.Boolean(required=True)
    profiles = ma.fields.List(
        ma.fields.Nested(CandidateSideSchema),
        required=True,
        metadata={"description": "The left one and the right one; one where they are joined by now."},
    )
    evidence = ma.fields.Nested(
        PairEvidenceSchema, required=True, allow_none=True, metadata={"description": "null when not kept."}
    )
    reports = ma.fields.List(
        ma.fields.Nested(ReportLineSchema),
        required=True,
        metadata={"description": "About values that both records hold."},
    )
    language = ma.fields.String(required=True, metadata={"enum": list(LANGUAGES)})
    text = ma.fields.String(required=True, metadata={"description": "The evidence in words."})


class DecisionSchema(ReasonSchema):
    decision = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(DECISIONS),
        metadata={
            "description": "`same` joins the profiles; `different` keeps them apart for good; `unsure` lets the "
            "candidate rest until another model or a newer record proposes it."
        },
    )


_PAGE_OF_CANDIDATES = PageOfMergeCandidatesSchema()
_WHOLE_CANDIDATE = WholeMergeCandidateSchema()
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "Changes with the state and either profile."}}

_not_found = blueprint.alt_response(
    404,
    schema=ProblemSchema,
    content_type=PROBLEM_TYPE,
    description="No such candidate, or not one this key may know of",
)


def _refused(status: int, description: str) -> Any:
    return blueprint.alt_response(
        status, schema=ProblemSchema, content_type=PROBLEM_TYPE, description=description
    )


@blueprint.get("")
@requires_scope("candidates:read")
@blueprint.doc(operationId="getCandidates")
@blueprint.arguments(CandidatesQuerySchema(), location="query")
@blueprint.response(200, PageOfMergeCandidatesSchema)
def get_candidates(query: dict[str, Any]) -> Response:
    """The queue

    The heaviest first; without values of persons. A key that is bound to sources is told of candidates whose
    two profiles both hold a record of theirs. The read is audited.
    """
    reading = Reading(REFERENCE, False, read_purpose())
    try:
        with snapshot() as connection:
            candidates = select_candidates(
                connection,
                state=query["state"],
                reason=query.get("reason"),
                after_candidate_id=decode_cursor(query.get("cursor")),
                limit=query["limit"] + 1,
                sources=current_caller().sources,
            )
    except UnknownCandidateError:
        raise Problem("invalid_cursor") from None
    shown = candidates[: query["limit"]]
    ids = sorted({profile_id for each in shown for profile_id in (each.profile_id_l, each.profile_id_r)})
    audit_read(NOBODY, "profile.read_candidates", reading, profile_ids=ids)
    page = {
        "data": shown,
        "next_cursor": encode_cursor(shown[-1].candidate_id) if len(candidates) > len(shown) else None,
    }
    return json_response(_PAGE_OF_CANDIDATES.dump(page))


@blueprint.get("/<candidate_id>")
@requires_scope("candidates:read")
@blueprint.doc(operationId="getCandidate")
@blueprint.arguments(CandidateQuerySchema(), location="query")
@blueprint.response(200, WholeMergeCandidateSchema, headers=_ETAG)
@_not_found
def get_candidate(query: dict[str, Any], candidate_id: str) -> Response:
    """A merge candidate with both its profiles

    And with what speaks for and against the pair of records that proposed it, in numbers and words. Values
    are masked as in views of profiles; the read is audited.
    """
    chosen = read_number(candidate_id, "candidate_not_found")
    reading = read_ruling_unmasking(unmask=query["unmask"])
    language, sources = choose_language(query), current_caller().sources
    with snapshot() as connection:
        candidate = require_candidate(connection, chosen, sources=sources)
        found = [require_profile(connection, each, sources=sources) for each in candidate.profile_ids]
        pair = candidate.record_id_l, candidate.record_id_r
        explained = explain_edge(connection, pair, language=language)
    sides = list({profile.profile_id: profile for profile in found}.values())
    for profile in sides:
        audit_read(profile.profile_id, "profile.read_candidate", reading, candidate_id=chosen)
    document = {
        **vars(candidate),
        "masked": not reading.unmask,
        "profiles": [_side(profile, reading) for profile in sides],
        "evidence": explained.pair,
        "reports": explained.reports,
        "language": language,
        "text": explained.text,
    }
    response = json_response(_WHOLE_CANDIDATE.dump(document))
    response.set_etag(candidate.etag)
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return response


@blueprint.post("/<candidate_id>/decision")
@requires_scope("candidates:decide")
@blueprint.doc(
    operationId="decideCandidate",
    parameters=[
        {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "schema": {"type": "string"},
            "description": "The ETag of the candidate as the steward saw it.",
        },
        REQUIRED_IDEMPOTENCY_HEADER,
    ],
)
@blueprint.arguments(DecisionSchema())
@blueprint.arguments(RulingQuerySchema(), location="query")
@blueprint.response(200, RulingSchema, headers=REPLAYED)
@_not_found
@_refused(409, f"It is closed, or a ruling in force says the opposite: `action_ids`. {KEY_RUNNING}")
@_refused(412, "It or one of its profiles changed since")
@_refused(428, "There is no If-Match")
@key_refused(blueprint, is_required=True)
def decide_candidate(body: dict[str, Any], query: dict[str, Any], candidate_id: str) -> Response:
    """Decide a merge candidate

    On what the steward saw: the If-Match names it, and a candidate that changed since is not decided.
    """
    chosen = read_number(candidate_id, "candidate_not_found")
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    resolver, seen = current_service().resolver(), _read_seen()
    return answer_ruling(partial(decide, resolver, chosen, body["decision"], seen=seen), order, reading)


def _read_seen() -> set[str]:
    """The strong tags of If-Match. Raises Problem for none, and for one that would fit whatever there is."""
    if not request.headers.get("If-Match"):
        raise Problem("precondition_required")
    if request.if_match.star_tag:
        raise Problem("precondition_required", "`*` names no version: send the ETag of the candidate.")
    return set(request.if_match.as_set())


def _side(profile: Profile, reading: Reading) -> dict[str, Any]:
    golden, identifiers = shown_values(
        profile.golden, profile.identifiers, unmask=reading.unmask, sources=current_caller().sources
    )
    return {**vars(profile), "golden": golden, "identifiers": identifiers}
