"""GET /v1/profiles/{profile_id}: a profile in a view, its records, its history, why it is one person."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marshmallow as ma
from flask import Response, request

from api.auth import current_caller, requires_view
from api.cursors import decode_cursor, encode_cursor
from api.dumping import InstantField
from api.errors import Problem
from api.inputs import ApiBlueprint, PageSchema, View
from api.profile_views import (
    ANY_VIEW,
    PROFILE_ID_EXAMPLE,
    VIEW_EXAMPLE,
    Reading,
    ViewQuerySchema,
    answer_view,
    audit_read,
    choose_reading,
    json_response,
    locate,
    read_unmasking,
)
from api.snapshots import snapshot
from cdp.identity.explain import LANGUAGES, explain_profile
from cdp.identity.identifier_reports import OUTCOMES as REPORT_OUTCOMES
from cdp.identity.profile_reads import (
    MemberRecord,
    require_profile,
    select_ledger_entries,
    select_member_records,
)
from cdp.privacy.masking import mask_identifier, mask_source_record_id, mask_value

# What a profile is made of, and why, is for those who look after it.
_INSIDE_VIEWS = ("steward", "agent")
_PROFILE_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")

blueprint = ApiBlueprint(
    "profiles", __name__, url_prefix="/v1/profiles", description="Profiles, and what they are made of"
)


class RecordsQuerySchema(PageSchema):
    unmask = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "Whole values; needs the scope `pii:unmask` and the header CDP-Purpose."},
    )


class LanguageQuerySchema(ma.Schema):
    lang = ma.fields.String(
        validate=ma.validate.OneOf(LANGUAGES),
        metadata={"description": "Language of the words; Accept-Language by default, else English."},
    )


class RecordIdentifierSchema(ma.Schema):
    type = ma.fields.String(required=True, metadata={"examples": ["email"]})
    value = ma.fields.String(required=True, metadata={"examples": ["a***@example.com"]})
    verified = ma.fields.Boolean(required=True)


class RefusalSchema(ma.Schema):
    """A value that was not used."""

    field = ma.fields.String(required=True, metadata={"examples": ["/phones/0"]})
    reason = ma.fields.String(required=True, metadata={"examples": ["junk"]})


class RecordSchema(ma.Schema):
    """What one source said about the person."""

    record_id = ma.fields.Integer(required=True)
    source = ma.fields.String(required=True, metadata={"examples": ["crm"]})
    source_record_id = ma.fields.String(required=True, metadata={"examples": ["c-481"]})
    occurred_at = InstantField(required=True, metadata={"format": "date-time"})
    received_at = InstantField(required=True, metadata={"format": "date-time"})
    values = ma.fields.Dict(required=True, metadata={"description": "Standardized values."})
    identifiers = ma.fields.List(ma.fields.Nested(RecordIdentifierSchema), required=True)
    refusals = ma.fields.List(ma.fields.Nested(RefusalSchema), required=True)


class PageOfRecordsSchema(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(RecordSchema), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)


class MoveSchema(ma.Schema):
    record_id = ma.fields.Integer(required=True)
    from_profile_id = ma.fields.String(required=True, allow_none=True)
    to_profile_id = ma.fields.String(required=True, allow_none=True)


class LedgerEntrySchema(ma.Schema):
    """One change of membership."""

    ledger_entry_id = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True, metadata={"examples": ["join"]})
    profile_id = ma.fields.String(required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    author = ma.fields.String(required=True)
    reason = ma.fields.String(required=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)
    run_id = ma.fields.Integer(required=True, allow_none=True)
    recorded_at = InstantField(required=True, metadata={"format": "date-time"})
    undone_by = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "The entry that took this one back."}
    )
    moves = ma.fields.List(ma.fields.Nested(MoveSchema), required=True)


class PageOfLedgerEntriesSchema(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(LedgerEntrySchema), required=True)
    next_cursor = ma.fields.String(required=True, allow_none=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)


class ComparisonExplanationSchema(ma.Schema):
    """What one comparison says, in bits; level_weight and frequency_weight add up to match_weight."""

    comparison = ma.fields.String(required=True, metadata={"examples": ["given_name"]})
    label = ma.fields.String(required=True, metadata={"examples": ["first name"]})
    level = ma.fields.String(required=True, metadata={"examples": ["equal"]})
    is_missing = ma.fields.Boolean(required=True, metadata={"description": "A value is absent: no weight."})
    level_weight = ma.fields.Float(required=True, metadata={"examples": [6.9]})
    frequency_weight = ma.fields.Float(
        required=True, metadata={"description": "What the rarity of the value adds.", "examples": [2.1]}
    )
    match_weight = ma.fields.Float(required=True, metadata={"examples": [9.0]})


class PairEvidenceSchema(ma.Schema):
    """A scored pair: prior_match_weight and the weights of the comparisons add up to match_weight."""

    model_version = ma.fields.Integer(required=True)
    prior_match_weight = ma.fields.Float(required=True, metadata={"examples": [-16.0]})
    match_weight = ma.fields.Float(required=True, metadata={"examples": [14.2]})
    match_probability = ma.fields.Float(required=True, metadata={"examples": [0.9999]})
    comparisons = ma.fields.List(ma.fields.Nested(ComparisonExplanationSchema), required=True)


class ReportLineSchema(ma.Schema):
    """A standing report about an identifier that takes part in what is explained."""

    report_id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"examples": ["phone"]})
    value = ma.fields.String(required=True, metadata={"description": "Masked.", "examples": ["+55***4321"]})
    outcome = ma.fields.String(required=True, metadata={"enum": list(REPORT_OUTCOMES)})
    reported_at = InstantField(required=True, metadata={"format": "date-time"})
    text = ma.fields.String(required=True)


class JoinExplanationSchema(ma.Schema):
    ledger_entry_id = ma.fields.Integer(required=True)
    author = ma.fields.String(required=True)
    recorded_at = InstantField(required=True, metadata={"format": "date-time"})
    record_id_l = ma.fields.Integer(required=True)
    record_id_r = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True, metadata={"enum": ["evidence", "must_link"]})
    mean_weight = ma.fields.Float(
        required=True, allow_none=True, metadata={"description": "Over all pairs of what was joined."}
    )
    pair = ma.fields.Nested(
        PairEvidenceSchema, required=True, allow_none=True, metadata={"description": "null when not kept."}
    )
    reports = ma.fields.List(
        ma.fields.Nested(ReportLineSchema),
        required=True,
        metadata={"description": "About values that both records hold."},
    )
    text = ma.fields.String(required=True)


class ExplanationSchema(ma.Schema):
    profile_id = ma.fields.String(required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    version = ma.fields.Integer(required=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)
    language = ma.fields.String(required=True, metadata={"enum": list(LANGUAGES)})
    text = ma.fields.String(required=True)
    joins = ma.fields.List(ma.fields.Nested(JoinExplanationSchema), required=True)
    joins_left_out = ma.fields.Integer(
        required=True,
        metadata={
            "description": "How many more brought the records together; the ledger tells 50 joins an entry.",
            "examples": [0],
        },
    )
    reports = ma.fields.List(
        ma.fields.Nested(ReportLineSchema),
        required=True,
        metadata={"description": "About values that its records hold."},
    )


_PAGE_OF_RECORDS = PageOfRecordsSchema()
_PAGE_OF_LEDGER_ENTRIES = PageOfLedgerEntriesSchema()
_EXPLANATION = ExplanationSchema()


def profile_refused(blueprint: ApiBlueprint) -> Callable[[View], View]:
    """Describes what a call about one profile may be refused for."""

    def described(view: View) -> View:
        missing = "No such profile, or not one this key may read in this view"
        view = blueprint.refuses(404, missing)(view)
        return blueprint.refuses(410, "The profile was erased")(view)

    return described


_refused = profile_refused(blueprint)


@blueprint.get("/<profile_id>")
@requires_view()
@blueprint.doc(
    operationId="getProfile",
    parameters=[
        {
            "name": "If-None-Match",
            "in": "header",
            "schema": {"type": "string"},
            "description": "The ETag of a former answer.",
        },
    ],
)
@blueprint.arguments(ViewQuerySchema(), location="query")
@blueprint.response(
    200,
    ANY_VIEW,
    description="The view. An absorbed id answers with its survivor and Content-Location.",
    example=VIEW_EXAMPLE,
    headers={"ETag": {"schema": {"type": "string"}, "description": "Changes with the body."}},
)
@blueprint.alt_response(304, description="The caller has it already")
@_refused
def get_profile(query: dict[str, Any], profile_id: str) -> Response:
    """A profile in one of its views

    Each view is a projection with its own fields. Identifiers, birth dates, streets and free attributes are
    masked, unless `unmask=true` comes from a key with `pii:unmask` and with a purpose. Every read is audited.
    """
    caller = current_caller()
    reading = choose_reading(caller, query, needs_view=True)
    with snapshot() as connection:
        profile = require_profile(connection, checked_profile_id(profile_id), sources=caller.sources)
    response = answer_view(profile, reading, found_by="id")
    return locate(response, profile, profile_id, "profiles.get_profile", view=query.get("view"))


@blueprint.get("/<profile_id>/records")
@requires_view()
@blueprint.doc(operationId="getProfileRecords")
@blueprint.arguments(RecordsQuerySchema(), location="query")
@blueprint.response(200, PageOfRecordsSchema)
@_refused
def get_records(query: dict[str, Any], profile_id: str) -> Response:
    """The source records it is made of

    In the order they were first received; for keys with the agent's or the steward's view. A key that is
    bound to sources sees the records of those.
    """
    caller = current_caller()
    reading = reading_inside(unmask=query["unmask"])
    with snapshot() as connection:
        profile = require_profile(connection, checked_profile_id(profile_id), sources=caller.sources)
        listed = f"records {profile.profile_id}"
        records = select_member_records(
            connection,
            profile.profile_id,
            after_record_id=decode_cursor(query.get("cursor"), listed) or 0,
            limit=query["limit"] + 1,
            sources=caller.sources,
        )
    shown = records[: query["limit"]]
    audit_read(profile.profile_id, "profile.read_records", reading)
    page = {
        "data": [_record_document(record, unmask=reading.unmask) for record in shown],
        "next_cursor": encode_cursor(listed, shown[-1].record_id) if len(records) > len(shown) else None,
        "model_version": profile.model_version,
    }
    response = json_response(_PAGE_OF_RECORDS.dump(page))
    return locate(response, profile, profile_id, "profiles.get_records", limit=query["limit"])


@blueprint.get("/<profile_id>/history")
@requires_view()
@blueprint.doc(operationId="getProfileHistory")
@blueprint.arguments(PageSchema(), location="query")
@blueprint.response(200, PageOfLedgerEntriesSchema)
@_refused
def get_history(query: dict[str, Any], profile_id: str) -> Response:
    """Its entries in the ledger

    Every change of membership, newest first, with its author, its reason and what undid it; for keys with the
    agent's or the steward's view.
    """
    caller = current_caller()
    reading = reading_inside(unmask=False)
    with snapshot() as connection:
        profile = require_profile(connection, checked_profile_id(profile_id), sources=caller.sources)
        listed = f"history {profile.profile_id}"
        entries = select_ledger_entries(
            connection,
            profile.profile_id,
            before_entry_id=decode_cursor(query.get("cursor"), listed),
            limit=query["limit"] + 1,
        )
    shown = entries[: query["limit"]]
    audit_read(profile.profile_id, "profile.read_history", reading)
    page = {
        "data": shown,
        "next_cursor": encode_cursor(listed, shown[-1].ledger_entry_id)
        if len(entries) > len(shown)
        else None,
        "model_version": profile.model_version,
    }
    response = json_response(_PAGE_OF_LEDGER_ENTRIES.dump(page))
    return locate(response, profile, profile_id, "profiles.get_history", limit=query["limit"])


@blueprint.get("/<profile_id>/explanation")
@requires_view()
@blueprint.doc(operationId="getProfileExplanation")
@blueprint.arguments(LanguageQuerySchema(), location="query")
@blueprint.response(200, ExplanationSchema)
@_refused
def get_explanation(query: dict[str, Any], profile_id: str) -> Response:
    """Why it is one person

    The joins that made it, in order: for each the pair that spoke loudest, with the prior, every comparison
    with its level and weight, the total, and a few sentences in English or Portuguese. Of a large profile
    some joins are left out, and are counted. For keys with the agent's or the steward's view.
    """
    caller = current_caller()
    reading = reading_inside(unmask=False)
    language = choose_language(query)
    with snapshot() as connection:
        profile = require_profile(connection, checked_profile_id(profile_id), sources=caller.sources)
        explanation = explain_profile(connection, profile, language=language)
    audit_read(profile.profile_id, "profile.read_explanation", reading)
    document = {
        "profile_id": profile.profile_id,
        "version": profile.version,
        "model_version": profile.model_version,
        "language": explanation.language,
        "text": explanation.text,
        "joins": explanation.joins,
        "joins_left_out": explanation.joins_left_out,
        "reports": explanation.reports,
    }
    response = json_response(_EXPLANATION.dump(document))
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return locate(response, profile, profile_id, "profiles.get_explanation", lang=query.get("lang"))


def choose_language(query: Mapping[str, Any]) -> str:
    """The one asked for, else the reader's first that there is: pt-BR is pt."""
    accepted = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality)
    known = (language for language in accepted if language in LANGUAGES)
    return query.get("lang") or next(known, LANGUAGES[0])


def checked_profile_id(profile_id: str) -> str:
    """A text that could be an id: others need not reach the store."""
    if not _PROFILE_ID.fullmatch(profile_id):
        raise Problem("profile_not_found")
    return profile_id


def reading_inside(*, unmask: bool, views: Sequence[str] = _INSIDE_VIEWS) -> Reading:
    """Raises Problem: profile_not_found for keys without a view that goes inside."""
    caller = current_caller()
    readable = [view for view in views if caller.may_read_view(view)]
    if not readable:
        raise Problem("profile_not_found")
    return Reading(readable[0], *read_unmasking(caller, unmask=unmask))


def _record_document(record: MemberRecord, *, unmask: bool) -> dict[str, Any]:
    document = dict(vars(record))
    if not unmask:
        document["source_record_id"] = mask_source_record_id(
            record.source_record_id, [(each["type"], each["value"]) for each in record.identifiers]
        )
        document["values"] = {name: mask_value(name, value) for name, value in record.values.items()}
        document["identifiers"] = [
            {**each, "value": mask_identifier(each["type"], each["value"])} for each in record.identifiers
        ]
    return document
