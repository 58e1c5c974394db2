"""A claim counts where something else says who made it, and alone for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from resolution import StoredRecord, resolve_batch
from resolution.explanation import LANGUAGES, comparison_label, level_label
from resolution.levels import levels_sql
from resolution.standardize import SourceSettings, standardize_record
from tests.resolution.builders import SHIPPED, a_record, prior_model, rows, workspace_of

MODEL = prior_model()
[PLACE] = [place for place, each in enumerate(SHIPPED.comparisons) if each.name == "claim_alone"]
CLAIM_ALONE = SHIPPED.comparisons[PLACE]

CPF = {"type": "cpf", "number": "390.533.447-05"}
PASSPORT = {"type": "passport", "number": "AB123456"}
CARD = {"program": "clube", "number": "998877"}
INSTAGRAM = {"network": "instagram", "handle": "@joao.silva"}
EVERYTHING: Mapping[str, Any] = {
    "phones": ["11 98765-4321"],
    "emails": ["joao@example.com"],
    "handles": [INSTAGRAM],
    "loyalty_ids": [CARD],
    "documents": [CPF, PASSPORT],
    "device_ids": ["a1b2"],
    "whatsapp_bsuids": ["BR.1a2B3c"],
}
JOAO: Mapping[str, Any] = {"full_name": "João Pereira da Silva", "birth_date": "1980-02-29", **EVERYTHING}

ALONE, OTHERWISE = "nothing but a claim agrees", "something else agrees too"


@dataclass(frozen=True)
class Said:
    """A raw record and whether its source takes claims."""

    raw: Mapping[str, Any]
    claims: bool


def known(raw: Mapping[str, Any] | None = None, **fields: Any) -> Said:
    return Said({**(raw or {}), **fields}, claims=False)


def claimed(raw: Mapping[str, Any] | None = None, **fields: Any) -> Said:
    return Said({**(raw or {}), **fields}, claims=True)


def stored(*records: Said) -> list[StoredRecord]:
    """The records standardized by the rules of their sources, numbered from 1."""
    return [
        a_record(number, standardize_record(each.raw, SourceSettings(claims=each.claims)).linkage)
        for number, each in enumerate(records, start=1)
    ]


def level_of(left: Said, right: Said) -> str:
    """The label of the level of claim_alone that the pair falls into."""
    with workspace_of(stored(left, right)) as connection:
        connection.execute("CREATE TABLE pairs AS SELECT 1 AS record_id_l, 2 AS record_id_r")
        [(levels,)] = rows(
            connection,
            f"SELECT levels FROM ({levels_sql(connection, SHIPPED, pairs='pairs')})",  # noqa: S608
        )
    return CLAIM_ALONE.levels[levels[PLACE]].label


def resolved(*records: Said) -> tuple[list[tuple[int, ...]], list[tuple[int, int, str]]]:
    """The clusters that the shipped model makes of the records, and what it leaves to stewards."""
    with resolve_batch([stored(*records)], MODEL) as found:
        return (
            [cluster.record_ids for cluster in found.clusters],
            [(refusal.key_l, refusal.key_r, refusal.reason) for refusal in found.refusals],
        )


def people(*records: Said) -> list[tuple[int, ...]]:
    clusters, _ = resolved(*records)
    return clusters


@pytest.mark.parametrize("field", EVERYTHING)
def test_an_identifier_of_any_kind_that_is_only_claimed_stands_alone(field: str) -> None:
    assert level_of(known(JOAO), claimed({field: EVERYTHING[field]})) == ALONE


@pytest.mark.parametrize("field", EVERYTHING)
def test_an_identifier_of_any_kind_is_no_claim_once_it_is_verified(field: str) -> None:
    claim = claimed({field: EVERYTHING[field]}, verified=[field])

    assert level_of(known(JOAO), claim) != ALONE


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        pytest.param(known(JOAO), known(emails=["joao@example.com"]), "missing", id="nobody claims"),
        pytest.param(known(JOAO), claimed(full_name="João Silva"), "missing", id="a name is no claim"),
        pytest.param(known(JOAO), claimed(EVERYTHING), ALONE, id="every identifier claimed at once"),
        pytest.param(
            known(JOAO), claimed(phones=["11 8765-4321"]), ALONE, id="a phone without its ninth digit"
        ),
        pytest.param(
            claimed(full_name="Ana Reis", emails=["joao@example.com"]),
            claimed(emails=["joao@example.com"]),
            ALONE,
            id="two claims and one name",
        ),
        pytest.param(
            known(JOAO),
            claimed(given_name="João", emails=["joao@example.com"]),
            ALONE,
            id="a first name only",
        ),
        pytest.param(
            known(JOAO),
            claimed(full_name="J. Silva", emails=["joao@example.com"]),
            ALONE,
            id="an initial and the surname",
        ),
        pytest.param(
            known(JOAO),
            claimed(full_name="Joana Silva", emails=["joao@example.com"]),
            ALONE,
            id="a relative's first name",
        ),
        pytest.param(
            known(JOAO),
            claimed(full_name="João Medeiros", emails=["joao@example.com"]),
            ALONE,
            id="another surname",
        ),
        pytest.param(
            known(JOAO),
            claimed(emails=["joao@example.com"], birth_date="1980"),
            ALONE,
            id="the year of birth only",
        ),
        pytest.param(
            known(JOAO, address={"street": "Rua A, 10", "postal_code": "01310-100"}),
            claimed(emails=["joao@example.com"], address={"street": "Rua A, 10", "postal_code": "01310-100"}),
            ALONE,
            id="the address along with it",
        ),
        pytest.param(
            known(emails=["joao.silva77@example.com"]),
            claimed(emails=["joao.silva77@example.org"], handles=[{"network": "x", "handle": "joaosilva77"}]),
            ALONE,
            id="what resembles a claim",
        ),
        pytest.param(
            known(JOAO),
            claimed(full_name="João Silva", emails=["joao@example.com"]),
            OTHERWISE,
            id="first and last name",
        ),
        pytest.param(
            known(JOAO),
            claimed(full_name="joao pereira", emails=["joao@example.com"]),
            OTHERWISE,
            id="first name and another surname of his",
        ),
        pytest.param(
            known(full_name="Zé Sousa", emails=["ze@example.com"]),
            claimed(full_name="José Souza", emails=["ze@example.com"]),
            OTHERWISE,
            id="nickname and spelling",
        ),
        pytest.param(
            known(full_name="Ricardo Vasconcelos", emails=["r@example.com"]),
            claimed(full_name="Ricadro Vasconcellso", emails=["r@example.com"]),
            OTHERWISE,
            id="typing errors",
        ),
        pytest.param(
            known(full_name="Ricardo Vasconcelos", emails=["r@example.com"]),
            claimed(full_name="Vasconcelos Ricardo", emails=["r@example.com"]),
            OTHERWISE,
            id="names swapped",
        ),
        pytest.param(
            known(JOAO),
            claimed(emails=["joao@example.com"], birth_date="29/02/1980"),
            OTHERWISE,
            id="the birth date",
        ),
        pytest.param(
            known(JOAO),
            claimed(phones=["11 8765-4321"], emails=["joao@example.com"], verified=["phones"]),
            OTHERWISE,
            id="a verified phone, by its variant",
        ),
        pytest.param(
            claimed(emails=["joao@example.com"], phones=["11 98765-4321"], verified=["emails"]),
            claimed(emails=["joao@example.com"], phones=["11 98765-4321"], verified=["phones"]),
            ALONE,
            id="what one proves the other claims",
        ),
    ],
)
def test_what_corroborates_a_claim(left: Said, right: Said, expected: str) -> None:
    assert level_of(left, right) == expected
    assert level_of(right, left) == expected


def test_what_resembles_a_claim_adds_up_to_nothing() -> None:
    assert people(
        known(phones=["11 98765-4321"], emails=["joao.silva77@example.com"]),
        claimed(emails=["joao.silva77@example.org"], handles=[{"network": "x", "handle": "joaosilva77"}]),
    ) == [(1,), (2,)]


def test_an_email_alone_joins_from_a_source_that_asks_for_proof() -> None:
    assert people(known(JOAO), known(emails=["joao@example.com"])) == [(1, 2)]


def test_a_claimed_email_alone_joins_nobody_and_asks_no_steward() -> None:
    assert resolved(known(JOAO), claimed(emails=["joao@example.com"])) == ([(1,), (2,)], [])


def test_everything_that_identifies_claimed_at_once_joins_nobody_and_asks_no_steward() -> None:
    assert resolved(known(JOAO), claimed(EVERYTHING, gender="m")) == ([(1,), (2,)], [])


def test_a_document_that_two_sources_know_is_a_reason_to_ask_a_steward() -> None:
    mother = known(full_name="Maria Prado", birth_date="1950-01-07", documents=[CPF])

    assert resolved(known(JOAO), mother) == ([(1,), (2,)], [(1, 2, "exclusive_shared")])


def test_another_document_parts_even_where_it_is_only_claimed() -> None:
    other = {"type": "cpf", "number": "529.982.247-25"}

    found = resolved(known(JOAO), claimed(JOAO, documents=[other]))

    assert found == ([(1,), (2,)], [(1, 2, "exclusive_conflict")])


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param({"full_name": "João Silva"}, id="his name"),
        pytest.param({"birth_date": "1980-02-29"}, id="his birth date"),
        pytest.param({"phones": ["11 98765-4321"], "verified": ["phones"]}, id="his phone, verified"),
        pytest.param({"verified": ["emails"]}, id="the address, verified"),
    ],
)
def test_a_claim_with_something_else_joins(proof: Mapping[str, Any]) -> None:
    assert people(known(JOAO), claimed(emails=["joao@example.com"], **proof)) == [(1, 2)]


def test_the_same_claim_sent_many_times_is_one_person_and_not_its_owner() -> None:
    found = people(known(JOAO), *[claimed(emails=["joao@example.com"])] * 5)

    assert found == [(1,), (2, 3, 4, 5, 6)]


def test_one_claim_in_two_records_that_say_more_makes_no_person() -> None:
    first = claimed(emails=["joao@example.com"], phones=["21 99876-1234"])
    second = claimed(emails=["joao@example.com"], attributes={"interest": "golf"})

    assert people(first, second) == [(1,), (2,)]


def test_a_claim_finds_no_way_in_through_records_between() -> None:
    # The third says his name, so it joins; the fourth has a phone of its own that it proved.
    records: Sequence[Said] = (
        known(JOAO),
        known(full_name="João Pereira da Silva", phones=["11 98765-4321"]),
        claimed(full_name="João Silva", emails=["joao@example.com"]),
        claimed(emails=["joao@example.com"], phones=["21 99876-1234"], verified=["phones"]),
        known(full_name="Mara Lopes", phones=["21 99876-1234"]),
        claimed(emails=["joao@example.com"]),
        claimed(emails=["joao@example.com"]),
    )

    assert people(*records) == [(1, 2, 3), (4, 5), (6, 7)]


def test_a_heavy_customer_is_not_more_open_to_claims() -> None:
    known_well = [known(JOAO, attributes={"visit": str(number)}) for number in range(6)]

    assert people(*known_well, claimed(emails=["joao@example.com"])) == [(1, 2, 3, 4, 5, 6), (7,)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_claims_are_explained_in_words(language: str) -> None:
    labels = [level_label("claim_alone", level.label, language) for level in CLAIM_ALONE.levels]

    assert comparison_label("claim_alone", language) != "claim alone"
    assert len(set(labels)) == 4
    assert (labels == [level.label for level in CLAIM_ALONE.levels]) is (language == "en")
