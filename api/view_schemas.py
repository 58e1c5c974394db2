"""What each view shows of a profile, and how masked: a schema with fields of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from api.engagement_schemas import CommerceSchema, ConsentSchema
from api.fields import (
    AttributeField,
    FreeAttributesField,
    IdentifiersField,
    InstantField,
    MapField,
    TextField,
    ValueField,
)
from api.masks import ADDRESS, ATTRIBUTE, BIRTH_DATE, FREE, IDENTIFIER, SHOWN, SOURCE_KEY, TEXT
from cdp.engagement.profile_engagement import Size
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

    value = ValueField(ATTRIBUTE, required=True, metadata={"examples": ["Ana Reis"]})
    rule = TextField(SHOWN, metadata={"examples": ["most_recent"]})
    record_id = ma.fields.Integer()
    source = TextField(SHOWN, allow_none=True, metadata={"examples": ["crm"]})
    source_record_id = TextField(SOURCE_KEY, allow_none=True, metadata={"examples": ["c-481"]})
    occurred_at = _instant("When the source said so.")
    record_count = ma.fields.Integer(
        attribute="records", metadata={"description": "How many records of the profile give this value."}
    )


class ShownValueSchema(ma.Schema):
    """A value without where it comes from."""

    value = ValueField(ATTRIBUTE, required=True, metadata={"examples": ["Ana Reis"]})


class CallNamesSchema(ma.Schema):
    given_name = AttributeField(TEXT, ShownValueSchema)
    social_name = AttributeField(TEXT, ShownValueSchema)


class ChatNamesSchema(CallNamesSchema):
    display_name = AttributeField(TEXT, ShownValueSchema)


class TillNamesSchema(ma.Schema):
    display_name = AttributeField(TEXT, ShownValueSchema)
    full_name = AttributeField(TEXT, ShownValueSchema)


class GoldenRecordSchema(ma.Schema):
    display_name = AttributeField(TEXT, GoldenValueSchema)
    full_name = AttributeField(TEXT, GoldenValueSchema)
    given_name = AttributeField(TEXT, GoldenValueSchema)
    family_name = AttributeField(TEXT, GoldenValueSchema)
    social_name = AttributeField(TEXT, GoldenValueSchema)
    agnomen = AttributeField(TEXT, GoldenValueSchema)
    birth_date = AttributeField(BIRTH_DATE, GoldenValueSchema)
    gender = AttributeField(TEXT, GoldenValueSchema)
    address = AttributeField(ADDRESS, GoldenValueSchema)
    attributes = FreeAttributesField(AttributeField(FREE, GoldenValueSchema))


class OwnValuesSchema(ma.Schema):
    display_name = AttributeField(TEXT, ShownValueSchema)
    full_name = AttributeField(TEXT, ShownValueSchema)
    social_name = AttributeField(TEXT, ShownValueSchema)
    birth_date = AttributeField(BIRTH_DATE, ShownValueSchema)
    gender = AttributeField(TEXT, ShownValueSchema)
    address = AttributeField(ADDRESS, ShownValueSchema)
    attributes = FreeAttributesField(AttributeField(FREE, ShownValueSchema))


class IdentifierSchema(ma.Schema):
    type = TextField(SHOWN, required=True, metadata={"examples": ["phone"]})
    value = TextField(IDENTIFIER, required=True, metadata={"examples": ["+55***4321"]})
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


class PersonSchema(ma.Schema):
    """What those who look after profiles are shown of a person."""

    golden = ma.fields.Nested(GoldenRecordSchema, required=True)
    identifiers = IdentifiersField(HeldIdentifierSchema)


def _section(description: str) -> ma.fields.Field[Any]:
    return ma.fields.List(
        MapField(SHOWN), dump_default=list, metadata={"description": f"{description} Empty for now."}
    )


def _view(name: str) -> TextField:
    return TextField(SHOWN, required=True, metadata={"enum": [name]})


class ReferenceViewSchema(ma.Schema):
    """What a key that may look up but read no view is told."""

    # How much of what the person did; None for consents alone.
    size: Size | None = None

    profile_id = TextField(SHOWN, required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
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
    identifiers = IdentifiersField(IdentifierSchema, kinds=("phone", "whatsapp_bsuid"))
    open_requests = _section("Needs that are not settled yet.")
    alerts = _section("What every channel should know before it answers.")


class BotViewSchema(IvrViewSchema):
    """For a conversation: how to address the person and what was said before."""

    view = _view("bot")
    golden = ma.fields.Nested(ChatNamesSchema, required=True)
    identifiers = IdentifiersField(IdentifierSchema)
    recent_contacts = _section("The last contacts, newest first.")


class PosViewSchema(ViewSchema):
    """For the till: whom, with which card."""

    size = Size(carts=1, orders=3, wish_lists=0, items=10)

    view = _view("pos")
    golden = ma.fields.Nested(TillNamesSchema, required=True)
    identifiers = IdentifiersField(IdentifierSchema, kinds=("phone", "loyalty_id", "document"))
    commerce = ma.fields.Nested(CommerceSchema, required=True)
    alerts = _section("What every channel should know before it answers.")


class AgentViewSchema(ViewSchema):
    """Everything that helps in a contact: values with their provenance, and all sections."""

    size = Size(carts=3, orders=5, wish_lists=3, items=20)

    view = _view("agent")
    record_count = ma.fields.Integer(required=True)
    golden = ma.fields.Nested(GoldenRecordSchema, required=True)
    identifiers = IdentifiersField(IdentifierSchema)
    open_requests = _section("Needs that are not settled yet.")
    recent_contacts = _section("The last contacts, newest first.")
    commerce = ma.fields.Nested(CommerceSchema, required=True)
    alerts = _section("What every channel should know before it answers.")


class SelfViewSchema(ViewSchema):
    """For the person: what is known of them, without how it came to be known."""

    size = Size(carts=3, orders=10, wish_lists=3, items=50)

    view = _view("self")
    golden = ma.fields.Nested(OwnValuesSchema, required=True)
    identifiers = IdentifiersField(IdentifierSchema)
    open_requests = _section("Needs that are not settled yet.")
    recent_contacts = _section("The last contacts, newest first.")
    commerce = ma.fields.Nested(CommerceSchema, required=True)


class StewardViewSchema(AgentViewSchema):
    """The agent's view with what a steward decides by: states, times and the records of each identifier."""

    size = Size(carts=3, orders=10, wish_lists=3, items=50)

    view = _view("steward")
    identifiers = IdentifiersField(HeldIdentifierSchema)
    state = TextField(SHOWN, required=True, metadata={"enum": ["live", "empty"]})
    created_at = _instant("When the id was given out.")
    updated_at = _instant("When the profile last changed.")


VIEW_SCHEMAS: Mapping[str, ReferenceViewSchema] = {
    REFERENCE: ReferenceViewSchema(),
    "ivr": IvrViewSchema(),
    "bot": BotViewSchema(),
    "pos": PosViewSchema(),
    "agent": AgentViewSchema(),
    "self": SelfViewSchema(),
    "steward": StewardViewSchema(),
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
