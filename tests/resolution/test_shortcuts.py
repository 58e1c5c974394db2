"""A shortened condition holds for the same values, and only what may be shortened is."""

from __future__ import annotations

import duckdb
import pytest

from resolution.shortcuts import shortened
from tests.resolution.builders import SHIPPED

TEXTS = [
    None,
    "",
    "a",
    "ab",
    "ba",
    "ana",
    "anna",
    "naa",
    "josé",
    "jose",
    "joes",
    "ana@example.com",
    "anna@example.com",
]
LISTS = [None, [], [None, "naa"], ["ana"], ["anna", "josé"], ["joes", "x"], ["ana@example.com", "b"]]

DISTANCE = "damerau_levenshtein(v, w)"
NEAREST = "list_min(list_transform(vs, lambda a: list_min(list_transform(ws, lambda b: damerau_levenshtein(a, b)))))"
SHORTENED = [
    f"{DISTANCE} = 1",
    f"NOT {DISTANCE} = 1",
    f"length(v) > 2 AND {DISTANCE} = 1",
    f"({DISTANCE} = 1 OR v = w) AND length(w) > 3",
    f"coalesce({DISTANCE} = 1, false)",
    f"{NEAREST} = 1",
    f"v = w OR {NEAREST} = 1 OR {DISTANCE} = 1",
]
LEFT_ALONE = [
    f"{DISTANCE} > 1",
    f"{DISTANCE} = 10",
    f"{DISTANCE} = 1 + length(v)",
    f"5 - {DISTANCE} = 1",
    f"length(v) BETWEEN 0 AND {DISTANCE} = 1",
    f"v <> 'x' AND {DISTANCE} = 1",
    f"{DISTANCE} = 1.5",
    "v = w",
    "ELSE",
]


@pytest.mark.parametrize("condition", SHORTENED)
def test_a_shortened_condition_holds_for_the_same_values(condition: str) -> None:
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE TABLE texts AS SELECT unnest(?::VARCHAR[]) AS text", [TEXTS])
    connection.execute("CREATE TABLE lists AS SELECT unnest(?::VARCHAR[][]) AS list", [LISTS])

    found = connection.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {condition}), "  # noqa: S608  conditions of the test
        f"bool_and(({condition}) IS NOT DISTINCT FROM ({shortened(condition)})) FROM ("
        "SELECT l.text AS v, r.text AS w, ls.list AS vs, rs.list AS ws "
        "FROM texts AS l, texts AS r, lists AS ls, lists AS rs)"
    ).fetchall()

    [(count, true_count, is_the_same)] = found
    assert is_the_same
    assert 0 < true_count < count
    assert shortened(condition) != condition


@pytest.mark.parametrize("condition", LEFT_ALONE)
def test_what_may_not_be_shortened_is_left_alone(condition: str) -> None:
    assert shortened(condition) == condition


def test_every_distance_of_one_in_the_shipped_specification_is_shortened() -> None:
    dear = [
        level.condition
        for comparison in SHIPPED.comparisons
        for level in comparison.levels
        if "damerau" in level.condition and "= 1" in level.condition
    ]

    assert len(dear) >= 7
    assert all(
        shortened(condition).count("levenshtein") == 2 * condition.count("levenshtein") for condition in dear
    )
