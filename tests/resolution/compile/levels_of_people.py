"""Pairs of records for every level of the shipped comparisons, and records mixed of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

from resolution.columns import LIST_COLUMNS, SCALAR_COLUMNS

Linkage = dict[str, Any]
Sides = tuple[Mapping[str, Any], Mapping[str, Any]]


def _both(**columns: Any) -> Mapping[str, Any]:
    return columns


def _sides(left: Mapping[str, Any], right: Mapping[str, Any], **both: Any) -> Sides:
    return {**both, **left}, {**both, **right}


_ANA: Final = _both(given_name="ana", given_forms=["ana"], family_name="reis", family_sound="REIS")
_BIA: Final = _both(given_name="bia", given_forms=["beatriz", "bia"], family_name="reis", family_sound="REIS")
_FOLDED: Final = {"name_folded": "ana reis"}


def _born(date: str) -> Mapping[str, Any]:
    return {"birth_date": date, "birth_year": date[:4], "birth_day": date[5:]}


def _one_column(column: str, left: Any, right: Any) -> Sides:
    return {column: left}, {column: right}


# Comparison and label of a level, to what two records say that fall into it.
PAIRS_BY_LEVEL: Final[dict[tuple[str, str], Sides]] = {
    ("given_name", "missing"): _one_column("given_name", "ana", None),
    ("given_name", "equal"): _one_column("given_name", "silvanete", "silvanete"),
    ("given_name", "nickname or spelling family"): (
        {"given_name": "beto", "given_forms": ["alberto", "beto"]},
        {"given_name": "alberto", "given_forms": ["alberto"]},
    ),
    ("given_name", "initial only"): _one_column("given_name", "é", "édna"),
    ("given_name", "given and family name swapped"): (
        {"given_name": "rosa", "family_name": "leite"},
        {"given_name": "leite", "family_name": "rosa"},
    ),
    ("given_name", "one typing error"): _one_column("given_name", "mario", "maria"),
    # Exactly at nine tenths.
    ("given_name", "similar"): _one_column("given_name", "luca", "lucabcde"),
    ("given_name", "a further given name of the other"): (
        {"given_name": "joana", "middle_names": ["beatriz"]},
        {"given_name": "beatriz"},
    ),
    ("given_name", "different"): _one_column("given_name", "João", "wagner"),
    ("family_name", "missing"): _one_column("family_name", None, "reis"),
    ("family_name", "equal"): _one_column("family_name", "vanvitelli", "vanvitelli"),
    ("family_name", "given and family name swapped"): (
        {"given_name": "rosa", "family_name": "leite"},
        {"given_name": "leite", "family_name": "rosa"},
    ),
    ("family_name", "one typing error or the same sound"): (
        {"family_name": "souza", "family_sound": "SOSA"},
        {"family_name": "sousa", "family_sound": "SOSA"},
    ),
    ("family_name", "similar"): _one_column("family_name", "cavalcanti", "cavalcante de"),
    ("family_name", "another surname shared"): (
        {"family_name": "lima", "middle_names": ["prado"]},
        {"family_name": "prado"},
    ),
    ("family_name", "different"): _one_column("family_name", "müller", "okamoto"),
    ("middle_names", "missing"): _one_column("middle_names", ["luis"], None),
    ("middle_names", "equal"): _one_column("middle_names", ["luis", "prado"], ["luis", "prado"]),
    ("middle_names", "some shared"): _one_column("middle_names", ["luis", "prado"], ["prado"]),
    ("middle_names", "initials agree"): _one_column("middle_names", ["luis", "prado"], ["p"]),
    ("middle_names", "different"): _one_column("middle_names", ["luis"], ["prado", "x"]),
    ("name_of_many", "missing"): _one_column("name_folded", "ana reis", None),
    ("name_of_many", "equal"): _one_column("name_folded", "jose jose", "jose jose"),
    ("name_of_many", "different"): _one_column("name_folded", "ana reis", "bia lima"),
    ("relative", "missing"): _one_column("family_name", "reis", "reis"),
    ("relative", "same surname, another first name"): (_ANA, _BIA),
    ("relative", "otherwise"): (_ANA, _ANA),
    ("agnomen", "missing"): _sides({}, {}, **_FOLDED),
    ("agnomen", "equal"): _sides({"agnomen": "neto"}, {"agnomen": "neto"}, **_FOLDED),
    ("agnomen", "one left out"): _sides({"agnomen": "neto"}, {}, **_FOLDED),
    ("agnomen", "different"): _sides({"agnomen": "neto"}, {"agnomen": "filho"}, **_FOLDED),
    ("gender", "missing"): _one_column("gender", None, "f"),
    ("gender", "equal"): _one_column("gender", "f", "f"),
    ("gender", "different"): _one_column("gender", "f", "m"),
    ("birth_date", "missing"): ({"birth_year": "1980"}, {"birth_day": "02-03"}),
    ("birth_date", "equal"): (_born("1980-02-03"), _born("1980-02-03")),
    ("birth_date", "day and month swapped"): (_born("1980-02-11"), _born("1980-11-02")),
    ("birth_date", "one digit"): (_born("1980-02-11"), _born("1980-02-12")),
    ("birth_date", "year, day and month unknown or the first of January"): (
        _born("1980-01-01"),
        _born("1980-11-22"),
    ),
    ("birth_date", "two of day, month and year"): (_born("1980-02-11"), _born("1967-02-11")),
    ("birth_date", "year"): (_born("1980-02-11"), _born("1980-11-23")),
    ("birth_date", "different"): (_born("2000-02-30"), _born("1967-11-12")),
    ("phone", "missing"): _one_column("shared_phones", ["+5511987654321"], None),
    ("phone", "equal"): _one_column("phones", ["+1", "+2"], ["+2"]),
    ("phone", "equal but for the ninth digit"): (
        {"phones": ["+551187654321"], "phone_variants": ["551187654321"]},
        {"phones": ["+5511987654321"], "phone_variants": ["551187654321"]},
    ),
    ("phone", "a shared number"): (
        {"phones": ["+1"], "shared_phones": ["+9"]},
        {"phones": ["+2"], "shared_phones": ["+8", "+9"]},
    ),
    ("phone", "different"): _one_column("phones", ["+1"], ["+2"]),
    ("email", "missing"): (
        {"emails": ["ana.reis@a.example"], "email_words": ["anareis"], "name_words": ["anareis"]},
        {"emails": ["anareis1@b.example"], "email_words": ["anareis"]},
    ),
    ("email", "equal"): _one_column("emails", ["a@b.example", "ã@b.example"], ["ã@b.example"]),
    ("email", "same local part at another domain"): (
        {"emails": ["larissa9@a.example"], "email_locals": ["larissa9"]},
        {"emails": ["larissa9@b.example"], "email_locals": ["larissa9"]},
    ),
    ("email", "one typing error in the address"): _one_column(
        "emails", ["x@a.example", "joãa@b.example"], ["joa@b.example", "joãb@b.example"]
    ),
    ("email", "different"): _one_column("emails", ["ana@a.example"], ["😀@b.example"]),
    ("address_written_as_name", "missing"): _one_column("name_words", ["anareis"], None),
    ("address_written_as_name", "the family name of the other record"): (
        {"given_name": "ana", "family_name": "silva", "name_words": ["anasilva"]},
        {"given_name": "aninha", "email_words": ["anasilva"]},
    ),
    ("address_written_as_name", "the name of the other record"): (
        {"name_words": ["anasilva"]},
        {"handle_words": ["anasilva"]},
    ),
    ("address_written_as_name", "something else"): (
        {"name_words": ["anasilva"]},
        {"email_words": ["flores"]},
    ),
    ("handle", "missing"): (
        {"handles": ["x:anareis"], "handle_locals": ["anareis"], "name_words": ["anareis"]},
        {"handles": ["y:bia"], "handle_locals": ["bia"]},
    ),
    ("handle", "equal"): _one_column("handles", ["x:ana"], ["x:ana", "y:bia"]),
    ("handle", "same handle on another network or as local part of an address"): (
        {"handles": ["x:flor9"], "handle_locals": ["flor9"]},
        {"email_locals": ["flor9"]},
    ),
    ("handle", "different"): _one_column("handles", ["x:ana"], ["y:bia"]),
    ("whatsapp", "missing"): _one_column("whatsapp_bsuids", ["br.1"], None),
    ("whatsapp", "equal"): _one_column("whatsapp_bsuids", ["br.1"], ["br.1"]),
    ("whatsapp", "different"): _one_column("whatsapp_bsuids", ["br.1"], ["br.2"]),
    ("loyalty", "missing"): _one_column("loyalty_ids", None, ["clube:1"]),
    ("loyalty", "equal"): _one_column("loyalty_ids", ["clube:1"], ["clube:1"]),
    ("loyalty", "different"): _one_column("loyalty_ids", ["clube:1"], ["clube:2"]),
    ("document", "missing"): _one_column("documents", ["cpf:1"], None),
    ("document", "equal"): _one_column("documents", ["cpf:1"], ["cpf:1"]),
    ("document", "one digit"): _one_column("documents", ["cpf:123"], ["cpf:132", "nif:99"]),
    ("document", "different"): _one_column("documents", ["cpf:123"], ["cpf:456"]),
    ("contradicted_document", "missing"): _one_column("documents", ["cpf:1"], ["cpf:1"]),
    ("contradicted_document", "same document, another first name and birth date"): (
        {**_ANA, **_born("1980-02-03"), "documents": ["cpf:1"]},
        {**_BIA, **_born("1967-11-12"), "documents": ["cpf:1"]},
    ),
    ("contradicted_document", "otherwise"): (
        {**_ANA, **_born("1980-02-03"), "documents": ["cpf:1"]},
        {**_ANA, **_born("1980-02-03"), "documents": ["cpf:1"]},
    ),
    ("claim_alone", "missing"): _one_column("emails", ["a@b.example"], ["a@b.example"]),
    ("claim_alone", "both say exactly the same"): _sides(
        {}, {}, claimed=["email:a@b.example"], claim_digest="9f"
    ),
    ("claim_alone", "nothing but a claim agrees"): (
        {"emails": ["a@b.example"], "claimed": ["email:a@b.example"]},
        {"emails": ["a@b.example"]},
    ),
    ("claim_alone", "something else agrees too"): (
        {"emails": ["a@b.example"], "claimed": ["email:a@b.example"], **_born("1980-02-03")},
        {"emails": ["a@b.example"], **_born("1980-02-03")},
    ),
    ("other_document", "missing"): _one_column("other_documents", None, ["passport:1"]),
    ("other_document", "equal"): _one_column("other_documents", ["passport:1"], ["passport:1"]),
    ("other_document", "one digit"): _one_column("other_documents", ["passport:123"], ["passport:12"]),
    ("other_document", "different"): _one_column("other_documents", ["passport:123"], ["passport:99"]),
    ("device", "missing"): _one_column("device_ids", ["d1"], None),
    ("device", "equal"): _one_column("device_ids", ["d1"], ["d1"]),
    ("device", "different"): _one_column("device_ids", ["d1"], ["d2"]),
    ("address", "missing"): ({"postal_code": "01310100"}, {"street": "paulista"}),
    ("address", "same street and number"): _sides(
        {"city": "recife"}, {}, street="paulista", house_number="9"
    ),
    ("address", "same postal code"): _one_column("postal_code", "01310100", "01310100"),
    ("address", "same street"): _one_column("street", "rosa e silva", "rosa silva"),
    ("address", "postal code with one error"): _one_column("postal_code", "01310100", "01310010"),
    ("address", "same area"): (
        {"postal_code": "01310100", "postal_area": "01310"},
        {"postal_code": "01310999", "postal_area": "01310"},
    ),
    ("address", "different"): _one_column("postal_code", "01310100", "99999999"),
    ("city", "missing"): _one_column("city", "recife", None),
    ("city", "equal"): _one_column("city", "recife", "recife"),
    ("city", "similar"): _one_column("city", "são paulo", "são pauloo"),
    ("city", "different"): _one_column("city", "são paulo", "recife"),
    ("mother_name", "missing"): _one_column("mother_name", "maria reis", None),
    ("mother_name", "equal"): _one_column("mother_name", "maria reis", "maria reis"),
    ("mother_name", "similar"): _one_column("mother_name", "maria da conceicao", "maria da conceicão"),
    ("mother_name", "first name equal"): _one_column("mother_name", "maria reis", "maria vasconcelos"),
    ("mother_name", "different"): _one_column("mother_name", "maria reis", "joana lima"),
    ("attributes", "missing"): _one_column("attributes", ["a=1"], None),
    ("attributes", "all of the shorter list"): _one_column("attributes", ["a=1", "b=2"], ["b=2"]),
    ("attributes", "some"): _one_column("attributes", ["a=1", "b=2"], ["b=2", "c=3"]),
    ("attributes", "none"): _one_column("attributes", ["a=1"], ["é=3"]),
}

_ODD_VALUES: Final = ("", "x", "é", "👩‍👧", "jose", "silva", "1980-02-30", "infinity", "ÀÉ ß", "ana reis")


def directed_pairs() -> list[tuple[Linkage, Linkage]]:
    """The pair of each level, in the order of the levels above."""
    return [(_present(left), _present(right)) for left, right in PAIRS_BY_LEVEL.values()]


def mixed_pairs(count: int, *, seed: int) -> list[tuple[Linkage, Linkage]]:
    """Pairs that say what several levels say at once, now and then with a value of no sense, an empty list or a
    list of hundreds."""
    chosen = random.Random(seed)
    return [_mixed_pair(chosen) for _ in range(count)]


def _mixed_pair(chosen: random.Random) -> tuple[Linkage, Linkage]:
    left: Linkage = {}
    right: Linkage = {}
    for sides in chosen.choices(list(PAIRS_BY_LEVEL.values()), k=chosen.randrange(1, 12)):
        one, other = sides if chosen.random() < 0.5 else sides[::-1]
        left.update(one)
        right.update(other)
    for linkage in (left, right):
        for column in chosen.sample(SCALAR_COLUMNS, k=chosen.randrange(3)):
            linkage[column] = chosen.choice(_ODD_VALUES)
        for column in chosen.sample(LIST_COLUMNS, k=chosen.randrange(3)):
            size = chosen.choice([0, 1, 3, 300])
            linkage[column] = sorted(
                {f"{chosen.choice(_ODD_VALUES)}{number % 7 or number}" for number in range(size)}
            )
    return _present(left), _present(right)


def _present(linkage: Mapping[str, Any]) -> Linkage:
    return {column: value for column, value in linkage.items() if value is not None}
