"""Segment's messages as the description of the API tells of them; what is one is said by `cdp`, once."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from api.fields import TextField
from api.masks import SHOWN
from cdp.engagement.message import ID_LIMIT, NAME_LIMIT
from cdp.store.engagement_schema import EVENT_KINDS

BATCH_AT_MOST = 5000


def _id(description: str, example: str) -> ma.fields.String:
    return ma.fields.String(
        validate=ma.validate.Length(max=ID_LIMIT),
        metadata={"description": description, "examples": [example]},
    )


def _object(description: str, example: dict[str, Any]) -> ma.fields.Dict:
    return ma.fields.Dict(metadata={"description": description, "examples": [example]})


def _instant(description: str) -> ma.fields.String:
    return ma.fields.String(
        metadata={
            "format": "date-time",
            "description": description,
            "examples": ["2026-11-20T12:00:00.000Z"],
        }
    )


_CONTEXT_EXAMPLE = {
    "consent": {"categoryPreferences": {"Advertising": False, "Analytics": True}},
    "externalIds": [
        {"id": "390.533.447-05", "type": "cpf", "collection": "users", "encoding": "none"},
    ],
}


class SegmentMessageSchema(ma.Schema):
    """What every call carries. One of userId and anonymousId is needed."""

    userId = _id("The sender's id of the user.", "u-481")
    anonymousId = _id("Of a visitor whom nobody named, or of the device.", "a-7f3c")
    messageId = _id("A message with the id of an earlier one changes nothing.", "m-1")
    timestamp = _instant("When it happened, by the sender's clock.")
    sentAt = _instant("When it was sent, by the same clock: corrects the timestamp.")
    context = _object(
        "Of it, consent, externalIds, traits and device say something of the person.", _CONTEXT_EXAMPLE
    )
    integrations = _object("Is accepted, and means nothing here.", {})


class SegmentIdentifySchema(SegmentMessageSchema):
    traits = _object(
        "Reserved traits become fields of the record, others attributes.",
        {"email": "ana@example.com", "name": "Ana Reis"},
    )


class SegmentTrackSchema(SegmentMessageSchema):
    event = ma.fields.String(
        required=True,
        validate=ma.validate.Length(min=1, max=NAME_LIMIT),
        metadata={"examples": ["Product Added"]},
    )
    properties = _object(
        "Those of the e-commerce events make orders, carts, wish lists.", {"product_id": "p-1"}
    )


class SegmentPageSchema(SegmentMessageSchema):
    name = ma.fields.String(validate=ma.validate.Length(max=NAME_LIMIT), metadata={"examples": ["Home"]})
    category = ma.fields.String(metadata={"examples": ["Docs"]})
    properties = _object("Of the page or screen.", {"path": "/"})


class SegmentGroupSchema(SegmentMessageSchema):
    groupId = _id("Of a company, which becomes the attribute `company`.", "g-1")

    traits = _object("Of the group.", {"name": "Acme"})


class SegmentAliasSchema(SegmentMessageSchema):
    previousId = _id("A former id of the user, or the visitor they were.", "a-7f3c")


class SegmentAnyMessageSchema(SegmentMessageSchema):
    """A message of a batch; the members of its call stand beside its type."""

    class Meta:
        unknown = ma.INCLUDE

    type = ma.fields.String(required=True, metadata={"enum": list(EVENT_KINDS)})


class SegmentBatchSchema(ma.Schema):
    """As Segment's SDKs send it; members that are not named here mean nothing."""

    class Meta:
        unknown = ma.INCLUDE

    sentAt = _instant("When the batch was sent, by the sender's clock.")
    context = _object("For every message that does not say otherwise.", {})
    batch = ma.fields.List(
        ma.fields.Nested(SegmentAnyMessageSchema),
        required=True,
        validate=ma.validate.Length(max=BATCH_AT_MOST),
    )


class RejectedMessageSchema(ma.Schema):
    """A message that was not kept."""

    index = ma.fields.Integer(required=True, metadata={"description": "Its place in the batch."})
    messageId = TextField(SHOWN, required=True, allow_none=True, metadata={"examples": ["m-1"]})
    code = TextField(
        SHOWN, required=True, metadata={"description": "docs/segment.md lists them.", "examples": ["missing"]}
    )
    pointer = TextField(SHOWN, required=True, metadata={"examples": ["/batch/0/userId"]})
    detail = TextField(SHOWN, required=True, metadata={"examples": ["userId or anonymousId is missing"]})


class SegmentAnswerSchema(ma.Schema):
    success = ma.fields.Boolean(required=True, metadata={"enum": [True]})


class SegmentBatchAnswerSchema(SegmentAnswerSchema):
    rejected = ma.fields.List(
        ma.fields.Nested(RejectedMessageSchema),
        metadata={"description": "Only where there are any; the others were kept."},
    )
