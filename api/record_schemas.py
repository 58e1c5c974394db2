"""A record in the API's description. Whether something is one is judged by `cdp.intake.shape`, for every way in."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from cdp.intake.shape import ADDRESS_FIELDS, DOCUMENT_TYPES, KEY_LIMIT, LIST_LIMIT, VERIFIABLE_FIELDS

RECORD_EXAMPLE: dict[str, Any] = {
    "source": "whatsapp",
    "source_record_id": "5511987654321",
    "occurred_at": "2026-11-20T12:00:00Z",
    "full_name": "João da Silva Filho",
    "given_name": None,
    "family_name": None,
    "social_name": None,
    "birth_date": "1980-02-29",
    "gender": "m",
    "phones": ["+55 11 98765-4321"],
    "emails": ["joao@example.com"],
    "handles": [{"network": "instagram", "handle": "@joao.silva"}],
    "loyalty_ids": [{"program": "clube", "number": "998877"}],
    "documents": [{"type": "cpf", "number": "390.533.447-05"}],
    "device_ids": ["a1b2"],
    "address": {
        "street": "Rua A, 10",
        "city": "São Paulo",
        "region": "SP",
        "postal_code": "01310-100",
        "country": "BR",
    },
    "attributes": {"occupation": "dentist"},
    "verified": ["phones"],
}

# A whole number is taken as its digits: exports write telephone numbers so.
_TEXT_OR_NUMBER = ["string", "integer", "null"]


def _text(description: str = "", **metadata: Any) -> ma.fields.Raw:
    described = {"description": description} if description else {}
    return ma.fields.Raw(metadata={"type": _TEXT_OR_NUMBER, **described, **metadata})


def _key(description: str) -> ma.fields.Raw:
    return ma.fields.Raw(
        required=True,
        metadata={
            "type": ["string", "integer"],
            "minLength": 1,
            "maxLength": KEY_LIMIT,
            "description": description,
        },
    )


def _list(entry: ma.fields.Field[Any], description: str = "") -> ma.fields.List[Any]:
    return ma.fields.List(
        entry,
        allow_none=True,
        validate=ma.validate.Length(max=LIST_LIMIT),
        metadata={"description": description} if description else {},
    )


class RecordHandleSchema(ma.Schema):
    network = _text()
    handle = _text()
    scoped_id = _text("The id that the network gave your page or app for the person.")


class RecordLoyaltyIdSchema(ma.Schema):
    program = _text()
    number = _text()


class RecordDocumentSchema(ma.Schema):
    type = _text(f"One of {', '.join(DOCUMENT_TYPES)}.")
    number = _text()


RecordAddressSchema = ma.Schema.from_dict(
    {name: _text() for name in ADDRESS_FIELDS}, name="RecordAddressSchema"
)


class PersonFieldsSchema(ma.Schema):
    """What a record may say about a person. Nulls, empty texts and empty lists say nothing."""

    full_name = _text()
    given_name = _text()
    family_name = _text()
    social_name = _text("The name the person goes by; it is the one shown.")
    birth_date = _text("In the source's habit: 1980-02-29, 29/02/1980, 19800229, a year.")
    gender = _text("m, f, x, or a word for one of them.")
    phones = _list(_text())
    emails = _list(_text())
    device_ids = _list(_text())
    whatsapp_bsuids = _list(_text(), "WhatsApp's ids of people for your business.")
    handles = _list(ma.fields.Nested(RecordHandleSchema, allow_none=True))
    loyalty_ids = _list(ma.fields.Nested(RecordLoyaltyIdSchema, allow_none=True))
    documents = _list(ma.fields.Nested(RecordDocumentSchema, allow_none=True))
    address = ma.fields.Nested(RecordAddressSchema, allow_none=True)
    attributes = ma.fields.Dict(
        allow_none=True, metadata={"description": "Anything else that is worth comparing or showing."}
    )
    verified = _list(
        _text(enum=[*VERIFIABLE_FIELDS, None]),
        "The fields whose values the person proved to be theirs.",
    )


class IncomingRecordSchema(PersonFieldsSchema):
    """What one source says about one person at one time."""

    source = _key("The system that sends it, as it was created or imported.")
    source_record_id = _key("What the source knows the person by.")
    occurred_at = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "When the source knew this: ISO 8601, UTC where no zone is given; by default now.",
            "examples": ["2026-11-20T12:00:00Z"],
        },
    )
