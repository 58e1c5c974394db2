"""Orders, carts and wish lists out of e-commerce events. Pure rules.

Everything here is a function of the set of events: they are put in the order in which they occurred, and one that comes
twice counts once, so that neither the order of arrival nor repeats change anything.
Source of the events and their properties: Segment's public e-commerce specification, version 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cdp.store.instants import format_instant

ITEMS_AT_MOST = 100
SUBJECT_ID_LIMIT = 190
_TEXT_LIMIT = 200
_AMOUNT_LIMIT = Decimal(10) ** 12
_QUANTITY_LIMIT = Decimal(1_000_000)

ORDER, CART, CLOSING, WISH_LIST = "order", "cart", "closing", "wish_list"

# (kind, id) of what an event tells of; the cart or wish list of a shop that numbers none has the id ''.
Subject = tuple[str, str]

_COMPLETED, _UPDATED = "order completed", "order updated"
_REFUNDED, _CANCELLED = "order refunded", ("order cancelled", "order canceled")
_ADDED, _REMOVED, _VIEWED, _CHECKOUT = (
    "product added",
    "product removed",
    "cart viewed",
    "checkout started",
)
_WISHED, _UNWISHED = "product added to wishlist", "product removed from wishlist"
_WISH_ADDED = "wishlist product added to cart"
_OF_ORDERS = (_COMPLETED, _UPDATED, _REFUNDED, *_CANCELLED)
# What an order goes through. The newest says how it stands: a cancelled one may be placed again. Of two at one time the
# later in this table.
_RANK = {_COMPLETED: 0, _REFUNDED: 1, **dict.fromkeys(_CANCELLED, 2)}
_OF_CARTS = (_ADDED, _REMOVED, _VIEWED, _CHECKOUT, _WISH_ADDED)

_PRODUCT_TEXTS = ("product_id", "sku", "name", "variant", "brand", "category")
_ORDER_TEXTS = ("currency", "coupon", "affiliation", "payment_method", "shipping_method")
_ORDER_AMOUNTS = ("total", "revenue", "subtotal", "shipping", "tax", "discount")


@dataclass(frozen=True)
class CommerceEvent:
    """event_key: the same for an event that comes twice."""

    event_key: str
    occurred_at: datetime
    name: str
    properties: Mapping[str, Any]

    @property
    def at(self) -> str:
        return format_instant(self.occurred_at)

    @property
    def plain_name(self) -> str:
        return plain_name(self.name)


@dataclass(frozen=True)
class CommerceState:
    """What the events of one subject add up to. is_open: whether there is something to show of it."""

    document: dict[str, Any]
    is_open: bool
    changed_at: datetime


def plain_name(name: str) -> str:
    return " ".join(name.split()).casefold()


def subjects_of(name: str, properties: Mapping[str, Any]) -> list[Subject]:
    """What an event tells of; nothing for most."""
    plain = plain_name(name)
    cart_id = _id(properties, "cart_id")
    if plain in _OF_CARTS:
        return [(CART, cart_id)]
    if plain in (_WISHED, _UNWISHED):
        return [(WISH_LIST, _id(properties, "wishlist_id"))]
    if plain not in _OF_ORDERS:
        return []
    order_id = _id(properties, "order_id")
    orders = [(ORDER, order_id)] if order_id else []
    if plain != _COMPLETED:
        return orders
    # Most shops do not say which cart was ordered: then it is whatever was in one.
    return [*orders, (CART, cart_id) if cart_id else (CLOSING, "")]


def fold(events: Iterable[CommerceEvent]) -> dict[Subject, CommerceState]:
    """Everything that a set of events adds up to."""
    of_subject: dict[Subject, list[CommerceEvent]] = {}
    for event in in_order(events):
        for subject in subjects_of(event.name, event.properties):
            of_subject.setdefault(subject, []).append(event)
    closed_at = max((event.occurred_at for event in of_subject.get((CLOSING, ""), [])), default=None)
    return {
        subject: fold_subject(subject[0], listed, closed_at=closed_at)
        for subject, listed in of_subject.items()
    }


def fold_subject(
    kind: str, events: Iterable[CommerceEvent], *, closed_at: datetime | None = None
) -> CommerceState:
    """What the events of one subject add up to. closed_at: of a cart, when the last order closed it; events before that
    may be left out, others are one at least."""
    listed = in_order(events)
    if kind == CART and closed_at is not None:
        listed = [event for event in listed if event.occurred_at > closed_at]
    last = listed[-1].occurred_at if listed or closed_at is None else closed_at
    if kind == CLOSING:
        return CommerceState({}, True, last)
    if kind == CART:
        cart = _fold_cart(listed)
        return CommerceState(cart, bool(cart["items"]), last)
    if kind == WISH_LIST:
        wish_list = _fold_wish_list(listed)
        return CommerceState(wish_list, bool(wish_list["items"]), last)
    return CommerceState(_fold_order(listed), True, last)


def in_order(events: Iterable[CommerceEvent]) -> list[CommerceEvent]:
    """Each once, as they occurred."""
    distinct = {event.event_key: event for event in events}
    return sorted(distinct.values(), key=lambda event: (event.occurred_at, event.event_key))


def _fold_order(events: Sequence[CommerceEvent]) -> dict[str, Any]:
    told = [event for event in events if event.plain_name in (_COMPLETED, _UPDATED)]
    refunds = [event for event in events if event.plain_name == _REFUNDED]
    cancelled = [event.at for event in events if event.plain_name in _CANCELLED]
    marks = [(event.occurred_at, _RANK[event.plain_name]) for event in events if event.plain_name in _RANK]
    placed = [event.at for event in told if event.plain_name == _COMPLETED]
    order: dict[str, Any] = {"placed_at": min(placed, default=None)}
    for name, read in (
        *((each, _text) for each in _ORDER_TEXTS),
        *((each, _money) for each in _ORDER_AMOUNTS),
    ):
        order[name] = _last(told, name, read)
    order["items"] = _items(_last(told, "products", _product_list) or [])
    total = order["total"] if order["total"] is not None else order["revenue"]
    refunded = sum((_amount(event.properties.get("total")) or Decimal(0) for event in refunds), Decimal(0))
    order["refunded_total"] = float(refunded)
    _, rank = max(marks, default=(None, -1))
    order["status"] = _status(rank, refunds, refunded, total)
    order["cancelled_at"] = min(cancelled, default=None)
    order["refunded_at"] = min((event.at for event in refunds), default=None)
    return order


def _status(rank: int, refunds: Sequence[CommerceEvent], refunded: Decimal, total: float | None) -> str:
    """Rank: of what befell the order last."""
    if rank == _RANK[_REFUNDED]:
        # A refund that names neither products nor an amount is of everything.
        of_all = any(not ({"products", "total"} & event.properties.keys()) for event in refunds)
        is_whole = of_all or (total is not None and refunded >= Decimal(str(total)))
        return "refunded" if is_whole else "partially_refunded"
    if rank < 0:
        return "updated"
    return "completed" if rank == _RANK[_COMPLETED] else "cancelled"


def _fold_cart(events: Sequence[CommerceEvent]) -> dict[str, Any]:
    held: dict[str, dict[str, Any]] = {}
    checkout_started_at = None
    for event in events:
        match event.plain_name:
            case name if name in (_ADDED, _WISH_ADDED):
                _add(held, event.properties)
            case name if name == _REMOVED:
                _remove(held, event.properties)
            case name if name == _COMPLETED:
                held, checkout_started_at = {}, None
            case name:
                listed = _product_list(event.properties.get("products"))
                if listed is not None:
                    held = {}
                    for product in listed:
                        _add(held, product)
                if name == _CHECKOUT:
                    checkout_started_at = event.at
    items = [held[key] for key in sorted(held)]
    amounts = [
        Decimal(str(each["price"])) * each["quantity"] for each in items if each.get("price") is not None
    ]
    return {
        "items": _listed(held),
        "item_count": _number(sum((each["quantity"] for each in items), Decimal(0))),
        "value": float(sum(amounts, Decimal(0))) if items and len(amounts) == len(items) else None,
        "currency": _last(events, "currency", _text),
        "checkout_started_at": checkout_started_at if items else None,
        "last_activity_at": events[-1].at if events else None,
    }


def _add(held: dict[str, dict[str, Any]], properties: Mapping[str, Any]) -> None:
    key = _product_key(properties)
    if key is None:
        return
    known = held.get(key, {"quantity": Decimal(0)})
    quantity = min(known["quantity"] + _quantity(properties, default=Decimal(1)), _QUANTITY_LIMIT)
    held[key] = {**known, **_product(properties), "quantity": quantity}
    if quantity <= 0:
        del held[key]


def _remove(held: dict[str, dict[str, Any]], properties: Mapping[str, Any]) -> None:
    """As many as it says; all where it does not say."""
    key = _product_key(properties)
    if key is None or key not in held:
        return
    left = held[key]["quantity"] - _quantity(properties, default=held[key]["quantity"])
    if left > 0:
        held[key] = {**held[key], "quantity": left}
    else:
        del held[key]


def _fold_wish_list(events: Sequence[CommerceEvent]) -> dict[str, Any]:
    wished: dict[str, dict[str, Any]] = {}
    for event in events:
        key = _product_key(event.properties)
        if key is not None and event.plain_name == _WISHED:
            wished[key] = {**wished.get(key, {}), **_product(event.properties), "added_at": event.at}
        elif key is not None:
            wished.pop(key, None)
    return {
        "name": _last(events, "wishlist_name", _text),
        "items": [wished[key] for key in sorted(wished)][:ITEMS_AT_MOST],
        "item_count": len(wished),
        "last_activity_at": events[-1].at,
    }


def _last(events: Sequence[CommerceEvent], name: str, read: Callable[[object], Any]) -> Any:
    """What the newest event that says it says."""
    found = (read(event.properties.get(name)) for event in reversed(events))
    return next((value for value in found if value is not None), None)


def _items(products: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    held: dict[str, dict[str, Any]] = {}
    for product in products:
        _add(held, product)
    return _listed(held)


def _listed(held: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**held[key], "quantity": _number(held[key]["quantity"])} for key in sorted(held)[:ITEMS_AT_MOST]]


def _number(quantity: Decimal) -> int | float:
    """Added up as decimals, since things are sold by weight too, and told as numbers."""
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def _product_list(value: object) -> list[Mapping[str, Any]] | None:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else None


def _product(properties: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: _text(properties.get(name)) for name in _PRODUCT_TEXTS}
    known = {name: text for name, text in texts.items() if text}
    price = _money(properties.get("price"))
    return known if price is None else {**known, "price": price}


def _product_key(properties: Mapping[str, Any]) -> str | None:
    """What tells one product from another: the shop's number of it, else its name; and which variant."""
    named = (_text(properties.get(name)) for name in ("product_id", "sku", "name"))
    key = next((text for text in named if text), None)
    return key and f"{key}\n{_text(properties.get('variant')) or ''}"


def _quantity(properties: Mapping[str, Any], *, default: Decimal) -> Decimal:
    amount = _amount(properties.get("quantity"))
    return default if amount is None else max(Decimal(0), min(amount, _QUANTITY_LIMIT))


def _id(properties: Mapping[str, Any], name: str) -> str:
    value = properties.get(name)
    text = str(value).strip() if type(value) in (str, int) else ""
    return text if len(text) <= SUBJECT_ID_LIMIT and text.isprintable() else ""


def _text(value: object) -> str | None:
    return (str(value).strip()[:_TEXT_LIMIT] or None) if type(value) in (str, int) else None


def _money(value: object) -> float | None:
    amount = _amount(value)
    return None if amount is None else float(amount)


def _amount(value: object) -> Decimal | None:
    """A number, or a text that is one."""
    if type(value) not in (int, float, str):
        return None
    try:
        amount = Decimal(str(value).strip()[:40])
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) <= _AMOUNT_LIMIT else None
