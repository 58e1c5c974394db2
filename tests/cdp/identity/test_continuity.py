"""Which profile id each cluster keeps: an id goes with its own records, and is never given to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.identity.continuity import Continuity, keep_profile_ids


def keep(
    clusters: Sequence[Sequence[int]],
    current: Mapping[int, str],
    former: Mapping[int, Sequence[str]] | None = None,
) -> Continuity:
    numbers = count(1)
    return keep_profile_ids(clusters, current, lambda _: former or {}, lambda: f"new{next(numbers)}")


@pytest.mark.parametrize(
    ("clusters", "current", "expected"),
    [
        ([[1, 2], [3]], {}, ["new1", "new2"]),
        ([[1, 2], [3]], {1: "p1", 2: "p1", 3: "p2"}, ["p1", "p2"]),
        ([[1, 2]], {1: "p1"}, ["p1"]),
        ([[1, 2, 3]], {1: "p2", 2: "p2", 3: "p1"}, ["p1"]),
        ([[1], [2, 3]], {1: "p1", 2: "p1", 3: "p1"}, ["new1", "p1"]),
        ([[1], [2]], {1: "p1", 2: "p1"}, ["p1", "new1"]),
        ([[1, 2, 4], [3]], {1: "p2", 2: "p2", 3: "p2", 4: "p1"}, ["p1", "new1"]),
    ],
    ids=[
        "nobody was known",
        "nothing changed",
        "a record came",
        "the oldest survives however few its records",
        "an id goes with most of its records",
        "of equal parts the first",
        "an id that joins leaves its rest without one",
    ],
)
def test_clusters_keep_ids(clusters: list[list[int]], current: dict[int, str], expected: list[str]) -> None:
    assert keep(clusters, current).profile_of == expected


def test_those_that_do_not_survive_are_absorbed() -> None:
    kept = keep([[1, 2, 3]], {1: "p3", 2: "p1", 3: "p2"})

    assert kept.absorbed == {"p3": "p1", "p2": "p1"}


def test_an_id_without_records_is_emptied() -> None:
    kept = keep([[1]], {1: "p1", 2: "p2"})

    assert (kept.emptied, kept.absorbed) == (frozenset({"p2"}), {})


def test_an_absorbed_id_is_given_back_to_its_own_records() -> None:
    kept = keep([[1, 2], [3]], dict.fromkeys((1, 2, 3), "p1"), {3: ["p2"]})

    assert (kept.profile_of, kept.revived, kept.created) == (["p1", "p2"], {"p2"}, frozenset())


def test_an_id_stays_with_its_own_records_when_those_it_absorbed_are_more() -> None:
    kept = keep([[1], [2, 3, 4]], dict.fromkeys((1, 2, 3, 4), "p1"), {2: ["p2"], 3: ["p2"], 4: ["p3"]})

    assert kept.profile_of == ["p1", "p2"]


def test_an_id_whose_own_records_are_gone_stays_with_most_of_the_others() -> None:
    kept = keep([[1], [2, 3]], dict.fromkeys((1, 2, 3), "p1"), {1: ["p2"], 2: ["p3"], 3: ["p3"]})

    assert kept.profile_of == ["p2", "p1"]


def test_one_cluster_only_is_given_an_id_back() -> None:
    kept = keep([[1, 2], [3, 4], [5]], dict.fromkeys(range(1, 6), "p1"), {3: ["p2"], 4: ["p2"], 5: ["p2"]})

    assert kept.profile_of == ["p1", "p2", "new1"]


def test_a_record_that_comes_back_brings_its_id() -> None:
    assert keep([[1]], {}, {1: ["p1"]}).revived == {"p1"}


def restore(
    clusters: Sequence[Sequence[int]],
    current: Mapping[int, str],
    restored: Mapping[int, str],
    former: Mapping[int, Sequence[str]] | None = None,
) -> Continuity:
    return keep_profile_ids(clusters, current, lambda _: former or {}, lambda: "new", restored=restored)


def test_an_undo_gives_an_id_back_where_the_records_could_not_tell() -> None:
    current = dict.fromkeys((1, 2, 3), "p1")
    kept = restore([[1], [2, 3]], current, {2: "p3", 3: "p3"}, {1: ["p2"], 2: ["p3"], 3: ["p3"]})

    assert (kept.profile_of, kept.revived, kept.absorbed) == (["p1", "p3"], {"p3"}, {})


def test_an_undo_absorbs_the_id_it_takes_the_records_from_however_old() -> None:
    kept = restore([[1, 2]], {1: "p2", 2: "p1"}, {2: "p2"})

    assert (kept.profile_of, kept.absorbed, kept.emptied) == (["p2"], {"p1": "p2"}, frozenset())


def test_an_id_that_an_undo_gives_back_is_not_given_to_others_too() -> None:
    kept = restore([[1], [2], [3]], dict.fromkeys((1, 2, 3), "p1"), {2: "p2"}, {2: ["p2"], 3: ["p2"]})

    assert (kept.profile_of, kept.created) == (["p1", "p2", "new"], {"new"})


def test_an_id_that_an_undo_cannot_give_back_stays_absorbed() -> None:
    kept = restore([[1, 2]], {1: "p1", 2: "p1"}, {2: "p2"})

    assert (kept.profile_of, kept.revived, kept.absorbed) == (["p1"], frozenset(), {})


@dataclass
class History:
    """What a store would remember: where each record is and was, and the state of each id."""

    current: dict[int, str] = field(default_factory=dict)
    past: dict[int, list[str]] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)

    def former(self, record_ids: Iterable[int]) -> dict[int, list[str]]:
        return {
            record_id: sorted({each for each in self.past.get(record_id, []) if self.state[each] != "live"})
            for record_id in record_ids
        }

    def apply(self, clusters: Sequence[Sequence[int]], kept: Continuity) -> None:
        for profile_id in kept.created:
            assert profile_id not in self.state
        for profile_id in kept.revived:
            assert self.state[profile_id] != "live"
        for absorbed, survivor in kept.absorbed.items():
            assert survivor < absorbed
            assert survivor in kept.profile_of
        self.state |= dict.fromkeys(kept.absorbed, "absorbed") | dict.fromkeys(kept.emptied, "empty")
        self.state |= dict.fromkeys(kept.profile_of, "live")
        for record_id, profile_id in self.current.items():
            self.past.setdefault(record_id, []).append(profile_id)
        self.current = {
            record_id: profile_id
            for cluster, profile_id in zip(clusters, kept.profile_of, strict=True)
            for record_id in cluster
        }


def clustered(labels: Sequence[int | None]) -> list[list[int]]:
    """Records that share a label are a cluster; None is a record that is not there."""
    found: dict[int, list[int]] = {}
    for record_id, label in enumerate(labels):
        if label is not None:
            found.setdefault(label, []).append(record_id)
    return sorted(found.values())


partitions = st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=8, max_size=8)


@settings(max_examples=300, deadline=None)
@given(st.lists(partitions, min_size=1, max_size=6))
def test_through_any_history_ids_are_kept(labels_by_run: list[list[int | None]]) -> None:
    history, numbers = History(), count(1)

    for labels in labels_by_run:
        clusters = clustered(labels)
        kept = keep_profile_ids(clusters, history.current, history.former, lambda: f"p{next(numbers):04}")
        history.apply(clusters, kept)

        assert len(set(kept.profile_of)) == len(clusters)
        live = {profile_id for profile_id, state in history.state.items() if state == "live"}
        assert live == set(kept.profile_of)
        again = keep_profile_ids(clusters, history.current, history.former, pytest.fail)
        assert again.profile_of == kept.profile_of
        assert (again.created, again.revived, again.absorbed) == (frozenset(), frozenset(), {})


whole_partitions = st.lists(st.integers(0, 5), min_size=8, max_size=8)


@settings(max_examples=200, deadline=None)
@given(labels=whole_partitions, joined_into=st.lists(st.integers(0, 5), min_size=6, max_size=6))
def test_joins_that_are_taken_back_give_every_id_back(labels: list[int], joined_into: list[int]) -> None:
    fine, coarse = clustered(labels), clustered([joined_into[label] for label in labels])
    history, numbers = History(), count(1)
    ids: list[list[str]] = []

    for clusters in (fine, coarse, fine):
        kept = keep_profile_ids(clusters, history.current, history.former, lambda: f"p{next(numbers):04}")
        history.apply(clusters, kept)
        ids.append(kept.profile_of)

    assert ids[2] == ids[0]


@settings(max_examples=300, deadline=None)
@given(
    before=st.lists(partitions, min_size=1, max_size=4),
    joined_into=st.lists(st.integers(0, 5), min_size=8, max_size=8),
)
def test_what_an_undo_restores_is_as_it_was_whatever_came_before(
    before: list[list[int | None]], joined_into: list[int]
) -> None:
    history, numbers = History(), count(1)
    for labels in before:
        clusters = clustered(labels)
        kept = keep_profile_ids(clusters, history.current, history.former, lambda: f"p{next(numbers):04}")
        history.apply(clusters, kept)
    was = dict(history.current)
    labels = [joined_into[place] if label is not None else None for place, label in enumerate(before[-1])]
    other = clustered(labels)
    changed = keep_profile_ids(other, history.current, history.former, lambda: f"p{next(numbers):04}")
    history.apply(other, changed)
    restored = {
        record_id: was[record_id] for record_id in was if history.current[record_id] != was[record_id]
    }

    kept = keep_profile_ids(clusters, history.current, history.former, pytest.fail, restored=restored)

    assert dict(zip(map(tuple, clusters), kept.profile_of, strict=True)) == {
        tuple(cluster): was[cluster[0]] for cluster in clusters
    }
    assert kept.absorbed.keys() == set(history.current.values()) - set(was.values())
    assert kept.revived == set(was.values()) - set(history.current.values())
