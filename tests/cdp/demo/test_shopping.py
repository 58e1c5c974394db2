"""What the demo's customers do in the shop: readable, of its time and country, the same by the same seed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cdp.demo.generation import LAST_DAY, last_second
from cdp.demo.shopping import Shopper, Told, tell_shopping
from cdp.engagement.commerce import CART, ORDER, CommerceEvent, fold
from cdp.engagement.message import Delivery, read_message

UNTIL = last_second(LAST_DAY)
SINCE = UNTIL - 400 * 86_400


def tell(country: str, *, seed: int = 1, since: int = SINCE) -> list[list[Told]]:
    """Of thirty customers."""
    shoppers = [Shopper(f"WEB-{number}", country, since) for number in range(30)]
    return [tell_shopping(each, seed=seed, until=UNTIL) for each in shoppers]


def events_of(told: list[Told]) -> list[CommerceEvent]:
    return [
        CommerceEvent(str(number), datetime.fromtimestamp(when, UTC), message["event"], message["properties"])
        for number, (when, message) in enumerate(told)
        if message["type"] == "track"
    ]


def test_the_same_seed_tells_the_same_and_another_something_else() -> None:
    assert tell("BR") == tell("BR")
    assert tell("BR") != tell("BR", seed=2)


@pytest.mark.parametrize("since", [SINCE, UNTIL - 40, UNTIL - 13 * 86_400], ids=["long-known", "new", "late"])
def test_messages_can_be_read_and_are_of_the_time_of_the_account(since: int) -> None:
    told = [each for of_one in tell("BR", since=since) for each in of_one]

    assert all(since < when <= UNTIL for when, _ in told)
    read = [read_message(message, Delivery(datetime.fromtimestamp(when, UTC))) for when, message in told]
    assert {each.anonymous_id for each in read} <= {None}


@pytest.mark.parametrize(("country", "currency"), [("BR", "BRL"), ("PT", "EUR")])
def test_orders_are_in_the_money_of_the_country_and_add_up(country: str, currency: str) -> None:
    states = [item for told in tell(country) for item in fold(events_of(told)).items()]

    orders = [state.document for (kind, _), state in states if kind == ORDER]
    assert len(orders) > 20
    for order in orders:
        goods = sum(each["price"] * each["quantity"] for each in order["items"])
        assert order["currency"] == currency
        assert order["subtotal"] == pytest.approx(goods)
        assert order["total"] == pytest.approx(goods - (order["discount"] or 0) + order["shipping"])


def test_some_left_a_cart_and_what_was_ordered_is_in_none() -> None:
    states = [item for told in tell("BR") for item in fold(events_of(told)).items()]

    left = [subject_id for (kind, subject_id), state in states if kind == CART and state.is_open]
    assert len(left) > 5
    assert {each.rpartition("-")[2] for each in left} == {"0"}
