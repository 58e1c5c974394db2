"""GET /v1/candidates, POST /v1/candidates/{candidate_id}/decision: the queue of what the machine leaves to stewards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import current_caller, requires_scope
from api.cursors import decode_place, encode_place
from api.decisions import DecisionOnOneSchema, read_pins, read_seen
from api.dumping import dump_of, dumps_of
from api.errors import Problem
from api.fields import IdentifiersField, InstantField, TextField
from api.idempotency import KEY_REUSED, KEY_RUNNING, REPLAYED, REQUIRED_IDEMPOTENCY_HEADER, key_refused
from api.inputs import ApiBlueprint, PageSchema, read_purpose
from api.masks import SHOWN
from api.profile_schemas import PairEvidenceSchema, ReportLineSchema
from api.profile_views import json_response, of_sources
from api.profiles import LanguageQuerySchema, choose_language
from api.reading import NOBODY, Reading, audit_read
from api.rulings import (
    PendingDecisionSchema,
    ProposedPairSchema,
    RulingQuerySchema,
    RulingSchema,
    answer_ruling,
    read_number,
    read_order,
    read_ruling_unmasking,
)
from api.service import current_service
from api.snapshots import snapshot
from api.view_schemas import PROFILE_ID_EXAMPLE, REFERENCE, GoldenRecordSchema, HeldIdentifierSchema
from cdp.identity.candidate_weights import IDENTIFIER_KINDS
from cdp.identity.explain import LANGUAGES
from cdp.identity.profile_reads import require_profile
from cdp.identity.resolution_runs import select_version_in_use
from cdp.stewardship.candidates import REASONS, STATES, require_candidate
from cdp.stewardship.confirmations import Pending
from cdp.stewardship.desk_rules import desk_rules
from cdp.stewardship.four_eyes import decide_together
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.queue import (
    SORTS,
    Position,
    QueueFilter,
    QueueItem,
    select_item,
    select_queue_page,
)
from cdp.stewardship.reason_telling import explain_candidate
from cdp.stewardship.ruling import Order

blueprint = ApiBlueprint(
    "candidates", __name__, url_prefix="/v1/candidates", description="Profiles that may be one person"
)


_COUNTS = ma.validate.Range(min=0, max=2**31 - 1)
_weight = {"examples": [2.5]}


class CandidatesQuerySchema(PageSchema):
    state = ma.fields.String(load_default="open", validate=ma.validate.OneOf(STATES))
    reason = ma.fields.String(
        validate=ma.validate.OneOf(REASONS), metadata={"description": "All of them by default."}
    )
    sort = ma.fields.String(
        load_default="weight",
        validate=ma.validate.OneOf(SORTS),
        metadata={
            "description": "What comes first: the heaviest, the most uncertain, the oldest, the first that is due, the "
            "one about most records, or the highest priority, which is uncertainty x people x value x age."
        },
    )
    ascending = ma.fields.Boolean(load_default=False, metadata={"description": "The other way round."})
    source = ma.fields.String(
        validate=ma.validate.Length(min=1, max=100),
        metadata={"description": "One of the two records is of it.", "examples": ["whatsapp"]},
    )
    identifier_type = ma.fields.String(
        validate=ma.validate.OneOf(IDENTIFIER_KINDS),
        metadata={"description": "Both records carry one."},
    )
    assignee = ma.fields.String(
        validate=ma.validate.Length(max=200),
        metadata={"description": "Who is to decide; empty for what nobody is assigned."},
    )
    claimed_by = ma.fields.String(
        validate=ma.validate.Length(min=1, max=200),
        metadata={"description": "Whose live claim is on it.", "examples": ["key:k1"]},
    )
    second_reading = ma.fields.Boolean(metadata={"description": "Whether one person could not tell."})
    min_match_weight = ma.fields.Float(metadata=_weight)
    max_match_weight = ma.fields.Float(metadata=_weight)
    min_records = ma.fields.Integer(validate=_COUNTS, metadata={"description": "Of both profiles together."})
    max_records = ma.fields.Integer(validate=_COUNTS)


class CandidateQuerySchema(LanguageQuerySchema):
    unmask = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "Whole values; needs the scope `pii:unmask` and the header CDP-Purpose."},
    )


class PrioritySchema(ma.Schema):
    """uncertainty x people x value x age."""

    total = ma.fields.Float(required=True)
    uncertainty = ma.fields.Float(
        required=True, metadata={"description": "1 where the evidence says neither, 0 where it is certain."}
    )
    people = ma.fields.Float(
        required=True, metadata={"description": "0 to 1, by the records of both profiles."}
    )
    value = ma.fields.Float(
        required=True,
        metadata={"description": "1 to 2, by their identifiers, consents and orders."},
    )
    age = ma.fields.Float(required=True, metadata={"description": "1 for a new one, 2 when it is due."})


class LeaseSchema(ma.Schema):
    """Who works on it: nobody else decides it meanwhile."""

    owner = TextField(SHOWN, required=True, metadata={"examples": ["key:k1"]})
    claimed_at = InstantField(required=True, metadata={"format": "date-time"})
    expires_at = InstantField(required=True, metadata={"format": "date-time"})


class MergeCandidateSchema(ProposedPairSchema):
    candidate_id = ma.fields.Integer(required=True)
    state = TextField(SHOWN, required=True, metadata={"enum": list(STATES)})
    model_version = ma.fields.Integer(required=True)
    created_at = InstantField(required=True, metadata={"format": "date-time"})
    closed_at = InstantField(required=True, allow_none=True, metadata={"format": "date-time"})
    closed_by = TextField(SHOWN, required=True, allow_none=True)
    record_count = ma.fields.Integer(required=True, metadata={"description": "Of both profiles."})
    assignee = TextField(SHOWN, required=True, allow_none=True)
    due_at = InstantField(required=True, metadata={"format": "date-time"})
    unsure_count = ma.fields.Integer(
        required=True,
        metadata={"description": "How many could not tell; a second person decides what one left so."},
    )
    priority = ma.fields.Nested(PrioritySchema, required=True)
    claim = ma.fields.Nested(
        LeaseSchema,
        required=True,
        allow_none=True,
        metadata={"description": "null while nobody works on it."},
    )
    etag = TextField(
        SHOWN,
        required=True,
        metadata={"description": "What a decision about several names; changes as the ETag does."},
    )


class PageOfMergeCandidatesSchema(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(MergeCandidateSchema), required=True)
    next_cursor = TextField(SHOWN, required=True, allow_none=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)


class CandidateSideSchema(ma.Schema):
    """One of the two profiles, as it is now."""

    profile_id = TextField(SHOWN, required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    version = ma.fields.Integer(required=True)
    state = TextField(SHOWN, required=True, metadata={"enum": ["live", "empty"]})
    record_count = ma.fields.Integer(required=True)
    golden = ma.fields.Nested(GoldenRecordSchema, required=True)
    identifiers = IdentifiersField(HeldIdentifierSchema)


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
    language = TextField(SHOWN, required=True, metadata={"enum": list(LANGUAGES)})
    text = TextField(SHOWN, required=True, metadata={"description": "The evidence in words."})


_dump_candidates = dump_of(PageOfMergeCandidatesSchema())
_DUMPS_OF_ONE = dumps_of(WholeMergeCandidateSchema())
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "Changes with the state and either profile."}}

_not_found = blueprint.refuses(404, "No such candidate, or not one this key may know of")


@blueprint.get("")
@requires_scope("candidates:read")
@blueprint.doc(operationId="getCandidates")
@blueprint.arguments(CandidatesQuerySchema(), location="query")
@blueprint.response(200, PageOfMergeCandidatesSchema)
def get_candidates(query: dict[str, Any]) -> Response:
    """The queue

    The heaviest first, or as `sort` says, over the whole queue; without values of persons. The pages of a list are all
    of the moment of its first. A key that is bound to sources is told of candidates whose two profiles both hold a
    record of theirs. The read is audited.
    """
    reading = Reading(REFERENCE, False, read_purpose())
    service, sort = current_service(), (query["sort"], query["ascending"])
    with snapshot() as connection:
        page = select_queue_page(
            connection,
            _asked(query),
            desk_rules(service.settings),
            sort=query["sort"],
            is_ascending=query["ascending"],
            after=_read_position(query.get("cursor"), sort),
            limit=query["limit"],
            now=service.clock(),
        )
        model_version = select_version_in_use(connection)
    shown = [each.candidate for each in page.items]
    ids = sorted({profile_id for each in shown for profile_id in each.profile_ids})
    audit_read(NOBODY, "profile.read_candidates", reading, profile_ids=ids)
    document = {
        "data": [told_item(each) for each in page.items],
        "next_cursor": _encode_position(page.next_position, sort),
        "model_version": model_version,
    }
    return json_response(_dump_candidates(document))


def _asked(query: Mapping[str, Any]) -> QueueFilter:
    return QueueFilter(
        state=query["state"],
        reason=query.get("reason"),
        source=query.get("source"),
        identifier_kind=query.get("identifier_type"),
        assignee=query.get("assignee"),
        claimed_by=query.get("claimed_by"),
        second_reading=query.get("second_reading"),
        least_weight=query.get("min_match_weight"),
        greatest_weight=query.get("max_match_weight"),
        fewest_records=query.get("min_records"),
        most_records=query.get("max_records"),
        visible_to=current_caller().sources,
    )


def told_item(item: QueueItem) -> dict[str, Any]:
    candidate = item.candidate
    particulars = {"due_at": item.due_at, "priority": item.priority, "claim": item.lease}
    return {**vars(candidate), **particulars, "etag": candidate.etag}


def _encode_position(position: Position | None, sort: tuple[str, bool]) -> str | None:
    if position is None:
        return None
    return encode_place(*sort, position.sort_key, position.candidate_id, position.as_of.isoformat())


def _read_position(cursor: str | None, sort: tuple[str, bool]) -> Position | None:
    """Raises Problem for a cursor of another list or order."""
    if cursor is None:
        return None
    name, is_ascending, sort_key, candidate_id, as_of = decode_place(cursor, str, bool, float, int, str)
    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError:
        raise Problem("invalid_cursor") from None
    if (name, is_ascending) != sort or moment.tzinfo is None or not 0 <= candidate_id < 2**63:
        raise Problem("invalid_cursor")
    return Position(sort_key, candidate_id, moment)


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
    language, sources, service = choose_language(query), current_caller().sources, current_service()
    with snapshot() as connection:
        candidate = require_candidate(connection, chosen, sources=sources)
        found = [require_profile(connection, each, sources=sources) for each in candidate.profile_ids]
        explained = explain_candidate(connection, candidate, language=language)
        item = select_item(connection, chosen, desk_rules(service.settings), now=service.clock())
    sides = list({profile.profile_id: profile for profile in found}.values())
    for profile in sides:
        audit_read(profile.profile_id, "profile.read_candidate", reading, candidate_id=chosen)
    document = {
        **told_item(item),
        "masked": not reading.unmask,
        "profiles": [{**vars(profile), "golden": of_sources(profile.golden, sources)} for profile in sides],
        "evidence": explained.pair,
        "reports": explained.reports,
        "language": language,
        "text": explained.text,
    }
    response = json_response(_DUMPS_OF_ONE[reading.unmask](document))
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
@blueprint.arguments(DecisionOnOneSchema())
@blueprint.arguments(RulingQuerySchema(), location="query")
@blueprint.response(200, RulingSchema, headers=REPLAYED)
@blueprint.alt_response(
    202, schema=PendingDecisionSchema, headers=REPLAYED, description="It waits for a second person"
)
@_not_found
@blueprint.refuses(
    409,
    "It is closed, another one works on it: `held_by`, this caller left it unsure or ruled first, or a ruling in "
    f"force says the opposite: `action_ids`. {KEY_RUNNING}",
)
@blueprint.refuses(412, "It or one of its profiles changed since")
@blueprint.refuses(
    422, f"A pin is of a record that is none of theirs, or says nothing of the attribute. {KEY_REUSED}"
)
@blueprint.refuses(428, "There is no If-Match")
@key_refused(blueprint, is_required=True)
def decide_candidate(body: dict[str, Any], query: dict[str, Any], candidate_id: str) -> Response:
    """Decide a merge candidate

    On what the steward saw: the If-Match names it, and a candidate that changed since is not decided. It needs no
    claim, and what another one has claimed waits until the claim runs out. Where `same` takes two people, the first
    one's answer is 202, and the second one's has the effect. With `pins`, `same` says too which record's value of an
    attribute is shown; the undo of the decision takes that back with it.
    """
    chosen, pins = read_number(candidate_id, "candidate_not_found"), read_pins(body)
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    service, seen = current_service(), read_seen()

    def ruled(order: Order) -> Outcome | Pending:
        rules = desk_rules(service.settings)
        return decide_together(
            service.resolver(), chosen, body["decision"], order, rules, seen=seen, pins=pins
        )

    return answer_ruling(ruled, order, reading)
