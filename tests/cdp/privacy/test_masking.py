"""A mask keeps what lets two people agree on a value, and hides the rest."""

from __future__ import annotations

from typing import Any

import pytest

from cdp.privacy.masking import (
    mask_identifier,
    mask_keys_of,
    mask_source_record_id,
    mask_telling,
    mask_value,
)


@pytest.mark.parametrize(
    ("kind", "value", "masked"),
    [
        ("phone", "+5511987654321", "+55***4321"),
        ("phone", "+12345", "***"),
        ("email", "ana@example.com", "a***@example.com"),
        ("handle", "instagram:ana.reis", "instagram:a***"),
        ("document", "cpf:39053344705", "cpf:***705"),
        ("document", "other:12345", "other:***"),
        ("loyalty_id", "clube:998877", "clube:***"),
        ("loyalty_id", "clube:99887766", "clube:***766"),
        ("device_id", "a1b2", "***"),
        ("device_id", "0f8fad5b-d9cb-469f", "***69f"),
        ("whatsapp_bsuid", "BR.1234567890", "***890"),
    ],
)
def test_identifiers(kind: str, value: str, masked: str) -> None:
    assert mask_identifier(kind, value) == masked


@pytest.mark.parametrize(
    ("source_record_id", "masked"),
    [
        ("c-481", "c-481"),
        ("5511987654321", "***321"),
        ("ana@example.com", "***com"),
        ("390.533.447-05", "***-05"),
    ],
)
def test_a_source_key_that_may_be_personal_shows_its_tail(source_record_id: str, masked: str) -> None:
    assert mask_source_record_id(source_record_id) == masked


@pytest.mark.parametrize(
    ("source_record_id", "identifier", "masked"),
    [
        ("ana.lima77", ("handle", "instagram:ana.lima77"), "***a77"),
        ("IG-Ana_Lima", ("handle", "instagram:ana.lima"), "***ima"),
        ("Ána-Reis", ("email", "ana.reis@example.com"), "***eis"),
        ("c-998877", ("loyalty_id", "clube:998877"), "***877"),
        ("A1B2", ("device_id", "a1b2"), "***"),
        ("c-481", ("handle", "instagram:c48"), "c-481"),
        ("c-481", ("handle", "instagram:ana.lima"), "c-481"),
    ],
)
def test_a_source_key_that_holds_an_identifier_shows_its_tail(
    source_record_id: str, identifier: tuple[str, str], masked: str
) -> None:
    assert mask_source_record_id(source_record_id, [identifier]) == masked


def test_the_keys_of_a_person_are_masked_by_all_identifiers() -> None:
    mask_key = mask_keys_of([("handle", "instagram:ana.lima77"), ("device_id", "a1b2")])

    assert [mask_key(each) for each in ("ana.lima77", "A1B2", "c-481", "ana.lima77")] == [
        "***a77",
        "***",
        "c-481",
        "***a77",
    ]


def test_a_text_that_holds_an_address_is_not_shown() -> None:
    assert [mask_telling(each) for each in ("Wrote ana@example.com", "Signed Up", None)] == [
        "***",
        "Signed Up",
        None,
    ]


@pytest.mark.parametrize(
    "value",
    ["a@b", "12 34 56 78", 12345678, 1234567.8, "ana%40example.com", "a\uff20b", "\uff11" * 8, "\u00b2" * 8],
    ids=["address", "digits", "number", "float", "escaped", "wide sign", "wide digits", "raised digits"],
)
def test_what_tells_a_person_is_hidden_however_it_is_written(value: Any) -> None:
    assert mask_telling(value) == "***"


@pytest.mark.parametrize("value", ["Jo\u00e3o", "Rua 1234567", "100%", 1234567, True, None, ""], ids=repr)
def test_what_tells_nobody_is_shown_as_it_is(value: Any) -> None:
    assert mask_telling(value) is value


@pytest.mark.parametrize(
    ("attribute", "value", "masked"),
    [
        ("full_name", "Ana Reis", "Ana Reis"),
        ("birth_date", "1980-02-29", "1980-**-**"),
        ("birth_date", "1980", "1980"),
        (
            "address",
            {"street": "Rua A", "number": "10", "postal_code": "01310100", "city": "São Paulo"},
            {"street": "***", "number": "***", "postal_code": "013***", "city": "São Paulo"},
        ),
        ("attributes", {"mother_name": "Rita", "age": 3}, {"mother_name": "R***", "age": "***"}),
        ("attributes", {"ana@example.com": "sim"}, {"***": "s***"}),
        ("full_name", "Ana 11 98765-4321", "***"),
        ("address", {"city": "ana@example.com", "region": "11987654321"}, {"city": "***", "region": "***"}),
    ],
    ids=[
        "name",
        "date",
        "year",
        "address",
        "attributes",
        "address as an attribute",
        "phone as a name",
        "address as a city",
    ],
)
def test_values(attribute: str, value: Any, masked: Any) -> None:
    assert mask_value(attribute, value) == masked
