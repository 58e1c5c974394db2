"""What views show of a person's orders, carts, wish lists and consents, and how much of it each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import marshmallow as ma

from cdp.engagement.event_masking import mask_commerce, mask_name
from cdp.engagement.profile_engagement import Engagement, Size
from cdp.store.instants import format_instant

# Views that are not here show consents alone.
SIZES: Mapping[str, Size] = {
    "pos": Size(carts=1, orders=3, wish_lists=0, items=10),
    "agent": Size(carts=3, orders=5, wish_lists=3, items=20),
    "self": Size(carts=3, orders=10, wish_lists=3, items=50),
    "steward": Size(carts=3, orders=10, wish_lists=3, items=50),
}


def _instant(description: str, *, is_required: bool = False) -> ma.fields.String:
    return ma.fields.String(
        required=is_required,
        allow_none=True,
        metadata={
            "format": "date-time",
            "description": description,
            "examples": ["2026-11-20T12:00:00.000000Z"],
        },
    )


def _source() -> ma.fields.String:
    return ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "null where the key is bound to others.", "examples": ["web"]},
    )


class ProductSchema(ma.Schema):
    product_id = ma.fields.String(metadata={"examples": ["p-1"]})
    sku = ma.fields.String(metadata={"examples": ["KB-104"]})
    name = ma.fields.String(metadata={"examples": ["Keyboard"]})
    variant = ma.fields.String(metadata={"examples": ["black"]})
    brand = ma.fields.String()
    category = ma.fields.String()
    price = ma.fields.Float(metadata={"examples": [250.0]})
    quantity = ma.fields.Float(metadata={"description": "A part of one where sold so.", "examples": [1]})
    added_at = _instant("To the wish list.")


class CartSchema(ma.Schema):
    """What was put in and not ordered."""

    cart_id = ma.fields.String(required=True, allow_none=True, metadata={"examples": ["c-1"]})
    source = _source()
    item_count = ma.fields.Float(required=True, metadata={"examples": [1]})
    value = ma.fields.Float(required=True, allow_none=True, metadata={"examples": [250.0]})
    currency = ma.fields.String(required=True, allow_none=True, metadata={"examples": ["BRL"]})
    checkout_started_at = _instant("null before.", is_required=True)
    last_activity_at = _instant("When something was last put in or taken out.", is_required=True)
    items = ma.fields.List(ma.fields.Nested(ProductSchema), required=True)


class OrderSchema(ma.Schema):
    order_id = ma.fields.String(required=True, metadata={"examples": ["o-1"]})
    source = _source()
    status = ma.fields.String(
        required=True,
        metadata={"enum": ["completed", "updated", "cancelled", "refunded", "partially_refunded"]},
    )
    placed_at = _instant("null where only later events are known.", is_required=True)
    total = ma.fields.Float(required=True, allow_none=True, metadata={"examples": [265.0]})
    currency = ma.fields.String(required=True, allow_none=True, metadata={"examples": ["BRL"]})
    refunded_total = ma.fields.Float(required=True, metadata={"examples": [0.0]})
    refunded_at = _instant("First.", is_required=True)
    cancelled_at = _instant("First.", is_required=True)
    items = ma.fields.List(ma.fields.Nested(ProductSchema), required=True)


class WishListSchema(ma.Schema):
    wish_list_id = ma.fields.String(required=True, allow_none=True, metadata={"examples": ["w-1"]})
    source = _source()
    name = ma.fields.String(required=True, allow_none=True, metadata={"examples": ["Birthday"]})
    item_count = ma.fields.Integer(required=True, metadata={"examples": [1]})
    items = ma.fields.List(ma.fields.Nested(ProductSchema), required=True)


class CommerceSchema(ma.Schema):
    """The newest of each, as many as the view has room for."""

    carts = ma.fields.List(ma.fields.Nested(CartSchema), required=True)
    orders = ma.fields.List(ma.fields.Nested(OrderSchema), required=True)
    wish_lists = ma.fields.List(ma.fields.Nested(WishListSchema), required=True)


class ConsentSchema(ma.Schema):
    """The newest word of each record, and of several records the most restrictive."""

    category = ma.fields.String(required=True, metadata={"examples": ["Advertising"]})
    granted = ma.fields.Boolean(required=True)
    asserted_at = _instant("When it was said.", is_required=True)
    source = _source()


def engagement_document(
    engagement: Engagement, sources: Collection[str] | None, *, unmask: bool
) -> dict[str, Any]:
    """The sections `consents` and `commerce`. Sources: what the key is bound to."""
    consents = [
        {
            "category": word.category if unmask else mask_name(word.category),
            "granted": word.granted,
            "asserted_at": format_instant(word.asserted_at),
            "source": _told(word.source, sources),
        }
        for word in engagement.consents
    ]
    listed = {"carts": engagement.carts, "orders": engagement.orders, "wish_lists": engagement.wish_lists}
    commerce = {name: _shown(documents, sources, unmask=unmask) for name, documents in listed.items()}
    return {"consents": consents, "commerce": commerce}


def _shown(
    documents: Sequence[Mapping[str, Any]], sources: Collection[str] | None, *, unmask: bool
) -> list[dict[str, Any]]:
    masked = documents if unmask else [mask_commerce(each) for each in documents]
    return [{**each, "source": _told(each["source"], sources)} for each in masked]


def _told(source: str | None, sources: Collection[str] | None) -> str | None:
    """A key that is bound to sources is not told which other ones know the person."""
    return source if sources is None or source in sources else None
