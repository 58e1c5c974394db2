"""Term frequencies: rare unless counted, and whole names that many bear."""

from __future__ import annotations

import pytest

from resolution.term_frequencies import count_terms, shipped_terms
from tests.resolution.builders import SHIPPED, SMALL, Linkage, a_person, records_of, workspace_of


def counted(linkages: list[Linkage]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    with workspace_of(records_of(linkages), SMALL) as connection:
        return count_terms(connection, SMALL)


def test_a_share_is_of_the_records_that_have_the_column() -> None:
    frequencies, _ = counted([a_person("ana"), a_person("ana"), a_person("bia"), a_person("bia"), {}])

    assert frequencies["given_name"] == {"ana": 0.5, "bia": 0.5}


def test_a_term_seen_once_is_as_rare_as_one_never_seen() -> None:
    frequencies, rare = counted([a_person("ana"), a_person("ana"), a_person("iara")])

    assert "iara" not in frequencies["given_name"]
    assert rare["given_name"] == 1 / 1000


def test_in_a_large_base_rare_is_one_record_of_all() -> None:
    _, rare = counted([{"given_name": "ana"}] * 1250)

    assert rare["given_name"] == 1 / 1250


def test_no_records_give_no_terms() -> None:
    frequencies, rare = counted([])

    assert not any(frequencies.values())
    assert rare == {"given_name": 1 / 1000, "family_name": 1 / 1000, "name_folded": 1.0}


def bearers(count: int, **identifiers: list[str]) -> list[Linkage]:
    """Chat accounts that call themselves one thing, by default each with an address of its own."""
    return [
        a_person("deus", "fiel", **(identifiers or {"emails": [f"p{n}@example.com"]})) for n in range(count)
    ]


OTHERS = [a_person(f"g{n % 20}", f"f{n % 19}", emails=[f"o{n}@example.com"]) for n in range(200)]


def test_a_whole_name_borne_by_more_than_its_parts_suggest_is_that_much_more_common() -> None:
    frequencies, rare = counted(OTHERS + bearers(10))

    # Ten of 210 bear it; its parts, each borne by ten of 210, would suggest one in 441.
    assert frequencies["name_folded"] == {"deus fiel": pytest.approx((10 / 210) / (10 / 210) ** 2)}
    assert rare["name_folded"] == 1.0


@pytest.mark.parametrize(
    "others",
    [
        bearers(4),
        bearers(10, emails=["one@example.com"]),
        bearers(10, phone_variants=["1"], documents=["cpf:1"]),
    ],
    ids=["too few", "one person's records", "one phone and one document"],
)
def test_a_whole_name_of_few_people_is_left_as_it_is(others: list[Linkage]) -> None:
    frequencies, _ = counted(OTHERS + others)

    assert frequencies["name_folded"] == {}


def test_shipped_shares_are_of_the_census_and_an_unlisted_name_is_rare() -> None:
    frequencies, rare = shipped_terms(SHIPPED)

    assert frequencies["given_name"]["maria"] > frequencies["given_name"]["iara"] > rare["given_name"]
    assert frequencies["family_name"]["silva"] > frequencies["family_name"]["batista"] > rare["family_name"]


def test_a_shipped_term_without_a_table_counts_as_its_level_does() -> None:
    frequencies, rare = shipped_terms(SMALL)

    assert frequencies == {"given_name": {}, "family_name": {}, "name_folded": {}}
    assert rare == {"given_name": 0.02, "family_name": 0.02, "name_folded": 1.0}
