"""Text: mojibake, control characters, folding, tidy case."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolution.standardize.text import fold_alphanumeric, fold_text, show_words, tidy_text

TIDIED = {
    "mojibake": ("JoÃ£o", "João"),
    "mojibake of capitals": ("JOÃƒO", "JOÃO"),
    "mojibake put in small letters": ("joã£o", "joão"),
    "mojibake of Latin-1": ("Concei\u00c3\u00a7\u00c3\u00a3o", "Conceição"),
    "no mojibake": ("GUIMARÃES", "GUIMARÃES"),
    "no mojibake before a vowel": ("JOÃO", "JOÃO"),
    "two code points for one letter": ("Joa\u0303o", "João"),
    "NUL and line break": ("Ana\x00\nLima", "Ana Lima"),
    "lone surrogate": ("Ana\ud800", "Ana"),
    "no-break blank": ("Ana\u00a0Lima", "Ana Lima"),
    "zero-width blank": ("Ana\u200b Lima", "Ana Lima"),
}


@pytest.mark.parametrize(("raw", "expected"), TIDIED.values(), ids=TIDIED)
def test_text_is_tidied(raw: str, expected: str) -> None:
    assert tidy_text(raw) == expected


def test_accents_and_case_are_folded() -> None:
    assert fold_text("JOÃO Straße Łukasz") == "joao strasse lukasz"


@given(st.one_of(st.text(), st.text("aZ09 ./-_ãß")))
def test_letters_and_digits_are_what_is_no_other_character(text: str) -> None:
    assert fold_alphanumeric(text) == re.sub("[^a-z0-9]", "", fold_text(text))


def test_lines_are_shown_in_tidy_case() -> None:
    assert show_words("RUA DAS FLORES") == "Rua das Flores"
    assert show_words("São José do Rio Preto") == "São José do Rio Preto"
    assert show_words("stoke-on-trent") == "Stoke-On-Trent"
