"""The pairs that training looks at: each once, and of optional rules only what they would add."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from resolution.blocking import create_block_keys
from resolution.specification import BlockingRule
from resolution.training_pairs import RULE_PAIRS, block_pairs, create_rule_pairs
from tests.resolution.builders import a_person, rows, whole_records_of

CITY = BlockingRule("city", (("city",),), 500, False)
STREET = BlockingRule("street", (("street",),), 500, True)
YEAR = BlockingRule("year", (("birth_year",),), 500, True)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Three people of one city, the last two of one street with a fourth."""
    people = [
        a_person(city="recife"),
        a_person(city="recife", street="sol"),
        a_person(city="recife", street="sol"),
        a_person(city="natal", street="sol"),
    ]
    with whole_records_of(people) as workspace:
        create_block_keys(workspace)
        yield workspace


def test_blocking_tells_how_many_pairs_are_new(connection: duckdb.DuckDBPyConnection) -> None:
    assert block_pairs(connection, [CITY]) == 3
    assert block_pairs(connection, [STREET]) == 2
    assert block_pairs(connection, [STREET, YEAR]) == 0


def test_an_optional_rule_is_sampled_for_what_it_would_add(connection: duckdb.DuckDBPyConnection) -> None:
    block_pairs(connection, [CITY])
    keys = rows(connection, "SELECT * FROM block_keys ORDER BY ALL")

    create_rule_pairs(connection, [STREET, YEAR])

    assert rows(connection, "FROM rule_pairs ORDER BY ALL") == [("street", 2, 4), ("street", 3, 4)]
    assert rows(connection, "SELECT * FROM block_keys ORDER BY ALL") == keys


def test_no_more_pairs_of_a_rule_are_sampled_than_are_needed() -> None:
    with whole_records_of([a_person(street="sol")] * 120) as crowd:
        create_block_keys(crowd)

        create_rule_pairs(crowd, [STREET])

        assert rows(crowd, "SELECT count(*), count(DISTINCT (join_key_l, join_key_r)) FROM rule_pairs") == [
            (RULE_PAIRS, RULE_PAIRS)
        ]
