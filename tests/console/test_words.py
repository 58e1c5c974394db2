"""Codes are told in words where there are any, and as they came where there are none."""

from __future__ import annotations

from flask import Flask

from api.console import words
from api.event_schemas import EVENTS
from cdp.stewardship.announcement import RULED
from resolution.standardize.attributes import MOTHER_NAME_KEYS
from resolution.standardize.tables import pairs_of


def test_codes_in_words(app: Flask) -> None:
    with app.test_request_context("/console/"):
        told = {
            "column": words.identifier_name("phone_variants"),
            "identifier": words.identifier_name("phone"),
            "unknown": words.identifier_name("tax_number"),
            "free": words.field_name("attributes.nome_mae"),
            "free, as sent": words.field_name("attributes.shoe_size"),
            "gender": words.plain_value("gender", "f"),
            "gender, as sent": words.plain_value("gender", "?"),
            "record": words.plain_value("attributes", {"nome_mae": "ANA", "shoe_size": 40}),
        }

    assert told == {
        "column": "Phones, with or without the ninth digit",
        "identifier": "Phone",
        "unknown": "tax_number",
        "free": "Mother's name",
        "free, as sent": "shoe_size",
        "gender": "female",
        "gender, as sent": "?",
        "record": "Mother's name: ANA, shoe_size: 40",
    }


def test_every_gender_has_words() -> None:
    assert words.GENDERS.keys() == set(pairs_of("attributes", "genders").values())


def test_every_event_of_a_ruling_has_words() -> None:
    of_rulings = {RULED, *(kind for kind in EVENTS if kind.startswith("profile."))}

    assert words.OUTBOX_EVENTS.keys() == of_rulings
    assert words.FREE_ATTRIBUTES.keys() >= set(MOTHER_NAME_KEYS)
