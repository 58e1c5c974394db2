"""POST /v1/profiles/search: which profiles could a partial record be of?"""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import current_caller, requires_scope
from api.context import current_request
from api.cursors import decode_cursor, encode_cursor
from api.dumping import dump_of
from api.errors import Problem
from api.fields import TextField
from api.inputs import ApiBlueprint, PageSchema, read_json, read_purpose
from api.masks import SHOWN
from api.profile_schemas import PairEvidenceSchema, RefusalSchema, ReportLineSchema
from api.profile_views import json_response
from api.profiles import LanguageQuerySchema, choose_language
from api.reading import NOBODY, Reading, audit_read
from api.record_schemas import PersonFieldsSchema
from api.service import current_service
from api.snapshots import snapshot
from api.view_schemas import PROFILE_ID_EXAMPLE, REFERENCE
from cdp.identity.explain import LANGUAGES
from cdp.realtime.search import FoundProfile, Sought, search_profiles

PROFILES_AT_MOST = 100

blueprint = ApiBlueprint(
    "searches", __name__, url_prefix="/v1/profiles", description="Find profiles by what is known of a person"
)


class SearchQuerySchema(PageSchema, LanguageQuerySchema):
    limit = ma.fields.Integer(
        load_default=10,
        validate=ma.validate.Range(min=1, max=PROFILES_AT_MOST),
        metadata={"description": "How many to return at most."},
    )
    min_weight = ma.fields.Float(
        allow_nan=False,
        validate=ma.validate.Range(min=-100, max=100),
        metadata={
            "description": "In bits: profiles whose best pair weighs less are left out; by default those that "
            "no steward would be asked about."
        },
    )


class SearchSchema(PersonFieldsSchema):
    """What is known of a person, as in a record. A whole record will do: its key says nothing here."""

    source = ma.fields.Raw()
    source_record_id = ma.fields.Raw()
    occurred_at = ma.fields.String(allow_none=True)
    region = ma.fields.String(
        allow_none=True,
        validate=ma.validate.Regexp("^[A-Z]{2}$"),
        metadata={
            "description": "Where numbers and dates without a country belong; CDP_DEFAULT_REGION by default.",
            "examples": ["BR"],
        },
    )


class SearchExplanationSchema(PairEvidenceSchema):
    """The best pair of what was asked with a record of the profile, taken apart."""

    record_id = ma.fields.Integer(required=True)
    reports = ma.fields.List(
        ma.fields.Nested(ReportLineSchema),
        required=True,
        metadata={"description": "About identifiers of what was asked that the record holds."},
    )
    language = TextField(SHOWN, required=True, metadata={"enum": list(LANGUAGES)})
    text = TextField(SHOWN, required=True)


class FoundProfileSchema(ma.Schema):
    profile_id = TextField(SHOWN, required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    match_weight = ma.fields.Float(
        required=True,
        metadata={"description": "In bits, of its best pair, prior included.", "examples": [14.2]},
    )
    match_probability = ma.fields.Float(required=True, metadata={"examples": [0.9999]})
    mean_match_weight = ma.fields.Float(
        required=True, metadata={"description": "Over all of its records.", "examples": [9.7]}
    )
    record_count = ma.fields.Integer(required=True)
    explanation = ma.fields.Nested(SearchExplanationSchema, required=True)


class FoundProfilesSchema(ma.Schema):
    data = ma.fields.List(
        ma.fields.Nested(FoundProfileSchema), required=True, metadata={"description": "The likeliest first."}
    )
    next_cursor = TextField(SHOWN, required=True, allow_none=True)
    model_version = ma.fields.Integer(
        required=True, allow_none=True, metadata={"description": "null while nothing was resolved."}
    )
    refusals = ma.fields.List(
        ma.fields.Nested(RefusalSchema), required=True, metadata={"description": "Values that were not used."}
    )


_dump_found = dump_of(FoundProfilesSchema())
_LISTED = "search"
_REGION = re.compile("[A-Z]{2}")


@blueprint.post("/search")
@requires_scope("profiles:search", reads_only=True)
@blueprint.doc(
    operationId="searchProfiles",
    requestBody={
        "required": True,
        "content": {
            "application/json": {
                "schema": SearchSchema,
                "example": {"full_name": "Ana Reis", "birth_date": "29/02/1980", "phones": ["11 98765-4321"]},
            }
        },
    },
)
@blueprint.arguments(SearchQuerySchema(), location="query")
@blueprint.response(200, FoundProfilesSchema)
@blueprint.refuses(422, "The body holds what no record may hold, or nothing to search by")
@blueprint.refuses(503, "The store must be resolved first")
def search(query: dict[str, Any]) -> Response:
    """Find the profiles that a partial record could be of

    The body is read as a record is, by the model that resolves records, and nothing of it is stored. Each profile
    tells its best pair, taken apart in numbers and in words, and the mean over its records. A key that is bound to
    sources finds profiles that hold a record of theirs.
    """
    caller, service = current_caller(), current_service()
    reading = Reading(REFERENCE, False, read_purpose())
    sought = _read_sought()
    language = choose_language(query)
    skip = decode_cursor(query.get("cursor"), _LISTED) or 0
    with snapshot() as connection:
        found = search_profiles(
            connection,
            service.models,
            sought,
            language=language,
            skip=skip,
            limit=query["limit"],
            minimum_weight=query.get("min_weight"),
            sources=caller.sources,
        )
    audit_read(
        NOBODY,
        "profile.search",
        reading,
        fields=sorted(sought.values),
        profile_ids=[each.profile_id for each in found.profiles],
    )
    page = {
        "data": [_document(each, language) for each in found.profiles],
        "next_cursor": encode_cursor(_LISTED, skip + len(found.profiles)) if found.has_more else None,
        "model_version": found.model_version,
        "refusals": found.refusals,
    }
    response = json_response(_dump_found(page))
    response.headers["Content-Language"] = language
    response.vary.add("Accept-Language")
    return response


def _read_sought() -> Sought:
    service = current_service()
    body = read_json(current_request())
    if not isinstance(body, dict):
        raise Problem("validation_failed", errors=[{"pointer": "", "detail": "Give an object."}])
    region = body.pop("region", None)
    if region is not None and not (isinstance(region, str) and _REGION.fullmatch(region)):
        detail = "Two capital letters, such as BR."
        raise Problem("validation_failed", errors=[{"pointer": "/region", "detail": detail}])
    return Sought(body, region or service.settings.default_region, service.clock())


def _document(found: FoundProfile, language: str) -> dict[str, Any]:
    return {
        "profile_id": found.profile_id,
        "match_weight": found.match_weight,
        "match_probability": found.match_probability,
        "mean_match_weight": found.mean_match_weight,
        "record_count": found.record_count,
        "explanation": {
            **vars(found.pair),
            "record_id": found.record_id,
            "reports": found.reports,
            "language": language,
            "text": found.text,
        },
    }
