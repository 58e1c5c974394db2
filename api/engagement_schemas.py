"""What views show of a person's orders, carts, wish lists and consents."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import marshmallow as ma

from api.fields import InstantField, TextField
from api.masks import SENDERS_ID, SHOWN, TEXT
from cdp.engagement.profile_engagement import Engagement


def _instant(description: str, *, is_required: bool = False) -> InstantField:
    return InstantField(
        required=is_required,
        allow_none=True,
        metadata={
            "format": "date-time",
            "description": description,
            "examples": ["2026-11-20T12:00:00.000000Z"],
        },
    )


def _source() -> TextField:
    return TextField(
        SHOWN,
        required=True,
        allow_none=True,
        metadata={"description": "null where the key is bound to others.", "examples": ["web"]},
    )


class ProductSchema(ma.Schema):
    product_id = TextField(SENDERS_ID, metadata={"examples": ["p-1"]})
    sku = TextField(SENDERS_ID, metadata={"examples": ["KB-104"]})
    name = TextField(TEXT, metadata={"examples": ["Keyboard"]})
    variant = TextField(TEXT, metadata={"examples": ["black"]})
    brand = TextField(
        TEXT,
    )
    category = TextField(
        TEXT,
    )
    price = ma.fields.Float(metadata={"examples": [250.0]})
    quantity = ma.fields.Float(metadata={"description": "A part of one where sold so.", "examples": [1]})
    added_at = _instant("To the wish list.")


class CartSchema(ma.Schema):
    """What was put in and not ordered."""

    cart_id = TextField(SENDERS_ID, required=True, allow_none=True, metadata={"examples": ["c-1"]})
    source = _source()
    item_count = ma.fields.Float(required=True, metadata={"examples": [1]})
    value = ma.fields.Float(required=True, allow_none=True, metadata={"examples": [250.0]})
    currency = TextField(TEXT, required=True, allow_none=True, metadata={"examples": ["BRL"]})
    checkout_started_at = _instant("null before.", is_required=True)
    last_activity_at = _instant("When something was last put in or taken out.", is_required=True)
    items = ma.fields.List(ma.fields.Nested(ProductSchema), required=True)


class OrderSchema(ma.Schema):
    order_id = TextField(SENDERS_ID, required=True, metadata={"examples": ["o-1"]})
    source = _source()
    status = TextField(
        SHOWN,
        required=True,
        metadata={"enum": ["completed", "updated", "cancelled", "refunded", "partially_refunded"]},
    )
    placed_at = _instant("null where only later events are known.", is_required=True)
    total = ma.fields.Float(required=True, allow_none=True, metadata={"examples": [265.0]})
    currency = TextField(TEXT, required=True, allow_none=True, metadata={"examples": ["BRL"]})
    refunded_total = ma.fields.Float(required=True, metadata={"examples": [0.0]})
    refunded_at = _instant("First.", is_required=True)
    cancelled_at = _instant("First.", is_required=True)
    items = ma.fields.List(ma.fields.Nested(ProductSchema), required=True)


class WishListSchema(ma.Schema):
    wish_list_id = TextField(SENDERS_ID, required=True, allow_none=True, metadata={"examples": ["w-1"]})
    source = _source()
    name = TextField(TEXT, required=True, allow_none=True, metadata={"examples": ["Birthday"]})
    item_count = ma.fields.Integer(required=True, metadata={"examples": [1]})
    items = ma.fields.List(ma.fields.Nested(ProductSchema), required=True)


class CommerceSchema(ma.Schema):
    """The newest of each, as many as the view has room for."""

    carts = ma.fields.List(ma.fields.Nested(CartSchema), required=True)
    orders = ma.fields.List(ma.fields.Nested(OrderSchema), required=True)
    wish_lists = ma.fields.List(ma.fields.Nested(WishListSchema), required=True)


class ConsentSchema(ma.Schema):
    """The newest word of each record, and of several records the most restrictive."""

    category = TextField(TEXT, required=True, metadata={"examples": ["Advertising"]})
    granted = ma.fields.Boolean(required=True)
    asserted_at = _instant("When it was said.", is_required=True)
    source = _source()


def engagement_document(engagement: Engagement, sources: Collection[str] | None) -> dict[str, Any]:
    """The sections `consents` and `commerce`, whole. Sources: what the key is bound to."""
    listed = {"carts": engagement.carts, "orders": engagement.orders, "wish_lists": engagement.wish_lists}
    if sources is None:
        return {"consents": engagement.consents, "commerce": listed}
    return {
        "consents": [replace(word, source=_told(word.source, sources)) for word in engagement.consents],
        "commerce": {
            name: [{**each, "source": _told(each["source"], sources)} for each in documents]
            for name, documents in listed.items()
        },
    }


def _told(source: str | None, sources: Collection[str]) -> str | None:
    """A key that is bound to sources is not told which other ones know the person."""
    return source if source in sources else None
