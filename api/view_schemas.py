"""What each view shows of a profile: a schema with fields of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from api.dumping import InstantField
from api.engagement_schemas import CommerceSchema, ConsentSchema
from cdp.privacy.keys import VIEWS

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
# The kinds of identifiers a view shows; all where it is not named.
IDENTIFIER_KINDS: Mapping[str, frozenset[str]] = {
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
