"""From scored pairs to people: a pure, order-independent partition of records.

Records that edges at or above the link weight connect form a component. Inside a component, average-linkage
agglomeration joins the two clusters whose mean pair weight is highest, as long as it reaches the join weight
and no rule forbids it. Pairs that were never scored count with the floor.

Source: average linkage (UPGMA, Sokal and Michener 1958) under instance constraints (Davidson and Ravi 2005).
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from resolution.cluster_evidence import (
    NOTHING,
    Between,
    Constraints,
    Edge,
    Thresholds,
    exclusive_conflict,
    mean_weight,
    units_of,
)
from resolution.refusals import Refusal, find_refusals

__all__ = ["Constraints", "Edge", "Join", "Partition", "Refusal", "Thresholds", "partition"]


@dataclass(frozen=True)
class Join:
    """One step of the agglomeration: the heaviest edge between the two clusters and their mean weight.

    kind: 'evidence', or 'must_link', whose weights say nothing.
    """

    key_l: int
    key_r: int
    match_weight: float
    mean_weight: float
    kind: str


@dataclass(frozen=True)
class Partition:
    """cluster_of: every record key to the smallest key of its cluster. joins: in the order they were made,
    components by their smallest key. refusals: by their keys."""

    cluster_of: dict[int, int]
    joins: list[Join]
    refusals: list[Refusal]


def partition(
    keys: Iterable[int],
    edges: Iterable[Edge],
    constraints: Constraints,
    thresholds: Thresholds,
) -> Partition:
    """Group records into clusters, deterministically and whatever the order of the input.

    See join_records; with what it leaves to stewards.
    """
    known = _ordered(edges)
    cluster_of, joins = join_records(keys, known, constraints, thresholds)
    return Partition(cluster_of, joins, find_refusals(cluster_of, known, constraints, thresholds))


def _ordered(edges: Iterable[Edge]) -> list[Edge]:
    return sorted((a, b, weight) if a < b else (b, a, weight) for a, b, weight in edges)


def join_records(
    keys: Iterable[int],
    edges: Iterable[Edge],
    constraints: Constraints,
    thresholds: Thresholds,
) -> tuple[dict[int, int], list[Join]]:
    """The clusters and the joins of the partition.

    Keys: every record, once; their order is what breaks ties. Edges: one row a pair, weight in bits; edges
    below the review weight matter too, they lower the mean.
    A must-link that would put both ends of a cannot-link into one cluster is left out: the later ruling of the
    two is a steward's to withdraw.
    """
    ordered = sorted(set(keys))
    known = _ordered(edges)
    components = _components(ordered, known, constraints, thresholds.link)
    component_edges: dict[int, list[Edge]] = defaultdict(list)
    for edge in known:
        root = components[edge[0]]
        if root == components[edge[1]]:
            component_edges[root].append(edge)
    members: dict[int, list[int]] = defaultdict(list)
    for key in ordered:
        members[components[key]].append(key)

    cluster_of = {key: key for key in ordered}
    joins: list[Join] = []
    must, cannot = _by_component(constraints.must, components), _by_component(constraints.cannot, components)
    for root in sorted(component_edges.keys() | must.keys()):
        if len(members[root]) == 2 and root not in must and root not in cannot:
            # Most components: one edge and nothing to weigh it against.
            if join := _join_two(component_edges[root], constraints, thresholds):
                joins.append(join)
                cluster_of[join.key_r] = join.key_l
            continue
        agglomeration = _Agglomeration(members[root], constraints, thresholds)
        agglomeration.forbid(cannot.get(root, []))
        agglomeration.weigh(component_edges[root])
        agglomeration.join_must_links(must.get(root, []))
        agglomeration.join_by_weight()
        joins.extend(agglomeration.joins)
        cluster_of.update(agglomeration.cluster_of())
    return cluster_of, joins


def _components(
    ordered: Sequence[int], edges: Sequence[Edge], constraints: Constraints, link: float
) -> dict[int, int]:
    """Record key to the smallest key of its component (union-find with path halving)."""
    parent = {key: key for key in ordered}

    def find(key: int) -> int:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def unite(key_l: int, key_r: int) -> None:
        root_l, root_r = find(key_l), find(key_r)
        if root_l != root_r:
            parent[max(root_l, root_r)] = min(root_l, root_r)

    for key_l, key_r, weight in edges:
        if weight >= link:
            unite(key_l, key_r)
    for key_l, key_r in constraints.must:
        if key_l in parent and key_r in parent:
            unite(key_l, key_r)
    return {key: find(key) for key in ordered}


def _by_component(
    pairs: Iterable[tuple[int, int]], components: Mapping[int, int]
) -> dict[int, list[tuple[int, int]]]:
    """Constraints whose two ends are in one component, by its root, each in key order."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for key_l, key_r in sorted((min(pair), max(pair)) for pair in pairs):
        root = components.get(key_l)
        if root is not None and root == components.get(key_r):
            found[root].append((key_l, key_r))
    return found


def _join_two(edges: Sequence[Edge], constraints: Constraints, thresholds: Thresholds) -> Join | None:
    """What an agglomeration of two records, their edge and no ruling comes to."""
    [(key_l, key_r, weight)] = edges
    mean = mean_weight(units_of(weight, thresholds), 1, thresholds.floor)
    if (
        mean < thresholds.join
        or thresholds.size_limit < 2
        or not constraints.frozen.isdisjoint((key_l, key_r))
    ):
        return None
    if exclusive_conflict(constraints.held(key_l), constraints.held(key_r)):
        return None
    return Join(key_l, key_r, weight, mean, "evidence")


class _Agglomeration:
    """The clusters of one component while they grow; a cluster is named by its smallest key."""

    def __init__(
        self,
        members: Sequence[int],
        constraints: Constraints,
        thresholds: Thresholds,
    ) -> None:
        self.thresholds = thresholds
        self.joins: list[Join] = []
        self._members = {key: [key] for key in members}
        self._size = dict.fromkeys(members, 1)
        self._held = {key: held for key in members if (held := constraints.held(key))}
        self._between: dict[int, dict[int, Between]] = {key: {} for key in members}
        self._forbidden: dict[int, set[int]] = defaultdict(set)
        self._frozen = constraints.frozen.intersection(members) if constraints.frozen else set()
        self._heap: list[tuple[float, int, int, int, int]] = []

    def forbid(self, pairs: Iterable[tuple[int, int]]) -> None:
        for key_l, key_r in pairs:
            self._forbidden[key_l].add(key_r)
            self._forbidden[key_r].add(key_l)

    def weigh(self, edges: Iterable[Edge]) -> None:
        for key_l, key_r, weight in edges:
            between = Between(units_of(weight, self.thresholds), weight, key_l, key_r)
            self._between[key_l][key_r] = between
            self._between[key_r][key_l] = between

    def join_must_links(self, pairs: Iterable[tuple[int, int]]) -> None:
        for key_l, key_r in pairs:
            cluster_l, cluster_r = self._name_of(key_l), self._name_of(key_r)
            if cluster_l == cluster_r or cluster_r in self._forbidden[cluster_l]:
                continue
            self.joins.append(Join(key_l, key_r, 0.0, 0.0, "must_link"))
            self._merge(cluster_l, cluster_r)

    def join_by_weight(self) -> None:
        for cluster_l, neighbours in self._between.items():
            for cluster_r in neighbours:
                if cluster_l < cluster_r:
                    self._offer(cluster_l, cluster_r)
        while self._heap:
            negative_mean, cluster_l, cluster_r, size_l, size_r = heapq.heappop(self._heap)
            is_current = self._size.get(cluster_l) == size_l and self._size.get(cluster_r) == size_r
            if not is_current or self._refused(cluster_l, cluster_r):
                continue
            best = self._between[cluster_l][cluster_r]
            self.joins.append(Join(best.best_l, best.best_r, best.best_weight, -negative_mean, "evidence"))
            # The left name is the smaller one, and the name of both from now on.
            for neighbour in self._merge(cluster_l, cluster_r):
                if neighbour < cluster_l:
                    self._offer(neighbour, cluster_l)
                else:
                    self._offer(cluster_l, neighbour)

    def cluster_of(self) -> dict[int, int]:
        return {key: name for name, members in self._members.items() for key in members}

    def _name_of(self, key: int) -> int:
        return next(name for name, members in self._members.items() if key in members)

    def _offer(self, cluster_l: int, cluster_r: int) -> None:
        size_l, size_r = self._size[cluster_l], self._size[cluster_r]
        mean = mean_weight(self._between[cluster_l][cluster_r].units, size_l * size_r, self.thresholds.floor)
        if mean >= self.thresholds.join:
            heapq.heappush(self._heap, (-mean, cluster_l, cluster_r, size_l, size_r))

    def _refused(self, cluster_l: int, cluster_r: int) -> bool:
        return (
            cluster_r in self._forbidden.get(cluster_l, ())
            or cluster_l in self._frozen
            or cluster_r in self._frozen
            or self._size[cluster_l] + self._size[cluster_r] > self.thresholds.size_limit
            or exclusive_conflict(self._held.get(cluster_l, NOTHING), self._held.get(cluster_r, NOTHING))
        )

    def _merge(self, cluster_l: int, cluster_r: int) -> list[int]:
        """Join two clusters under the smaller name; returns the neighbours of the result."""
        name, gone = min(cluster_l, cluster_r), max(cluster_l, cluster_r)
        self._members[name].extend(self._members.pop(gone))
        self._size[name] += self._size.pop(gone)
        if gone in self._held:
            self._held[name] = self._held.get(name, NOTHING) | self._held.pop(gone)
        if gone in self._frozen:
            self._frozen |= {name}
        for other in self._forbidden.pop(gone, set()):
            self._forbidden[other].discard(gone)
            self._forbidden[other].add(name)
            self._forbidden[name].add(other)
        moved = self._between.pop(gone)
        moved.pop(name, None)
        kept = self._between[name]
        kept.pop(gone, None)
        for other, between in moved.items():
            del self._between[other][gone]
            if other in kept:
                kept[other].add(between)
            else:
                kept[other] = between
                self._between[other][name] = between
        return list(kept)
