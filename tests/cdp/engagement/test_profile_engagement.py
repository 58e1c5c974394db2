"""What the views show of a person: the events of their records put together, under whatever ids they came."""

from __future__ import annotations

from typing import Any

from cdp.engagement.profile_engagement import Engagement, Size, select_engagement
from cdp.engagement.timeline import Position, select_timeline
from cdp.store import read
from tests.cdp.engagement.posting import Post, alias, at, track, visit

ALL = Size(carts=5, orders=5, wish_lists=5, items=5)
KEYBOARD = {"product_id": "p-1", "price": 50}
MOUSE = {"product_id": "p-2", "price": 10}


def engagement_of(post: Post, key: str, size: Size | None = ALL) -> Engagement:
    with read(post.engine) as connection:
        return select_engagement(connection, post.desk.profile_of(key), size)


def products(listed: Any) -> list[list[str]]:
    return [[item["product_id"] for item in each["items"]] for each in listed]


def by_visitor(message_id: str, event: str, **properties: Any) -> dict[str, Any]:
    return track(message_id, None, event, **properties) | {"anonymousId": "a-1"}


def test_a_visitors_cart_is_the_users_whom_they_turn_out_to_be(post: Post) -> None:
    post.send(by_visitor("m-1", "Product Added", **KEYBOARD) | {"timestamp": at(1)})
    post.send(track("m-2", "u-1", "Product Added", **MOUSE) | {"timestamp": at(2), "anonymousId": "a-1"})

    [cart] = engagement_of(post, "u-1").carts

    assert products([cart]) == [["p-1", "p-2"]]
    assert (cart["cart_id"], cart["source"], cart["value"]) == (None, "shop", 60.0)


def test_an_order_of_the_user_closes_the_cart_that_the_visitor_filled(post: Post) -> None:
    post.send(
        by_visitor("m-1", "Product Added", **KEYBOARD) | {"timestamp": at(1)},
        track("m-2", "u-1", "Order Completed", order_id="o-1", products=[KEYBOARD])
        | {"timestamp": at(2), "anonymousId": "a-1"},
    )

    engagement = engagement_of(post, "u-1")

    assert engagement.carts == []
    assert [each["order_id"] for each in engagement.orders] == ["o-1"]


def test_an_order_that_two_ids_tell_of_is_one(post: Post) -> None:
    post.send(
        by_visitor("m-1", "Order Completed", order_id="o-1", total=60) | {"timestamp": at(1)},
        track("m-2", "u-1", "Order Refunded", order_id="o-1", total=60) | {"timestamp": at(2)},
        visit("m-3", "a-1", "u-1"),
    )

    [order] = engagement_of(post, "u-1").orders

    assert (order["status"], order["total"], order["refunded_total"]) == ("refunded", 60.0, 60.0)


def test_what_is_shown_keeps_to_its_size_newest_first(post: Post) -> None:
    post.send(
        *(
            track(f"m-{number}", "u-1", "Order Completed", order_id=f"o-{number}", products=[KEYBOARD, MOUSE])
            | {"timestamp": at(number)}
            for number in range(5)
        )
    )

    orders = engagement_of(post, "u-1", Size(carts=0, orders=2, wish_lists=0, items=1)).orders

    assert [each["order_id"] for each in orders] == ["o-4", "o-3"]
    assert products(orders) == [["p-1"], ["p-1"]]


def test_an_order_that_two_ids_tell_of_takes_one_place(post: Post) -> None:
    def placed(user: str, number: int, minute: int) -> dict[str, Any]:
        said = track(f"m-{user}-{number}", user, "Order Completed", order_id=f"o-{number}")
        return said | {"timestamp": at(minute)}

    post.send(placed("u-1", 1, 1), placed("u-1", 2, 2), placed("u-1", 3, 3), placed("u-1", 4, 4))
    post.send(placed("old", 4, 4), placed("old", 3, 5), alias("m-9", "old", "u-1"))

    orders = engagement_of(post, "u-1", Size(carts=0, orders=3, wish_lists=0, items=1)).orders

    assert [each["order_id"] for each in orders] == ["o-3", "o-4", "o-2"]


def test_wishes_are_shown_by_list(post: Post) -> None:
    post.send(
        track("m-1", "u-1", "Product Added to Wishlist", wishlist_id="w-1", wishlist_name="Xmas", **KEYBOARD)
    )

    [wish_list] = engagement_of(post, "u-1").wish_lists

    assert (wish_list["wish_list_id"], wish_list["name"]) == ("w-1", "Xmas")


def test_of_several_records_any_no_to_a_category_is_the_persons(post: Post) -> None:
    def says(message_id: str, user: str, minute: int, granted: bool) -> dict[str, Any]:
        context = {"consent": {"categoryPreferences": {"Advertising": granted}}}
        return track(message_id, user, "Signed Up") | {"timestamp": at(minute), "context": context}

    post.send(says("m-1", "old", 1, False), says("m-2", "new", 2, True), alias("m-3", "old", "new"))
    together = engagement_of(post, "new", None)
    post.desk.split("old")
    apart = engagement_of(post, "new", None)

    assert [(each.category, each.granted) for each in together.consents] == [("Advertising", False)]
    assert [(each.category, each.granted) for each in apart.consents] == [("Advertising", True)]


def test_a_timeline_is_of_the_records_that_are_the_persons_now(post: Post) -> None:
    post.send(
        track("m-1", "old", "First") | {"timestamp": at(1)},
        track("m-3", "new", "Third") | {"timestamp": at(3)},
        track("m-2", "old", "Second") | {"timestamp": at(2)},
        alias("m-4", "old", "new") | {"timestamp": at(4)},
    )
    with read(post.engine) as connection:
        together = select_timeline(connection, post.desk.profile_of("new"), limit=10)
    post.desk.split("old")

    with read(post.engine) as connection:
        apart = select_timeline(connection, post.desk.profile_of("old"), limit=10)

    assert [each.name for each in together] == [None, "Third", "Second", "First"]
    assert [each.name for each in apart] == ["Second", "First"]


def test_a_timeline_goes_on_after_any_of_its_events(post: Post) -> None:
    post.send(
        *(track(f"m-{number}", "u-1", f"E{number}") | {"timestamp": at(number // 2)} for number in range(5))
    )
    profile_id = post.desk.profile_of("u-1")

    names: list[str | None] = []
    before = None
    with read(post.engine) as connection:
        while page := select_timeline(connection, profile_id, before=before, limit=2):
            names += [each.name for each in page]
            before = Position(page[-1].occurred_at, page[-1].event_id)

    assert names == ["E4", "E3", "E2", "E1", "E0"]
