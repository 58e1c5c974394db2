"""One person, several views: what each shows of a profile, and the rights to it.

A view is a schema with fields of its own. Identifiers, birth dates, streets and free attributes are masked in
all of them unless the caller may unmask and says what for. Every answer is audited.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
import orjson
from flask import Response, url_for

from api.auth import current_caller
from api.context import current_notes, current_request
from api.dumping import Dump, InstantField, dump_of
from api.engagement_schemas import SIZES, CommerceSchema, ConsentSchema, engagement_document
from api.errors import Problem
from api.inputs import read_purpose
from api.service import current_service
from api.snapshots import snapshot
from cdp.engagement.profile_engagement import NOTHING_DONE, select_engagement
from cdp.identity.profile_reads import Profile
from cdp.privacy.audit import AuditEntry
from cdp.privacy.keys import VIEWS, Caller
from cdp.privacy.masking import mask_golden, mask_identifier

REFERENCE = "reference"
PROFILE_ID_EXAMPLE = "pf_01jdcb4v9w8z6y5x4t3s2r1q0p"


def _instant(description: str) -> InstantField:
    return InstantField(
        metadata={
            "format": "date-time",
            "description": description,
            "examples": ["2026-11-20T12:00:00.000000Z"],
        }
    )


class ViewQuerySchema(ma.Schema):
    view = ma.fields.String(
        validate=ma.validate.OneOf(VIEWS),
        metadata={"description": "By default the key's only view, else `agent`."},
    )
    unmask = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "Whole values; needs the scope `pii:unmask` and the header CDP-Purpose."},
    )


class GoldenValueSchema(ma.Schema):
    """A value with where it comes from and the rule that chose it."""

    value = ma.fields.Raw(required=True, metadata={"examples": ["Ana Reis"]})
    rule = ma.fields.String(metadata={"examples": ["most_recent"]})
    record_id = ma.fields.Integer()
    source = ma.fields.String(allow_none=True, metadata={"examples": ["crm"]})
    source_record_id = ma.fields.String(allow_none=True, metadata={"examples": ["c-481"]})
    occurred_at = _instant("When the source said so.")
    record_count = ma.fields.Integer(
        attribute="records", metadata={"description": "How many records of the profile give this value."}
    )


class ShownValueSchema(ma.Schema):
    """A value without where it comes from."""

    value = ma.fields.Raw(required=True, metadata={"examples": ["Ana Reis"]})


class CallNamesSchema(ma.Schema):
    given_name = ma.fields.Nested(ShownValueSchema)
    social_name = ma.fields.Nested(ShownValueSchema)


class ChatNamesSchema(CallNamesSchema):
    display_name = ma.fields.Nested(ShownValueSchema)


class TillNamesSchema(ma.Schema):
    display_name = ma.fields.Nested(ShownValueSchema)
    full_name = ma.fields.Nested(ShownValueSchema)


class GoldenRecordSchema(ma.Schema):
    display_name = ma.fields.Nested(GoldenValueSchema)
    full_name = ma.fields.Nested(GoldenValueSchema)
    given_name = ma.fields.Nested(GoldenValueSchema)
    family_name = ma.fields.Nested(GoldenValueSchema)
    social_name = ma.fields.Nested(GoldenValueSchema)
    agnomen = ma.fields.Nested(GoldenValueSchema)
    birth_date = ma.fields.Nested(GoldenValueSchema)
    gender = ma.fields.Nested(GoldenValueSchema)
    address = ma.fields.Nested(GoldenValueSchema)
    attributes = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(GoldenValueSchema))


class OwnValuesSchema(ma.Schema):
    display_name = ma.fields.Nested(ShownValueSchema)
    full_name = ma.fields.Nested(ShownValueSchema)
    social_name = ma.fields.Nested(ShownValueSchema)
    birth_date = ma.fields.Nested(ShownValueSchema)
    gender = ma.fields.Nested(ShownValueSchema)
    address = ma.fields.Nested(ShownValueSchema)
    attributes = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(ShownValueSchema))


class IdentifierSchema(ma.Schema):
    type = ma.fields.String(required=True, metadata={"examples": ["phone"]})
    value = ma.fields.String(required=True, metadata={"examples": ["+55***4321"]})
    verified = ma.fields.Boolean(required=True)
    superseded = ma.fields.Boolean(
        metadata={
            "description": "True, or absent. True for a phone that is the other form of a line that stands before it, "
            "with or without the ninth digit: do not dial this one."
        }
    )
    last_seen_at = _instant("When a record last gave it.")


class HeldIdentifierSchema(IdentifierSchema):
    record_ids = ma.fields.List(ma.fields.Integer())


def _section(description: str) -> ma.fields.Field[Any]:
    return ma.fields.List(
        ma.fields.Dict(), dump_default=list, metadata={"description": f"{description} Empty for now."}
    )


def _view(name: str) -> ma.fields.String:
    return ma.fields.String(required=True, metadata={"enum": [name]})


class ReferenceViewSchema(ma.Schema):
    """What a key that may look up but read no view is told."""

    profile_id = ma.fields.String(required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    version = ma.fields.Integer(required=True, metadata={"description": "Grows with every change."})
    model_version = ma.fields.Integer(
        allow_none=True, metadata={"description": "The model that the profiles were made with."}
    )


class ViewSchema(ReferenceViewSchema):
    masked = ma.fields.Boolean(required=True)
    consents = ma.fields.List(
        ma.fields.Nested(ConsentSchema), required=True, metadata={"description": "By category."}
    )


class IvrViewSchema(ViewSchema):
    """How to address the caller, and what is open: as little as a voice needs."""

    view = _view("ivr")
    golden = ma.fields.Nested(CallNamesSchema, required=True)
    identifiers = ma.fields.List(ma.fields.Nested(IdentifierSchema), required=True)
    open_requests = _section("Needs that are not settled yet.")
    alerts = _section("What every channel should know before it answers.")


class BotViewSchema(IvrViewSchema):
    """For a conversation: how to address the person and what was said before."""

    view = _view("bot")
    golden = ma.fields.Nested(ChatNamesSchema, required=True)
    recent_contacts = _section("The last contacts, newest first.")


class PosViewSchema(ViewSchema):
    """For the till: whom, with which card."""

    view = _view("pos")
    golden = ma.fields.Nested(TillNamesSchema, required=True)
    identifiers = ma.fields.List(ma.fields.Nested(IdentifierSchema), required=True)
    commerce = ma.fields.Nested(CommerceSchema, required=True)
    alerts = _section("What every channel should know before it answers.")


class AgentViewSchema(ViewSchema):
    """Everything that helps in a contact: values with their provenance, and all sections."""

    view = _view("agent")
    record_count = ma.fields.Integer(required=True)
    golden = ma.fields.Nested(GoldenRecordSchema, required=True)
    identifiers = ma.fields.List(ma.fields.Nested(IdentifierSchema), required=True)
    open_requests = _section("Needs that are not settled yet.")
    recent_contacts = _section("The last contacts, newest first.")
    commerce = ma.fields.Nested(CommerceSchema, required=True)
    alerts = _section("What every channel should know before it answers.")


class SelfViewSchema(ViewSchema):
    """For the person: what is known of them, without how it came to be known."""

    view = _view("self")
    golden = ma.fields.Nested(OwnValuesSchema, required=True)
    identifiers = ma.fields.List(ma.fields.Nested(IdentifierSchema), required=True)
    open_requests = _section("Needs that are not settled yet.")
    recent_contacts = _section("The last contacts, newest first.")
    commerce = ma.fields.Nested(CommerceSchema, required=True)


class StewardViewSchema(AgentViewSchema):
    """The agent's view with what a steward decides by: states, times and the records of each identifier."""

    view = _view("steward")
    identifiers = ma.fields.List(ma.fields.Nested(HeldIdentifierSchema), required=True)
    state = ma.fields.String(required=True, metadata={"enum": ["live", "empty"]})
    created_at = _instant("When the id was given out.")
    updated_at = _instant("When the profile last changed.")


VIEW_SCHEMAS: Mapping[str, ma.Schema] = {
    REFERENCE: ReferenceViewSchema(),
    "ivr": IvrViewSchema(),
    "bot": BotViewSchema(),
    "pos": PosViewSchema(),
    "agent": AgentViewSchema(),
    "self": SelfViewSchema(),
    "steward": StewardViewSchema(),
}
_DUMPS: Mapping[str, Dump] = {name: dump_of(schema) for name, schema in VIEW_SCHEMAS.items()}
# The kinds of identifiers a view shows; all where it is not named.
_IDENTIFIER_KINDS: Mapping[str, frozenset[str]] = {
    "ivr": frozenset({"phone", "whatsapp_bsuid"}),
    "pos": frozenset({"phone", "loyalty_id", "document"}),
}
ANY_VIEW: dict[str, Any] = {"oneOf": [type(VIEW_SCHEMAS[view]) for view in VIEWS]}
ANY_VIEW_OR_REFERENCE: dict[str, Any] = {"oneOf": [*ANY_VIEW["oneOf"], ReferenceViewSchema]}
VIEW_EXAMPLE: dict[str, Any] = {
    "profile_id": PROFILE_ID_EXAMPLE,
    "version": 3,
    "model_version": 0,
    "view": "agent",
    "masked": True,
    "record_count": 2,
    "golden": {
        "display_name": {
            "value": "Ana Reis",
            "rule": "full_name",
            "record_id": 12,
            "source": "crm",
            "source_record_id": "c-481",
            "occurred_at": "2026-11-20T12:00:00.000000Z",
            "record_count": 2,
        }
    },
    "identifiers": [
        {
            "type": "phone",
            "value": "+55***4321",
            "verified": True,
            "last_seen_at": "2026-11-20T12:00:00.000000Z",
        }
    ],
    "consents": [],
    "open_requests": [],
    "recent_contacts": [],
    "commerce": {"carts": [], "orders": [], "wish_lists": []},
    "alerts": [],
}


@dataclass(frozen=True)
class Reading:
    """What a caller asks to see, once it is known that they may: view, whole values or masked, what for."""

    view: str
    unmask: bool
    purpose: str | None


def choose_reading(caller: Caller, query: Mapping[str, Any], *, needs_view: bool) -> Reading:
    """Raises Problem: a view that the key may not read is not found, like a profile that there is not."""
    readable = caller.readable_views
    view = query.get("view")
    if view is None:
        view = readable[0] if len(readable) == 1 else "agent"
        if view not in readable and len(readable) > 1:
            detail = f"This key has several views; name one of {', '.join(readable)}."
            raise Problem("validation_failed", errors=[{"pointer": "/query/view", "detail": detail}])
        if not readable and not needs_view:
            view = REFERENCE
    if view != REFERENCE and view not in readable:
        raise Problem("profile_not_found")
    return Reading(view, *read_unmasking(caller, unmask=query["unmask"]))


def read_unmasking(caller: Caller, *, unmask: bool) -> tuple[bool, str | None]:
    """Whether to unmask, and the purpose. Raises Problem when the caller may not or gives no purpose."""
    purpose = read_purpose()
    if unmask and not caller.has_scope("pii:unmask"):
        raise Problem("scope_missing", "It needs pii:unmask.")
    if unmask and purpose is None:
        raise Problem("purpose_required")
    return unmask, purpose


def answer_view(profile: Profile, reading: Reading, *, found_by: str) -> Response:
    """The view as a response with its ETag; 304 when the caller has it. The read is audited first."""
    audit_read(profile.profile_id, "profile.read", reading, found_by=found_by)
    sources = current_caller().sources
    shown = _document(profile, reading, sources)
    engagement = NOTHING_DONE
    if profile.has_engagement and reading.view != REFERENCE:
        with snapshot() as connection:
            engagement = select_engagement(connection, profile.profile_id, SIZES.get(reading.view))
    shown |= engagement_document(engagement, sources, unmask=reading.unmask)
    response = json_response(_DUMPS[reading.view](shown))
    # Of the body itself: view, mask and the key's sources shape it as much as the version does.
    etag = hashlib.sha256(response.get_data()).hexdigest()[:32]
    request = current_request()
    if request.method == "GET" and request.if_none_match.contains_weak(etag):
        response = Response(status=304)
    response.set_etag(etag)
    return response


def audit_read(
    profile_id: str, action: str, reading: Reading, **details: str | int | list[str] | None
) -> None:
    """Note who read what for which purpose. Raises ReadAuditFullError: then nothing may be shown."""
    service = current_service()
    service.read_audit.add(
        AuditEntry(
            actor=f"key:{current_caller().key_id}",
            action=action,
            object_kind="profile",
            object_id=profile_id,
            recorded_at=service.clock(),
            details={
                "view": reading.view,
                "unmasked": reading.unmask,
                "purpose": reading.purpose,
                "request_id": current_notes().request_id,
                **details,
            },
        )
    )


def json_response(document: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, mimetype="application/json")


def locate(
    response: Response, profile: Profile, asked_id: str | None, endpoint: str, **query: Any
) -> Response:
    """Where the answer lives, when that is not the address that was asked."""
    if asked_id != profile.profile_id:
        address = _address(endpoint, current_request().script_root).replace(
            PROFILE_ID_EXAMPLE, profile.profile_id
        )
        asked = urlencode({name: value for name, value in query.items() if value is not None}, doseq=True)
        response.headers.add("Content-Location", f"{address}?{asked}" if asked else address)
    return response


@lru_cache(maxsize=64)
def _address(endpoint: str, _root: str) -> str:
    """Of the example, under the root of the request: Flask makes it as slowly as the store finds a profile."""
    return url_for(endpoint, profile_id=PROFILE_ID_EXAMPLE)


def _document(profile: Profile, reading: Reading, sources: Collection[str] | None) -> dict[str, Any]:
    golden, identifiers = shown_values(
        profile.golden, profile.identifiers, unmask=reading.unmask, sources=sources
    )
    kinds = _IDENTIFIER_KINDS.get(reading.view)
    if kinds is not None:
        identifiers = [each for each in identifiers if each["type"] in kinds]
    return {
        "profile_id": profile.profile_id,
        "version": profile.version,
        "model_version": profile.model_version,
        "view": reading.view,
        "masked": not reading.unmask,
        "state": profile.state,
        "record_count": profile.record_count,
        "golden": golden,
        "identifiers": identifiers,
        "created_at": profile.created_at,
        "updated_at": profile.updated_at,
    }


def shown_values(
    golden: Mapping[str, Mapping[str, Any]],
    identifiers: Sequence[Mapping[str, Any]],
    *,
    unmask: bool,
    sources: Collection[str] | None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Golden values and identifiers as a caller may see them. Sources: what the key is bound to."""
    shown = [dict(each) for each in identifiers]
    if not unmask:
        golden = mask_golden(golden, [(each["type"], each["value"]) for each in identifiers])
        shown = [{**each, "value": mask_identifier(each["type"], each["value"])} for each in identifiers]
    if sources is not None:
        golden = _without_other_sources(golden, sources)
    return _flat(golden), shown


def _flat(golden: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The free attributes stand under their own names, each with its own provenance."""
    free = golden.get("attributes")
    return {**golden, "attributes": free["value"]} if free else dict(golden)


def _without_other_sources(
    golden: Mapping[str, Mapping[str, Any]], sources: Collection[str]
) -> dict[str, Mapping[str, Any]]:
    """A key that is bound to sources is not told which other ones know the person."""
    shown: dict[str, Mapping[str, Any]] = {}
    for attribute, chosen in golden.items():
        if attribute == "attributes":
            shown[attribute] = {**chosen, "value": _without_other_sources(chosen["value"], sources)}
        elif chosen.get("source") in sources or "source" not in chosen:
            shown[attribute] = chosen
        else:
            shown[attribute] = {**chosen, "source": None, "source_record_id": None}
    return shown
