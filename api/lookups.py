"""POST /v1/profiles/lookup: who is it that presents these identifiers?"""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import current_caller, requires_scope
from api.errors import PROBLEM_TYPE, Problem, ProblemSchema
from api.inputs import ApiBlueprint
from api.profile_views import answer_view, locate
from api.reading import NOBODY, ViewQuerySchema, audit_read, choose_reading
from api.service import current_service
from api.snapshots import snapshot
from api.view_schemas import ANY_VIEW_OR_REFERENCE, PROFILE_ID_EXAMPLE, VIEW_EXAMPLE
from cdp.identity.look_up import Found, Identifier, look_up, standardize_presented
from cdp.identity.profile_reads import require_profile

IDENTIFIERS_AT_MOST = 20
TYPES = (
    "phone, email, handle, loyalty_id, document, device_id or whatsapp_bsuid; a document type (cpf) or a network "
    "(instagram) will do too."
)

blueprint = ApiBlueprint(
    "lookups", __name__, url_prefix="/v1/profiles", description="Find a profile by identifiers"
)


class PresentedValueField(ma.fields.Field[Any]):
    """A text, or the parts of one as a record would hold them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        parts = list(value.values()) if isinstance(value, dict) and len(value) <= 4 else [value]
        if not parts or not all(isinstance(part, str) and 0 < len(part) <= 320 for part in parts):
            raise ma.ValidationError("Give a text of at most 320 characters, or an object of texts.")
        return value


def type_field(*, required: bool) -> ma.fields.String:
    return ma.fields.String(
        required=required,
        validate=ma.validate.Length(min=1, max=40),
        metadata={
            "description": TYPES,
            "examples": ["phone"],
        },
    )


def value_field(*, required: bool) -> PresentedValueField:
    return PresentedValueField(
        required=required,
        metadata={
            "description": "As the person gave it; it is standardized here. Handles, loyalty ids and "
            "documents are written TYPE:VALUE or as the object that a record holds.",
            "oneOf": [{"type": "string", "maxLength": 320}, {"type": "object"}],
            "examples": ["11 98765-4321"],
        },
    )


class PresentedIdentifierSchema(ma.Schema):
    type = type_field(required=True)
    value = value_field(required=True)


class LookupSchema(ma.Schema):
    """Either one identifier as `type` and `value`, or several as `identifiers`."""

    type = type_field(required=False)
    value = value_field(required=False)
    identifiers = ma.fields.List(
        ma.fields.Nested(PresentedIdentifierSchema),
        validate=ma.validate.Length(min=1, max=IDENTIFIERS_AT_MOST),
    )
    region = ma.fields.String(
        validate=ma.validate.Regexp("^[A-Z]{2}$"),
        metadata={
            "description": "Where numbers without a country code belong; CDP_DEFAULT_REGION by default.",
            "examples": ["BR"],
        },
    )

    @ma.validates_schema
    def check_one_form(self, data: dict[str, Any], **_: Any) -> None:
        alone = {name for name in ("type", "value") if name in data}
        if "identifiers" in data and alone:
            raise ma.ValidationError("Give `identifiers`, or `type` and `value`, not both.", "identifiers")
        if "identifiers" not in data:
            for name in sorted({"type", "value"} - alone):
                raise ma.ValidationError("Missing data for required field.", name)


class CandidateIdentifierSchema(ma.Schema):
    type = ma.fields.String(required=True, metadata={"examples": ["phone"]})
    pointer = ma.fields.String(required=True, metadata={"examples": ["/identifiers/0"]})


class CandidateSchema(ma.Schema):
    profile_id = ma.fields.String(required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    identifiers = ma.fields.List(
        ma.fields.Nested(CandidateIdentifierSchema),
        required=True,
        metadata={"description": "Those of the request that this profile holds."},
    )


class SeveralProfilesSchema(ProblemSchema):
    """The identifiers belong to several profiles: twenty at most, those that hold most identifiers first."""

    candidates = ma.fields.List(ma.fields.Nested(CandidateSchema), required=True)


@blueprint.post("/lookup")
@requires_scope("profiles:lookup", reads_only=True)
@blueprint.doc(operationId="lookUpProfile")
@blueprint.arguments(
    LookupSchema(),
    examples={
        "one": {"summary": "One identifier", "value": {"type": "phone", "value": "11 98765-4321"}},
        "several": {
            "summary": "Several at once",
            "value": {
                "identifiers": [
                    {"type": "email", "value": "ana@example.com"},
                    {"type": "instagram", "value": "@ana.reis"},
                ]
            },
        },
    },
)
@blueprint.arguments(ViewQuerySchema(), location="query")
@blueprint.response(200, ANY_VIEW_OR_REFERENCE, description="The profile's view", example=VIEW_EXAMPLE)
@blueprint.refuses(404, "Nobody holds them")
@blueprint.alt_response(
    409,
    schema=SeveralProfilesSchema,
    content_type=PROBLEM_TYPE,
    description="They belong to several profiles",
)
def look_up_profile(body: dict[str, Any], query: dict[str, Any]) -> Response:
    """Find the profile that holds an identifier

    Values are standardized as those of records are; a Brazilian phone is found with or without its ninth
    digit. With several identifiers the profile is the one that holds all of them that anybody holds; when
    there is no such profile, or more than one, the answer is 409 with the candidates. A value that belongs to
    nobody in particular, such as a switchboard's number, finds nobody. Identifiers that cannot be right are
    left out, and are an error only when none is left.
    """
    caller = current_caller()
    reading = choose_reading(caller, query, needs_view=False)
    presented = _standardized(body)
    identifiers = [identifier for _, identifier in presented]
    with snapshot() as connection:
        found = look_up(connection, identifiers, sources=caller.sources)
        profile = found.profile_id and require_profile(connection, found.profile_id, sources=caller.sources)
    kinds = sorted({each.kind for each in identifiers})
    if found.candidates:
        ids = list(found.candidates)
        audit_read(NOBODY, "profile.lookup_several", reading, types=kinds, profile_ids=ids)
        raise _several(found, presented)
    if not profile:
        audit_read(NOBODY, "profile.lookup_none", reading, types=kinds)
        raise Problem("profile_not_found")
    response = answer_view(profile, reading, found_by="identifiers")
    return locate(response, profile, None, "profiles.get_profile", view=query.get("view"))


def _standardized(body: dict[str, Any]) -> list[tuple[str, Identifier]]:
    """The usable identifiers, each with its place in the request. Raises Problem when there is none."""
    region = body.get("region") or current_service().settings.default_region
    if "identifiers" in body:
        given = {f"/identifiers/{place}": each for place, each in enumerate(body["identifiers"])}
    else:
        given = {"": {"type": body["type"], "value": body["value"]}}
    usable: list[tuple[str, Identifier]] = []
    errors = []
    for pointer, each in given.items():
        outcome = standardize_presented(each["type"], each["value"], region)
        if isinstance(outcome, Identifier):
            usable.append((pointer, outcome))
        else:
            part, told = "/value", f"Refused: {outcome.reason}."
            if outcome.reason == "unknown_kind":
                part, told = "/type", f"{told} There are {TYPES}"
            errors.append({"pointer": pointer + part, "detail": told})
    if not usable:
        raise Problem("identifier_invalid", errors=errors)
    return usable


def _several(found: Found, presented: list[tuple[str, Identifier]]) -> Problem:
    candidates = [
        {
            "profile_id": profile_id,
            "identifiers": [
                {"type": presented[place][1].kind, "pointer": presented[place][0]} for place in places
            ],
        }
        for profile_id, places in found.candidates.items()
    ]
    return Problem("several_profiles", extension={"candidates": candidates})
