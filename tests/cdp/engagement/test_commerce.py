"""Orders, carts and wish lists are functions of the set of events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.engagement.commerce import CommerceEvent, fold, subjects_of

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEYBOARD = {"product_id": "p-1", "name": "Keyboard", "price": 50, "quantity": 2}
MOUSE = {"product_id": "p-2", "name": "Mouse", "price": "12.50"}
NAMES = (
    "Product Added",
    "Product Removed",
    "Cart Viewed",
    "Checkout Started",
    "Order Completed",
    "Order Updated",
    "Order Refunded",
    "Order Cancelled",
    "Product Added to Wishlist",
    "Product Removed from Wishlist",
    "Wishlist Product Added to Cart",
    "Product Viewed",
)


def told(minute: int, event: str, /, **properties: Any) -> CommerceEvent:
    return CommerceEvent(
        f"{minute}-{event}-{properties}", START + timedelta(minutes=minute), event, properties
    )


def cart_of(*events: CommerceEvent, cart_id: str = "") -> Any:
    return fold(events)["cart", cart_id].document


def order_of(*events: CommerceEvent) -> Any:
    return fold(events)["order", "o-1"].document


def test_a_cart_holds_what_was_put_in_and_not_taken_out() -> None:
    cart = cart_of(
        told(1, "Product Added", **KEYBOARD),
        told(2, "Product Added", **MOUSE),
        told(3, "Product Removed", product_id="p-1", quantity=1),
        told(4, "Product Removed", product_id="p-2"),
    )

    assert [(each["product_id"], each["quantity"]) for each in cart["items"]] == [("p-1", 1)]
    assert (cart["item_count"], cart["value"]) == (1, 50.0)


def test_a_view_of_the_whole_cart_says_what_is_in_it() -> None:
    cart = cart_of(
        told(1, "Product Added", **KEYBOARD),
        told(2, "Cart Viewed", products=[MOUSE]),
        told(3, "Checkout Started"),
    )

    assert [each["product_id"] for each in cart["items"]] == ["p-2"]
    assert cart["checkout_started_at"] == "2026-11-20T12:03:00.000000Z"


def test_an_order_closes_what_was_in_a_cart_before_it() -> None:
    states = fold(
        [
            told(1, "Product Added", **KEYBOARD),
            told(1, "Product Added", **MOUSE, cart_id="c-2"),
            told(2, "Order Completed", order_id="o-1"),
            told(3, "Product Added", **MOUSE),
        ]
    )

    assert [each["product_id"] for each in states["cart", ""].document["items"]] == ["p-2"]
    assert not states["cart", "c-2"].is_open


def test_an_order_that_names_its_cart_closes_that_one() -> None:
    states = fold(
        [
            told(1, "Product Added", **KEYBOARD, cart_id="c-1"),
            told(1, "Product Added", **MOUSE, cart_id="c-2"),
            told(2, "Order Completed", order_id="o-1", cart_id="c-1"),
        ]
    )

    assert (states["cart", "c-1"].is_open, states["cart", "c-2"].is_open) == (False, True)


def test_an_order_is_what_was_last_said_of_it() -> None:
    order = order_of(
        told(1, "Order Completed", order_id="o-1", total=112.5, currency="BRL", products=[KEYBOARD, MOUSE]),
        told(2, "Order Updated", order_id="o-1", total="100.00", products=[KEYBOARD]),
    )

    assert (order["total"], order["currency"], order["status"]) == (100.0, "BRL", "completed")
    assert [each["product_id"] for each in order["items"]] == ["p-1"]
    assert order["placed_at"] == "2026-11-20T12:01:00.000000Z"


@pytest.mark.parametrize(
    ("later", "status"),
    [
        (told(2, "Order Cancelled", order_id="o-1"), "cancelled"),
        (told(2, "Order Refunded", order_id="o-1"), "refunded"),
        (told(2, "Order Refunded", order_id="o-1", total=30), "partially_refunded"),
        (told(2, "Order Refunded", order_id="o-1", total=100), "refunded"),
        (told(2, "Order Refunded", order_id="o-1", products=[MOUSE]), "partially_refunded"),
    ],
    ids=["cancelled", "refunded", "in part", "by its amount", "some products"],
)
def test_an_order_goes_back(later: CommerceEvent, status: str) -> None:
    order = order_of(told(1, "Order Completed", order_id="o-1", total=100), later)

    assert order["status"] == status


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (["Completed", "Cancelled", "Completed"], "completed"),
        (["Completed", "Refunded", "Completed"], "completed"),
        (["Completed", "Cancelled", "Refunded"], "refunded"),
        (["Completed", "Refunded", "Cancelled"], "cancelled"),
        (["Completed", "Cancelled", "Updated"], "cancelled"),
        (["Updated"], "updated"),
    ],
    ids=lambda each: each if isinstance(each, str) else " ".join(each),
)
def test_an_order_stands_as_what_befell_it_last_says(steps: list[str], status: str) -> None:
    order = order_of(*(told(minute, f"Order {name}", order_id="o-1") for minute, name in enumerate(steps)))

    assert order["status"] == status


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (["Completed", "Cancelled"], "cancelled"),
        (["Refunded", "Cancelled"], "cancelled"),
        (["Completed", "Refunded"], "refunded"),
    ],
)
def test_of_two_steps_at_one_time_the_stronger_counts(steps: list[str], status: str) -> None:
    statuses = [
        order_of(*(told(1, f"Order {name}", order_id="o-1") for name in listed))["status"]
        for listed in (steps, steps[::-1])
    ]

    assert statuses == [status, status]


def test_things_are_sold_by_weight_too() -> None:
    cheese = {"product_id": "p-1", "price": 30}

    states = fold(
        [
            told(1, "Product Added", **cheese, quantity=0.1),
            told(2, "Product Added", **cheese, quantity="0.2"),
            told(3, "Product Added", product_id="p-2", price=1, quantity="1.5"),
            told(4, "Product Removed", product_id="p-2", quantity=0.5),
            told(5, "Order Updated", order_id="o-1", products=[{**cheese, "quantity": 0.5}]),
        ]
    )

    cart, order = states["cart", ""].document, states["order", "o-1"].document
    assert [(each["product_id"], each["quantity"]) for each in cart["items"]] == [("p-1", 0.3), ("p-2", 1)]
    assert (cart["item_count"], cart["value"]) == (1.3, 10.0)
    assert [each["quantity"] for each in order["items"]] == [0.5]


def test_a_refund_may_be_all_that_is_known_of_an_order() -> None:
    order = order_of(told(1, "Order Refunded", order_id="o-1", total=30))

    assert (order["placed_at"], order["refunded_total"]) == (None, 30.0)


def test_a_wish_list_holds_what_was_wished_last() -> None:
    state = fold(
        [
            told(1, "Product Added to Wishlist", wishlist_id="w-1", wishlist_name="Xmas", **KEYBOARD),
            told(2, "Product Added to Wishlist", wishlist_id="w-1", **MOUSE),
            told(3, "Product Removed from Wishlist", wishlist_id="w-1", product_id="p-2"),
            told(4, "Wishlist Product Added to Cart", wishlist_id="w-1", cart_id="c-1", **KEYBOARD),
        ]
    )

    wished = state["wish_list", "w-1"].document
    assert (wished["name"], [each["product_id"] for each in wished["items"]]) == ("Xmas", ["p-1"])
    assert state["cart", "c-1"].document["item_count"] == 2


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Product Viewed", KEYBOARD),
        ("Order Refunded", {}),
        ("Order Updated", {"order_id": ["o-1"]}),
        ("Order Cancelled", {"order_id": "x" * 500}),
    ],
)
def test_other_events_tell_of_no_order_cart_or_list(name: str, properties: dict[str, Any]) -> None:
    assert subjects_of(name, properties) == []


@pytest.mark.parametrize("odd", [None, True, [], {}, "many", "1e999", -3, 10**30, "NaN", 2.5])
def test_odd_numbers_and_products_do_no_harm(odd: Any) -> None:
    state = fold(
        [
            told(1, "Product Added", product_id="p-1", quantity=odd, price=odd),
            told(2, "Product Added", product_id=odd, name=odd),
            told(3, "Cart Viewed", products=[odd, {"product_id": "p-1", "price": odd}]),
            told(4, "Order Completed", order_id="o-1", total=odd, products=odd),
        ]
    )

    assert set(state) == {("cart", ""), ("order", "o-1"), ("closing", "")}


ids = st.sampled_from(["", "1", "2"])
amounts = st.one_of(st.none(), st.integers(-1, 3), st.sampled_from(["2", "1.50", 0.5, 0.1]))
products = st.fixed_dictionaries(
    {"product_id": ids}, optional={"quantity": amounts, "price": amounts, "variant": ids}
)
some_events = st.lists(
    st.builds(
        lambda minute, name, properties: (minute, name, properties),
        st.integers(0, 5),
        st.sampled_from(NAMES),
        st.builds(
            lambda product, rest: {**product, **rest},
            products,
            st.fixed_dictionaries(
                {"cart_id": ids, "order_id": ids, "wishlist_id": ids},
                optional={"products": st.lists(products, max_size=3), "total": amounts, "currency": ids},
            ),
        ),
    ),
    max_size=12,
).map(
    lambda listed: [
        CommerceEvent(str(number), START + timedelta(minutes=minute), name, properties)
        for number, (minute, name, properties) in enumerate(listed)
    ]
)


@settings(max_examples=300, deadline=None)
@given(events=some_events, data=st.data())
def test_neither_the_order_of_arrival_nor_repeats_change_anything(
    events: list[CommerceEvent], data: st.DataObject
) -> None:
    repeated = events + (data.draw(st.lists(st.sampled_from(events))) if events else [])
    shuffled = data.draw(st.permutations(repeated))

    assert fold(shuffled) == fold(events)
