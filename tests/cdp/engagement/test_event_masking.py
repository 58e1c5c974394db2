"""What is shown of an event to who may not see it whole."""

from __future__ import annotations

from typing import Any

import pytest

from cdp.engagement.event_masking import mask_context, mask_properties


def test_traits_are_masked_as_the_values_they_are() -> None:
    traits = {
        "email": "ana@example.com",
        "phone": "+5511987654321",
        "cpf": "39053344705",
        "name": "Ana Reis",
        "birthday": "1980-02-29",
        "address": {"street": "Rua A", "city": "Lisboa", "planet": "Earth"},
        "plan": "gold",
        "age": 46,
        "left": None,
    }

    assert mask_properties("identify", traits) == {
        "email": "a***@example.com",
        "phone": "+55***4321",
        "cpf": "cpf:***705",
        "name": "Ana Reis",
        "birthday": "1980-**-**",
        "address": {"street": "***", "city": "Lisboa", "planet": "E***"},
        "plan": "g***",
        "age": "***",
        "left": None,
    }


def test_products_and_orders_are_shown_and_what_else_is_said_of_them_is_not() -> None:
    properties = {
        "order_id": "202611200001",
        "total": 99.9,
        "products": [{"product_id": "p-1", "price": 50, "engraving": "For Ana"}],
        "receiver": {"name": "Bia"},
        "query": "11 98765-4321",
        "title": "Cart of ana@example.com",
    }

    assert mask_properties("track", properties) == {
        "order_id": "***001",
        "total": 99.9,
        "products": [{"product_id": "p-1", "price": 50, "engraving": "F***"}],
        "receiver": "***",
        "query": "***",
        "title": "***",
    }


@pytest.mark.parametrize(
    ("kind", "properties", "masked"),
    [
        ("alias", {"previousId": "ana@example.com"}, {"previousId": "***com"}),
        ("alias", {"previousId": "u-0"}, {"previousId": "u-0"}),
        (
            "group",
            {"groupId": "g-1", "traits": {"owner": "Ana"}},
            {"groupId": "g-1", "traits": {"owner": "A***"}},
        ),
        ("group", {"groupId": "ana@example.com", "traits": {}}, {"groupId": "***com", "traits": {}}),
    ],
)
def test_ids_and_groups_are_masked(kind: str, properties: Any, masked: Any) -> None:
    assert mask_properties(kind, properties) == masked


def test_of_the_context_only_the_app_and_the_device_are_shown() -> None:
    context = {
        "ip": "203.0.113.7",
        "locale": "pt-BR",
        "traits": {"email": "a"},
        "campaign": {"source": "x@y"},
    }

    assert mask_context(context) == {"locale": "pt-BR", "campaign": {"source": "***"}}


TELLING = [
    "ana@example.com",
    "Ligou 11 98765-4321",
    11987654321,
    "390.533.447-05",
    "/who?e=ana%40example.com",
    "ana\uff20example.com",
]
SHOWN = ["name", "title", "query", "path", "coupon", "type", "value", "affiliation", "variant", "step"]


@pytest.mark.parametrize("telling", TELLING)
def test_who_could_be_found_by_what_is_shown_is_not_shown(telling: Any) -> None:
    properties = dict.fromkeys(SHOWN, telling)
    listed = {name: [telling, {"name": telling}] for name in SHOWN}

    assert mask_properties("track", properties) == dict.fromkeys(SHOWN, "***")
    assert mask_properties("page", listed) == {name: ["***", {"name": "***"}] for name in SHOWN}
    assert mask_context({"campaign": {"term": telling, "tags": [telling]}, "locale": telling}) == {
        "campaign": {"term": "***", "tags": ["***"]},
        "locale": "***",
    }


@pytest.mark.parametrize("telling", TELLING)
def test_nobody_is_found_by_what_was_sent_as_something_else(telling: Any) -> None:
    names = ["name", "firstName", "lastName", "gender", "birthday", "email", "phone", "address", "plan"]
    sent = dict.fromkeys(names, telling) | {"address": {"city": telling, "state": telling, telling: 1}}

    shown = str(mask_properties("identify", sent))

    assert [each for each in map(str, TELLING) if each in shown] == []
    assert mask_properties("identify", dict.fromkeys(names[:4], telling)) == dict.fromkeys(names[:4], "***")


def test_an_address_in_the_place_of_a_name_is_not_shown() -> None:
    assert mask_properties("track", {"ana@example.com": True, "11987654321": 1}) == {"***": "***"}


def test_money_has_any_number_of_digits() -> None:
    amounts = {"total": 123456789.5, "tax": 100000000, "price": 33.333333333333336}

    assert mask_properties("track", amounts) == amounts
