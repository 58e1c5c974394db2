"""Two partitions are compared record by record, and told group by group."""

from __future__ import annotations

import pytest

from cdp.identity.agreement import compare_partitions, disagreeing_records

CASES = [
    ([[1, 2], [3]], {1: "p", 2: "p", 3: "q"}, 0, set()),
    ([[1, 2]], {1: "p", 2: "q"}, 1, {2}),
    ([[1], [2]], {1: "p", 2: "p"}, 1, {2}),
    ([[1, 2], [3]], {1: "p", 2: "q", 3: "q"}, 2, {2}),
    ([[1], [2]], {1: "p"}, 0, {2}),
    ([[1, 2, 3], [4, 5, 6]], {1: "p", 2: "p", 3: "q", 4: "q", 5: "q", 6: "q"}, 2, {3}),
    ([[1, 2], [3, 4]], dict.fromkeys((1, 2, 3, 4), "p"), 1, {3, 4}),
    ([[4, 3], [2, 1]], dict.fromkeys((1, 2, 3, 4), "p"), 1, {3, 4}),
    ([[1, 2, 3, 4]], {1: "p", 2: "p", 3: "q", 4: "q"}, 1, {3, 4}),
]
IDS = [
    "equal",
    "apart",
    "together",
    "both",
    "not resolved yet",
    "one in the wrong place",
    "two people in one profile",
    "in another order",
    "one person in two profiles",
]


@pytest.mark.parametrize(("clusters", "current", "told", "differing"), CASES, ids=IDS)
def test_partitions_are_compared(
    clusters: list[list[int]], current: dict[int, str], told: int, differing: set[int]
) -> None:
    assert len(list(compare_partitions(clusters, current))) == told
    assert disagreeing_records(clusters, current) == differing


def test_groups_that_wait_are_not_told_of() -> None:
    clusters, current = [[1, 2], [3], [4]], {1: "p", 2: "q", 3: "r", 4: "r"}

    assert list(compare_partitions(clusters, current, waiting={1, 2, 3, 4})) == []
    assert len(list(compare_partitions(clusters, current, waiting={1, 2, 3}))) == 1
