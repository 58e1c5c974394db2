"""Documents dumped by functions made of schemas: the same as marshmallow makes of them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import pytest

from api.dumping import InstantField, dump_of
from api.view_schemas import VIEW_SCHEMAS
from tests.builders import NOW

CHOSEN = {
    "value": "Ana Reis",
    "rule": "most_recent",
    "record_id": 12,
    "source": "crm",
    "source_record_id": "c-481",
    "occurred_at": "2026-11-20T12:00:00.000000Z",
    "records": 2,
    "of_no_schema": True,
}
GOLDEN_ATTRIBUTES = (
    "display_name",
    "full_name",
    "given_name",
    "family_name",
    "social_name",
    "agnomen",
    "birth_date",
    "gender",
    "address",
)
PHONE = {
    "type": "phone",
    "value": "+55***4321",
    "verified": True,
    "last_seen_at": "2026-11-20T12:00:00.000000Z",
    "record_ids": [12, 13],
}
FULL: dict[str, Any] = {
    "profile_id": "pf_1",
    "version": 3,
    "model_version": 0,
    "view": "agent",
    "masked": False,
    "state": "live",
    "record_count": 2,
    "golden": {
        **dict.fromkeys(GOLDEN_ATTRIBUTES, CHOSEN),
        "attributes": {"occupation": CHOSEN, "company": {"value": None, "source": None}},
    },
    "identifiers": [PHONE, {**PHONE, "superseded": True}],
    "created_at": NOW,
    "updated_at": NOW,
    "commerce": {
        "carts": [
            {
                "cart_id": None,
                "source": "web",
                "item_count": 1,
                "value": 250,
                "items": [{"product_id": "p-1", "price": 250, "quantity": 1.0, "name": "Keyboard"}],
            }
        ],
        "orders": [],
    },
    "consents": [{"category": "email", "granted": True, "source": None}],
}
SPARSE = {
    **FULL,
    "model_version": None,
    "golden": {"gender": {"value": "f"}},
    "identifiers": [],
    "commerce": {},
}


class InnerSchema(ma.Schema):
    number = ma.fields.Integer(data_key="shown")


class KindsSchema(ma.Schema):
    share = ma.fields.Float()
    at = InstantField()
    inner = ma.fields.Nested(InnerSchema, attribute="stored")
    many = ma.fields.List(ma.fields.Nested(InnerSchema))
    instants = ma.fields.List(InstantField())
    named = ma.fields.Dict(values=InstantField())
    secret = ma.fields.String(load_only=True)
    filled = ma.fields.List(ma.fields.String(), dump_default=list)
    fixed = ma.fields.String(dump_default="fixed")


@pytest.mark.parametrize("document", [FULL, SPARSE], ids=["full", "sparse"])
@pytest.mark.parametrize("view", VIEW_SCHEMAS)
def test_views_are_dumped_as_marshmallow_does(view: str, document: dict[str, Any]) -> None:
    schema = VIEW_SCHEMAS[view]

    assert dump_of(schema)(document) == schema.dump(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"share": None, "at": None, "stored": None, "many": None, "named": None, "filled": None},
        {
            "share": 0.5,
            "at": NOW,
            "stored": {"number": 1, "other": 2},
            "many": [{"number": 1}, {}],
            "instants": [NOW],
            "named": {"then": NOW},
            "secret": "kept",
            "filled": ["x"],
        },
    ],
    ids=["nothing", "nulls", "all"],
)
def test_every_kind_of_field_is_dumped_as_marshmallow_does(document: dict[str, Any]) -> None:
    schema = KindsSchema()

    assert dump_of(schema)(document) == schema.dump(document)


def test_defaults_are_not_shared() -> None:
    dump = dump_of(KindsSchema())

    dump({})["filled"].append("of one document")

    assert dump({})["filled"] == []


def test_a_kind_of_field_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError, match="DateTime"):
        dump_of(ma.Schema.from_dict({"then": ma.fields.DateTime()})())
