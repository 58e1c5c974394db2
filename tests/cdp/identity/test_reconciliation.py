"""What a new partition changes, and what to call it."""

from __future__ import annotations

import pytest

from cdp.identity.continuity import keep_profile_ids
from cdp.identity.reconciliation import Reconciliation, reconcile


def reconciled(
    clusters: list[list[int]], current: dict[int, str], former: dict[int, list[str]] | None = None
) -> Reconciliation:
    numbers = iter(range(1, 100))
    kept = keep_profile_ids(clusters, current, lambda _: former or {}, lambda: f"q{next(numbers)}")
    return reconcile(clusters, kept, current)


def test_nothing_new_is_no_change() -> None:
    assert reconciled([[1, 2], [3]], {1: "p1", 2: "p1", 3: "p2"}) == Reconciliation([], {}, {})


@pytest.mark.parametrize(
    ("clusters", "current", "former", "kind", "moves"),
    [
        ([[1, 2]], {}, {}, "create", ((1, None), (2, None))),
        ([[1, 2]], {1: "p1"}, {}, "attach", ((2, None),)),
        ([[1]], {}, {1: ["p1"]}, "attach", ((1, None),)),
        ([[1, 2, 3]], {1: "p1", 2: "p2"}, {}, "join", ((2, "p2"), (3, None))),
        ([[1, 2], [3]], {1: "p1", 2: "p1", 3: "p1"}, {}, "split", ((3, "p1"),)),
        ([[1, 2], [3]], {1: "p1", 2: "p1", 3: "p1"}, {3: ["p2"]}, "split", ((3, "p1"),)),
        ([[1, 2], [3, 4]], {1: "p1", 2: "p1", 3: "p1", 4: "p2"}, {3: ["p0"]}, "move", ((3, "p1"),)),
    ],
    ids=["create", "attach", "come back", "join", "split", "split revived", "move"],
)
def test_a_profile_that_receives_records_is_one_change(
    clusters: list[list[int]],
    current: dict[int, str],
    former: dict[int, list[str]],
    kind: str,
    moves: tuple[tuple[int, str | None], ...],
) -> None:
    [change] = reconciled(clusters, current, former).changes

    assert (change.kind, change.moves) == (kind, moves)


def test_a_join_names_the_absorbed_and_those_that_records_parted_from() -> None:
    [change, rest] = reconciled(
        [[1, 2, 5], [3, 4], [6]], {1: "p1", 2: "p2", 3: "p3", 4: "p3", 5: "p3", 6: "p2"}
    ).changes

    assert (change.kind, change.absorbed, change.parted_from) == ("join", ("p2",), ("p3",))
    assert (rest.kind, rest.parted_from) == ("split", ("p2",))


def test_a_profile_that_lives_on_is_told_who_took_its_records() -> None:
    found = reconciled([[1, 2], [3], [4]], dict.fromkeys((1, 2, 3, 4), "p1"))

    assert found.parted == {"p1": ["q1", "q2"]}


def test_records_that_are_gone_are_detached() -> None:
    found = reconciled([[1]], {1: "p1", 3: "p1", 2: "p2"})

    assert found.detached == {"p1": [3], "p2": [2]}
    assert found.kinds()["detach"] == 2
