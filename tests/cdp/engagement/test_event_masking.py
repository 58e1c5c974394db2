"""What is shown of an event to who may not see it whole."""

from __future__ import annotations

from typing import Any

import pytest

from cdp.engagement.event_masking import mask_context, mask_name, mask_properties


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
        "order_id": "202611200001",
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


def test_a_name_that_holds_an_address_is_not_shown() -> None:
    assert (mask_name("Wrote ana@example.com"), mask_name("Signed Up"), mask_name(None)) == (
        "***",
        "Signed Up",
        None,
    )
