"""GET /v1/profiles/{profile_id}: a profile in a view, its records, its history, why it is one person."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask import Response, request

from api.auth import current_caller, requires_view
from api.cursors import cut_page, decode_cursor, encode_cursor
from api.dumping import dump_of, dumps_of
from api.errors import Problem
from api.inputs import ApiBlueprint, PageSchema, View
from api.profile_schemas import ExplanationSchema, PageOfLedgerEntriesSchema, PageOfRecordsSchema
from api.profile_views import answer_view, json_response, locate, of_author
from api.reading import ViewQuerySchema, audit_read, choose_reading, reading_inside
from api.snapshots import snapshot
from api.view_schemas import ANY_VIEW, VIEW_EXAMPLE
from cdp.identity.explain import LANGUAGES, explain_profile
from cdp.identity.profile_reads import (
    require_profile,
    select_ledger_entries,
    select_member_records,
)

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


_DUMPS_OF_RECORDS = dumps_of(PageOfRecordsSchema())
_dump_ledger_entries = dump_of(PageOfLedgerEntriesSchema())
_dump_explanation = dump_of(ExplanationSchema())


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
    shown, next_cursor = cut_page(records, query["limit"], lambda last: encode_cursor(listed, last.record_id))
    audit_read(profile.profile_id, "profile.read_records", reading)
    page = {
        "data": shown,
        "next_cursor": next_cursor,
        "model_version": profile.model_version,
    }
    response = json_response(_DUMPS_OF_RECORDS[reading.unmask](page))
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
    shown, next_cursor = cut_page(
        entries, query["limit"], lambda last: encode_cursor(listed, last.ledger_entry_id)
    )
    audit_read(profile.profile_id, "profile.read_history", reading)
    page = {
        "data": [replace(each, author=of_author(each.author, caller.sources)) for each in shown],
        "next_cursor": next_cursor,
        "model_version": profile.model_version,
    }
    response = json_response(_dump_ledger_entries(page))
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
        "joins": [replace(each, author=of_author(each.author, caller.sources)) for each in explanation.joins],
        "joins_left_out": explanation.joins_left_out,
        "reports": explanation.reports,
    }
    response = json_response(_dump_explanation(document))
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
