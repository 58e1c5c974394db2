"""Addresses: street lines of both orders, postal codes and their areas, places."""

import pytest

from resolution.standardize.addresses import (
    postal_area,
    standardize_country,
    standardize_place,
    standardize_postal_code,
    standardize_region,
    standardize_street,
)
from resolution.standardize.shapes import RefusedValueError

STREETS = {
    "number after a comma": ("Rua A, 10", "BR", "Rua A", "a", "10", None),
    "number at the end": ("R. ROSILDA ALVES 729", "BR", "R. Rosilda Alves", "rosilda alves", "729", None),
    "no type": ("MARCOS ALVES 501", "BR", "Marcos Alves", "marcos alves", "501", None),
    "complement": (
        "Rua Terezinha Cunha 153 ap 808",
        "BR",
        "Rua Terezinha Cunha",
        "terezinha cunha",
        "153",
        "ap 808",
    ),
    "complement in one word": (
        "Rua Pamela Rocha 189 sobrado",
        "BR",
        "Rua Pamela Rocha",
        "pamela rocha",
        "189",
        "sobrado",
    ),
    "no number": ("Rua Viviane Silva S/N", "BR", "Rua Viviane Silva", "viviane silva", None, None),
    "title in short": (
        "Av. Prof. Roseli Teixeira, nº 145",
        "BR",
        "Av. Prof. Roseli Teixeira",
        "professor roseli teixeira",
        "145",
        None,
    ),
    "number in the name": ("Rua 13 de Maio 502", "BR", "Rua 13 de Maio", "13 maio", "502", None),
    "particles": ("Avenida da Paz 90", "BR", "Avenida da Paz", "paz", "90", None),
    "Portuguese floor": ("Rua do Ouro, 12, 3 dto", "PT", "Rua do Ouro", "ouro", "12", "3 dto"),
    "number first": ("20 mcclelland avenue", "AU", "McClelland Avenue", "mcclelland", "20", None),
    "number first, no number": ("reuther street", "AU", "Reuther Street", "reuther", None, None),
}


@pytest.mark.parametrize(
    ("raw", "country", "shown", "name", "number", "complement"), STREETS.values(), ids=STREETS
)
def test_street_is_taken_apart(
    raw: str, country: str, shown: str, name: str, number: str | None, complement: str | None
) -> None:
    street = standardize_street(raw, country)

    assert (street.shown, street.name, street.house_number, street.complement) == (
        shown,
        name,
        number,
        complement,
    )


POSTAL_CODES = {
    "Brazil": ("01310-100", "BR", "01310100", "01310"),
    "Brazil bare": ("01310100", "BR", "01310100", "01310"),
    "Brazil that lost its zero": ("1310100", "BR", "01310100", "01310"),
    "Portugal": ("1000-205", "PT", "1000205", "1000"),
    "Portugal short": ("1000", "PT", "1000", "1000"),
    "Britain": ("CW3 0DJ", "GB", "cw30dj", "cw3"),
    "Britain long": ("wc2r 1aa", "GB", "wc2r1aa", "wc2r"),
    "Australia": ("4211", "AU", "4211", "421"),
}


@pytest.mark.parametrize(("raw", "country", "code", "area"), POSTAL_CODES.values(), ids=POSTAL_CODES)
def test_postal_code_is_kept_as(raw: str, country: str, code: str, area: str) -> None:
    assert standardize_postal_code(raw, country) == code
    assert postal_area(code, country) == area


@pytest.mark.parametrize(
    ("raw", "country", "reason"),
    [
        ("00000-000", "BR", "junk"),
        ("123", "BR", "invalid"),
        ("12345", "PT", "invalid"),
        ("1" * 25, "BR", "too_long"),
    ],
)
def test_postal_code_is_refused_as(raw: str, country: str, reason: str) -> None:
    with pytest.raises(RefusedValueError) as refusal:
        standardize_postal_code(raw, country)

    assert refusal.value.reason == reason


def test_places_are_folded() -> None:
    assert standardize_place("São João d'Aliança") == "sao joao d alianca"
    assert standardize_region("São Paulo") == standardize_region("SP") == "sp"
    assert standardize_country("Brasil") == standardize_country("br") == "BR"


def test_roraima_is_no_junk() -> None:
    assert standardize_region("RR") == "rr"
