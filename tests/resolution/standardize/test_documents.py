"""Documents: check digits, numbers that pass them and name nobody, fallible types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.br import cpf

from resolution.standardize.documents import is_cpf, standardize_document
from resolution.standardize.shapes import RefusedValueError

ACCEPTED = {
    "CPF with marks": ("390.533.447-05", "cpf", "cpf:39053344705"),
    "CPF bare": ("39053344705", "CPF", "cpf:39053344705"),
    "CPF that lost its zero": ("1398544604", "cpf", "cpf:01398544604"),
    "CNPJ": ("16.727.230/0001-97", "cnpj", "cnpj:16727230000197"),
    "CNPJ with letters": ("12ABC34501DE35", "cnpj", "cnpj:12ABC34501DE35"),
    "CNPJ with small letters": ("12.abc.345/01de-35", "cnpj", "cnpj:12ABC34501DE35"),
    "NIF": ("501 964 843", "nif", "nif:501964843"),
    "NIF with country": ("PT501964843", "nif", "nif:501964843"),
    "NIF by its other name": ("501964843", "contribuinte", "nif:501964843"),
    "passport": ("AB 123456-7", "passport", "passport:ab1234567"),
    "RG": ("12.345.679-X", "rg", "national_id:12345679x"),
    "licence": ("04512378901", "CNH", "drivers_license:04512378901"),
    "tax id": ("99-1234567", "tax_id", "tax_id:991234567"),
    "ssn": ("078-05-1120", "ssn", "ssn:078051120"),
    "unknown type": ("X-4711", "club card", "other:x4711"),
}

REFUSED = {
    "CPF of ones": ("111.111.111-11", "cpf", "junk"),
    "CPF of zeros": ("000.000.000-00", "cpf", "junk"),
    "CPF 12345678909": ("123.456.789-09", "cpf", "junk"),
    "CPF with a wrong digit": ("390.533.447-06", "cpf", "invalid"),
    "CPF too long": ("390533447051", "cpf", "invalid"),
    "CPF too short": ("3905334", "cpf", "invalid"),
    "CNPJ with a wrong digit": ("16727230000198", "cnpj", "invalid"),
    "NIF of the final consumer": ("999999990", "nif", "junk"),
    "NIF 123456789": ("123456789", "nif", "junk"),
    "NIF with a wrong digit": ("501964842", "nif", "invalid"),
    "passport of zeros": ("000000", "passport", "junk"),
    "too short": ("12", "passport", "invalid"),
    "words": ("não tem", "national_id", "junk"),
    "exempt": ("ISENTO", "tax_id", "junk"),
    "too long": ("1" * 65, "other", "too_long"),
}


@pytest.mark.parametrize(("raw", "document_type", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_document_is_kept_as(raw: str, document_type: str, expected: str) -> None:
    assert standardize_document(raw, document_type) == expected


@pytest.mark.parametrize(("raw", "document_type", "reason"), REFUSED.values(), ids=REFUSED)
def test_document_is_refused_as(raw: str, document_type: str, reason: str) -> None:
    with pytest.raises(RefusedValueError) as refusal:
        standardize_document(raw, document_type)

    assert refusal.value.reason == reason


@given(st.integers(1, 999_999_999), st.integers(0, 1), st.integers(0, 1))
def test_check_digits_of_cpf_agree_with_the_library(stem: int, slip_1: int, slip_2: int) -> None:
    nine = f"{stem:09}"
    first, second = cpf._calc_check_digits(nine)
    digits = f"{nine}{(int(first) + slip_1) % 10}{(int(second) + slip_2) % 10}"

    assert is_cpf(digits) == cpf.is_valid(digits)
