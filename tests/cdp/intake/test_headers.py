"""Headers that mean fields."""

from __future__ import annotations

import pytest

from cdp.intake.errors import MappingError
from cdp.intake.headers import HEADERS, field_of_header, fold_header, guess_fields
from cdp.intake.mapping import Pattern

MEANINGS = {
    "source": "source",
    "ID": "source_record_id",
    "Código do Cliente": None,
    "Código Cliente": "source_record_id",
    "Nome Completo": "full_name",
    "NOME": "full_name",
    "Telefone": "phones",
    "Telefone 2": "phones",
    "phone_1": "phones",
    "telefone12": "phones",
    "Telefone 123": None,
    "E-mail": "emails",
    "e-mail 2": "emails",
    "nome 2": None,
    "CPF": "documents.cpf",
    "documents.cpf": "documents.cpf",
    "Documents.NIF": "documents.nif",
    "documents.foo": None,
    "Data de Nascimento": "birth_date",
    "CEP": "address.postal_code",
    "address.city": "address.city",
    "address.cidade": "address.city",
    "address.phone": None,
    "UF": "address.region",
    "Endereço": "address.street",
    "Número": "address.number",
    "instagram": "handles.instagram",
    "handles.tiktok": "handles.tiktok",
    "loyalty_ids.Clube": "loyalty_ids.clube",
    "attributes.Cor Preferida": "attributes.Cor Preferida",
    "attributes.": None,
    "Nome da Mãe": "attributes.mother_name",
    "sexo": "gender",
    "valor": None,
    "": None,
}


@pytest.mark.parametrize("header", MEANINGS)
def test_a_header_means(header: str) -> None:
    assert field_of_header(header) == MEANINGS[header]


def test_every_known_header_is_written_folded() -> None:
    assert [header for header in HEADERS if fold_header(header) != header] == []


def test_columns_of_one_list_add_up() -> None:
    fields, transforms, unknown = guess_fields(["id", "telefone", "celular", "emails", "valor"], frozenset())

    assert fields.lists == {
        "phones": (Pattern(("", ""), ("telefone",)), Pattern(("", ""), ("celular",))),
        "emails": (Pattern(("", ""), ("emails",)),),
    }
    assert list(transforms) == ["emails"]
    assert unknown == ["valor"]


def test_two_columns_of_one_single_valued_field_are_refused() -> None:
    with pytest.raises(MappingError, match="the columns nome and full_name both mean full_name"):
        guess_fields(["nome", "full_name"], frozenset())


def test_an_address_in_one_nested_column_is_taken_whole() -> None:
    fields, _, _ = guess_fields(["id", "address", "phones"], frozenset({"address", "phones"}))

    assert fields.whole == {"address": "address"}
    assert fields.lists["phones"] == (Pattern(("", ""), ("phones",)),)


def test_an_address_in_one_column_and_in_several_is_refused() -> None:
    with pytest.raises(MappingError, match="address comes in one column and in several"):
        guess_fields(["address", "cep"], frozenset({"address"}))
