"""E-mail: providers' rules, mended domains, junk, role addresses, own domains."""

import re

import pytest
from email_validator import validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from resolution.standardize.emails import letters_of, local_word, standardize_email
from resolution.standardize.shapes import RefusedValueError

OWN = frozenset(("loja.example.com",))

ACCEPTED = {
    "lower case": ("Joao.Lima@Example.com", ["joao.lima@example.com"]),
    "Gmail ignores dots": ("joao.lima@gmail.com", ["joaolima@gmail.com"]),
    "Gmail drops the tag": ("joaolima+promo@gmail.com", ["joaolima@gmail.com"]),
    "Googlemail is Gmail": ("joao.lima@googlemail.com", ["joaolima@gmail.com"]),
    "Outlook drops the tag, keeps dots": ("joao.lima+x@outlook.com", ["joao.lima@outlook.com"]),
    "Hotmail drops the tag": ("joao.lima+x@hotmail.com", ["joao.lima@hotmail.com"]),
    "Live drops the tag": ("joao+x@live.com", ["joao@live.com"]),
    "Yahoo drops the tag": ("joao.lima+x@yahoo.com.br", ["joao.lima@yahoo.com.br"]),
    "Yahoo of Portugal drops the tag": ("joao.lima+x@yahoo.pt", ["joao.lima@yahoo.pt"]),
    "Yahoo of Argentina drops the tag": ("joao.lima+x@yahoo.com.ar", ["joao.lima@yahoo.com.ar"]),
    "Yahoo of Japan drops the tag": ("joao.lima+x@yahoo.co.jp", ["joao.lima@yahoo.co.jp"]),
    "iCloud drops the tag": ("joao.lima+x@icloud.com", ["joao.lima@icloud.com"]),
    "Fastmail drops the tag": ("joao+x@fastmail.com", ["joao@fastmail.com"]),
    "Proton drops the tag": ("joao+x@proton.me", ["joao@proton.me"]),
    "custom domain keeps dots and tag": ("joao.lima+x@firma.com.br", ["joao.lima+x@firma.com.br"]),
    "UOL keeps dots and tag": ("joao.lima+x@uol.com.br", ["joao.lima+x@uol.com.br"]),
    "gmial": ("ana.lima@gmial.com", ["analima@gmail.com", "ana.lima@gmial.com"]),
    "con": ("ana@gmail.con", ["ana@gmail.com", "ana@gmail.con"]),
    "hotmai": ("ana@hotmai.com", ["ana@hotmail.com", "ana@hotmai.com"]),
    "yaho": ("ana@yaho.com.br", ["ana@yahoo.com.br", "ana@yaho.com.br"]),
    "bol": ("ana@bol.com", ["ana@bol.com.br", "ana@bol.com"]),
    "uol": ("ana@uol.con.br", ["ana@uol.com.br", "ana@uol.con.br"]),
    "terra": ("ana@tera.com.br", ["ana@terra.com.br", "ana@tera.com.br"]),
    "ig": ("ana@ig.com", ["ana@ig.com.br", "ana@ig.com"]),
    "one slip, not in the table": ("ana@gmwil.com", ["ana@gmail.com", "ana@gmwil.com"]),
    "no top level, typed form is no address": ("ana@gmail", ["ana@gmail.com"]),
    "a known provider is not mended": ("ana@ymail.com", ["ana@ymail.com"]),
    "comma for point": ("ana@example,com", ["ana@example.com"]),
    "accent": ("joão@example.com", ["joao@example.com"]),
    "name and brackets": ("João Lima <joao@example.com>", ["joao@example.com"]),
    "mailto": ("mailto:joao@example.com", ["joao@example.com"]),
    "blank inside": ("joao @example.com", ["joao@example.com"]),
    "trailing point": ("joao@example.com.", ["joao@example.com"]),
    "own name as domain": ("joao@joaolima.com.br", ["joao@joaolima.com.br"]),
}

REFUSED = {
    "nao@tem": ("nao@tem.com", "junk"),
    "naotem anywhere": ("naotem@gmail.com", "junk"),
    "nao.tem with a dot": ("nao.tem@example.com", "junk"),
    "sememail": ("sememail@loja.com.br", "junk"),
    "teste": ("teste@teste.com", "junk"),
    "a@a": ("a@a.com", "junk"),
    "xxx": ("xxx@xxx.com.br", "junk"),
    "words": ("não tem", "junk"),
    "no at sign": ("joaoexample.com", "invalid"),
    "no domain": ("joao@", "invalid"),
    "two dots": ("a..b@example.com", "invalid"),
    "no top level": ("joao@firma", "invalid"),
    "special use": ("joao@firma.test", "invalid"),
    "underscore in domain": ("joao@fir_ma.com", "invalid"),
    "sac": ("sac@firma.com.br", "organization"),
    "financeiro": ("Financeiro@firma.com.br", "organization"),
    "nfe": ("nfe@firma.com.br", "organization"),
    "contato": ("contato@firma.com.br", "organization"),
    "fale conosco": ("fale-conosco@firma.com.br", "organization"),
    "own domain": ("joao@loja.example.com", "own_domain"),
    "own domain wins over role": ("sac@LOJA.example.com", "own_domain"),
    "too long": ("a" * 321, "too_long"),
}


@pytest.mark.parametrize(("raw", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_email_is_kept_as(raw: str, expected: list[str]) -> None:
    assert list(standardize_email(raw, OWN)) == expected


@pytest.mark.parametrize(("raw", "reason"), REFUSED.values(), ids=REFUSED)
def test_email_is_refused_as(raw: str, reason: str) -> None:
    with pytest.raises(RefusedValueError) as refusal:
        standardize_email(raw, OWN)

    assert refusal.value.reason == reason


@given(st.one_of(st.text(), st.text("aZ09._+-ã")))
def test_letters_are_what_is_no_other_character(text: str) -> None:
    assert letters_of(text) == re.sub("[^a-z]", "", text)


def test_local_word_compares_across_providers() -> None:
    assert local_word("ana_lima78@uol.com.br") == local_word("ana.lima78+promo@example.com") == "analima78"


PIECES = st.lists(
    st.sampled_from(
        ["a", "b1", ".", "..", "-", "_", "+", "@", "gmail", "gmial", "example", ".com", ".com.br"]
    ),
    min_size=3,
    max_size=8,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(PIECES)
def test_what_is_kept_is_an_address_and_standardizes_to_itself(raw: str) -> None:
    try:
        addresses = standardize_email(raw, OWN)
    except RefusedValueError:
        return

    assert standardize_email(addresses[0], OWN) == addresses[:1]
    assert all(validate_email(address, check_deliverability=False) for address in addresses)
