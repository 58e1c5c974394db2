"""By which linkage columns and values records are found to share an identifier."""

from __future__ import annotations

import pytest

from resolution.standardize import Identifier, Refusal, SourceSettings, Standardizer, linkage_values
from resolution.standardize.phones import forms_of_line, variant_key

STANDARDIZER = Standardizer(SourceSettings(), cache_size=0)


@pytest.mark.parametrize(
    ("e164", "forms"),
    [
        ("+5511987654321", ("+551187654321", "+5511987654321")),
        ("+551187654321", ("+551187654321", "+5511987654321")),
        ("+551133334444", ("+551133334444", "+5511933334444")),
        ("+525512345678", ("+525512345678", "+5215512345678")),
        ("+5491123456789", ("+541123456789", "+5491123456789")),
        ("+351912345678", ("+351912345678",)),
        ("+12025550123", ("+12025550123",)),
    ],
)
def test_the_forms_of_a_line_are_those_that_share_its_variant_key(e164: str, forms: tuple[str, ...]) -> None:
    assert forms_of_line(e164) == forms
    assert {variant_key(form) for form in forms} == {variant_key(e164)}


@pytest.mark.parametrize(
    ("kind", "value", "columns"),
    [
        ("email", "ana@example.com", ["emails"]),
        ("handle", "instagram:ana.reis", ["handles"]),
        ("loyalty_id", "clube:998877", ["loyalty_ids"]),
        ("device_id", "a1b2c3d4e5f6", ["device_ids"]),
        ("whatsapp_bsuid", "BR.13491208655302741918", ["whatsapp_bsuids"]),
        ("document", "cpf:39053344705", ["documents"]),
        ("document", "passport:AB123456", ["other_documents"]),
        ("document", "cnpj:11222333000181", []),
    ],
)
def test_an_identifier_is_held_in_the_column_of_its_kind(kind: str, value: str, columns: list[str]) -> None:
    assert linkage_values(kind, value) == [(column, value) for column in columns]


@pytest.mark.parametrize(
    "raw",
    [
        {"phones": ["+55 11 98765-4321"]},
        {"phones": ["11 3333-4444"]},
        {"phones": ["+351 912 345 678"]},
        {"emails": ["ana@example.com"]},
        {"handles": [{"network": "instagram", "handle": "@ana.reis"}]},
        {"documents": [{"type": "cpf", "number": "390.533.447-05"}]},
        {"documents": [{"type": "passport", "number": "AB123456"}]},
        {"loyalty_ids": [{"program": "clube", "number": "998877"}]},
        {"device_ids": ["a1b2c3d4e5f6a7b8"]},
    ],
    ids=str,
)
def test_a_record_that_holds_an_identifier_has_it_there(raw: dict[str, object]) -> None:
    record = STANDARDIZER.standardize(raw)
    [identifier] = record.identifiers

    held = {(column, value) for column, values in record.linkage.items() for value in values}

    found = held.intersection(linkage_values(identifier.kind, identifier.value))
    assert {column for column, _ in found} >= {
        column for column, _ in linkage_values(identifier.kind, identifier.value)
    }


def test_an_address_with_a_slip_is_the_one_meant_or_as_it_was_typed() -> None:
    meant = STANDARDIZER.standardize_identifier("email", "ana.reis@gmial.com")
    typed = STANDARDIZER.standardize_identifier("email", "ana.reis@gmial.com", as_typed=True)

    assert isinstance(meant, Identifier)
    assert isinstance(typed, Identifier)
    assert (meant.value, typed.value) == ("anareis@gmail.com", "ana.reis@gmial.com")


def test_as_typed_refuses_as_ever() -> None:
    assert STANDARDIZER.standardize_identifier("email", "nao@tem.com", as_typed=True) == Refusal(
        "/value", "junk"
    )
