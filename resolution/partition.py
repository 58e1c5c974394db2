"""From scored pairs to people: a pure, order-independent partition of records.

Records that edges at or above the link weight connect form a component. Inside a component, average-linkage
agglomeration joins the two clusters whose mean pair weight is highest, as long as it reaches the join weight
and no rule forbids it. Pairs that were never scored count with the floor.

Source: average linkage (UPGMA, Sokal and Michener 1958) under instance constraints (Davidson and Ravi 2005).
Weights are rounded to 2**-20 bits and summed as integers, so that neither the order of the records nor that of
the edges can change a sum, a tie or the result.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

_UNITS_PER_BIT = 1 << 20

# Clusters that may hold one exclusive identifier and still be shown to a steward pair by pair.
SHARED_BY_AT_MOST = 4

# (key_l, key_r, match weight in bits); either order of the keys, one row a pair.
Edge = tuple[int, int, float]


@dataclass(frozen=True)
class Thresholds:
    """All in bits of match weight, but for the last.

    link: an edge at or above it puts two records in one component. join: the mean weight at which two clusters
    become one. review: from here up to `join` a steward is asked. floor and ceiling: no pair counts less or more,
    so that one odd pair does not decide for many; a pair that was never scored counts the floor.
    size_limit: records in the largest cluster that the machine makes alone.
    """

    link: float
    join: float
    review: float
    floor: float
    ceiling: float
    size_limit: int


@dataclass(frozen=True)
class Constraints:
    """What weights may not overrule.

    must and cannot: pairs of record keys. exclusive: per record its exclusive identifiers as (type, value);
    a cluster holds at most one value of a type, must-links apart.
    """

    must: frozenset[tuple[int, int]] = frozenset()
    cannot: frozenset[tuple[int, int]] = frozenset()
    exclusive: Mapping[int, Sequence[tuple[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """Two clusters that the evidence would join and the machine does not.

    key_l, key_r: the heaviest edge between them, with its match_weight; mean_weight: over all their pairs.
    reason: 'review_band'; 'exclusive_conflict', two values of an exclusive type; 'exclusive_shared', one value of it
    and little else; 'cannot_link'; 'size_limit'.
    """

    key_l: int
    key_r: int
    match_weight: float
    mean_weight: float
    reason: str


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

    Keys: every record, once; their order is what breaks ties. Edges: one row a pair, weight in bits; edges
    below the review weight matter too, they lower the mean.
    A must-link that would put both ends of a cannot-link into one cluster is left out: the later ruling of the
    two is a steward's to withdraw.
    """
    ordered = sorted(set(keys))
    known = sorted((*((a, b) if a < b else (b, a)), weight) for a, b, weight in edges)
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
        agglomeration = _Agglomeration(members[root], constraints.exclusive, thresholds)
        agglomeration.forbid(cannot.get(root, []))
        agglomeration.weigh(component_edges[root])
        agglomeration.join_must_links(must.get(root, []))
        agglomeration.join_by_weight()
        joins.extend(agglomeration.joins)
        cluster_of.update(agglomeration.cluster_of())
    return Partition(cluster_of, joins, _refusals(cluster_of, known, constraints, thresholds))


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


@dataclass(slots=True)
class _Between:
    """What is known between two clusters: the summed weight above the floor, and the heaviest edge."""

    units: int
    best_weight: float
    best_l: int
    best_r: int

    def add(self, other: _Between) -> None:
        self.units += other.units
        if (-other.best_weight, other.best_l, other.best_r) < (-self.best_weight, self.best_l, self.best_r):
            self.best_weight, self.best_l, self.best_r = other.best_weight, other.best_l, other.best_r


class _Agglomeration:
    """The clusters of one component while they grow; a cluster is named by its smallest key."""

    def __init__(
        self,
        members: Sequence[int],
        exclusive: Mapping[int, Sequence[tuple[str, str]]],
        thresholds: Thresholds,
    ) -> None:
        self.thresholds = thresholds
        self.joins: list[Join] = []
        self._members = {key: [key] for key in members}
        self._exclusive = {key: frozenset(exclusive[key]) for key in members if key in exclusive}
        self._between: dict[int, dict[int, _Between]] = {key: {} for key in members}
        self._forbidden: dict[int, set[int]] = defaultdict(set)
        self._heap: list[tuple[float, int, int, int, int]] = []

    def forbid(self, pairs: Iterable[tuple[int, int]]) -> None:
        for key_l, key_r in pairs:
            self._forbidden[key_l].add(key_r)
            self._forbidden[key_r].add(key_l)

    def weigh(self, edges: Iterable[Edge]) -> None:
        for key_l, key_r, weight in edges:
            between = _Between(_units(weight, self.thresholds), weight, key_l, key_r)
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
        self._heap.clear()
        for cluster_l in sorted(self._members):
            for cluster_r in self._between[cluster_l]:
                if cluster_l < cluster_r:
                    self._offer(cluster_l, cluster_r)
        while self._heap:
            negative_mean, cluster_l, cluster_r, size_l, size_r = heapq.heappop(self._heap)
            if not (self._is_current(cluster_l, size_l) and self._is_current(cluster_r, size_r)):
                continue
            if self._refused(cluster_l, cluster_r):
                continue
            best = self._between[cluster_l][cluster_r]
            self.joins.append(Join(best.best_l, best.best_r, best.best_weight, -negative_mean, "evidence"))
            for neighbour in self._merge(cluster_l, cluster_r):
                self._offer(*sorted((min(cluster_l, cluster_r), neighbour)))

    def cluster_of(self) -> dict[int, int]:
        return {key: name for name, members in self._members.items() for key in members}

    def _name_of(self, key: int) -> int:
        return next(name for name, members in self._members.items() if key in members)

    def _is_current(self, cluster: int, size: int) -> bool:
        return cluster in self._members and len(self._members[cluster]) == size

    def _offer(self, cluster_l: int, cluster_r: int) -> None:
        size_l, size_r = len(self._members[cluster_l]), len(self._members[cluster_r])
        mean = _mean_weight(self._between[cluster_l][cluster_r].units, size_l * size_r, self.thresholds.floor)
        if mean >= self.thresholds.join:
            heapq.heappush(self._heap, (-mean, cluster_l, cluster_r, size_l, size_r))

    def _refused(self, cluster_l: int, cluster_r: int) -> bool:
        return (
            cluster_r in self._forbidden[cluster_l]
            or len(self._members[cluster_l]) + len(self._members[cluster_r]) > self.thresholds.size_limit
            or exclusive_conflict(
                self._exclusive.get(cluster_l, frozenset()), self._exclusive.get(cluster_r, frozenset())
            )
        )

    def _merge(self, cluster_l: int, cluster_r: int) -> list[int]:
        """Join two clusters under the smaller name; returns the neighbours of the result."""
        name, gone = min(cluster_l, cluster_r), max(cluster_l, cluster_r)
        self._members[name].extend(self._members.pop(gone))
        if gone in self._exclusive:
            self._exclusive[name] = self._exclusive.get(name, frozenset()) | self._exclusive.pop(gone)
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


def exclusive_conflict(held_l: frozenset[tuple[str, str]], held_r: frozenset[tuple[str, str]]) -> bool:
    """Whether two clusters hold different values of one exclusive type.

    Where one side's values of the type include the other's, a steward has put them together before.
    """
    if not held_l or not held_r:
        return False
    for kind in {kind for kind, _ in held_l} & {kind for kind, _ in held_r}:
        values_l = {value for k, value in held_l if k == kind}
        values_r = {value for k, value in held_r if k == kind}
        if not (values_l <= values_r or values_r <= values_l):
            return True
    return False


def _units(weight: float, thresholds: Thresholds) -> int:
    """The weight above the floor as an exact integer."""
    bounded = min(max(weight, thresholds.floor), thresholds.ceiling)
    return round((bounded - thresholds.floor) * _UNITS_PER_BIT)


def _mean_weight(units: int, pairs: int, floor: float) -> float:
    return floor + units / pairs / _UNITS_PER_BIT


def _refusals(
    cluster_of: Mapping[int, int], edges: Sequence[Edge], constraints: Constraints, thresholds: Thresholds
) -> list[Refusal]:
    """Pairs of final clusters whose mean weight reaches the review weight, or that share an exclusive identifier
    all the same, each with what stood in the way."""
    members: dict[int, list[int]] = defaultdict(list)
    for key, name in cluster_of.items():
        members[name].append(key)
    separated = {
        (min(names), max(names))
        for a, b in constraints.cannot
        if a in cluster_of and b in cluster_of
        for names in [(cluster_of[a], cluster_of[b])]
    }
    between = _between_clusters(cluster_of, edges, thresholds)
    sharing = _sharing_clusters(cluster_of, constraints.exclusive)
    for (name_l, name_r), (key_l, key_r) in sharing.items():
        between.setdefault((name_l, name_r), _Between(0, thresholds.floor, key_l, key_r))

    refusals = []
    for (name_l, name_r), found in between.items():
        size_l, size_r = len(members[name_l]), len(members[name_r])
        mean = _mean_weight(found.units, size_l * size_r, thresholds.floor)
        if mean < thresholds.review and (name_l, name_r) not in sharing:
            continue
        reason = "review_band"
        if (name_l, name_r) in separated:
            reason = "cannot_link"
        elif mean < thresholds.review:
            reason = "exclusive_shared"
        elif exclusive_conflict(
            _held(members[name_l], constraints.exclusive), _held(members[name_r], constraints.exclusive)
        ):
            reason = "exclusive_conflict"
        elif size_l + size_r > thresholds.size_limit:
            reason = "size_limit"
        refusals.append(Refusal(found.best_l, found.best_r, found.best_weight, mean, reason))
    return sorted(refusals, key=lambda refusal: (refusal.key_l, refusal.key_r))


def _between_clusters(
    cluster_of: Mapping[int, int], edges: Sequence[Edge], thresholds: Thresholds
) -> dict[tuple[int, int], _Between]:
    """What the edges say about each pair of final clusters that any edge connects."""
    between: dict[tuple[int, int], _Between] = {}
    for key_l, key_r, weight in edges:
        cluster_l, cluster_r = cluster_of[key_l], cluster_of[key_r]
        if cluster_l == cluster_r:
            continue
        pair = (cluster_l, cluster_r) if cluster_l < cluster_r else (cluster_r, cluster_l)
        found = _Between(_units(weight, thresholds), weight, key_l, key_r)
        if pair in between:
            between[pair].add(found)
        else:
            between[pair] = found
    return between


def _sharing_clusters(
    cluster_of: Mapping[int, int], exclusive: Mapping[int, Sequence[tuple[str, str]]]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Pairs of final clusters that hold the same exclusive identifier, each with the first records that do.

    A value in more clusters than SHARED_BY_AT_MOST is nobody's: a till typed it for everyone, and no steward can
    tell whose it is from a pair.
    """
    holders: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for key in sorted(exclusive):
        for held in exclusive[key]:
            if key in cluster_of:
                holders[held].setdefault(cluster_of[key], key)
    sharing: dict[tuple[int, int], tuple[int, int]] = {}
    for by_cluster in holders.values():
        if len(by_cluster) > SHARED_BY_AT_MOST:
            continue
        for name_l, name_r in combinations(sorted(by_cluster), 2):
            pair = sorted((by_cluster[name_l], by_cluster[name_r]))
            sharing.setdefault((name_l, name_r), (pair[0], pair[1]))
    return sharing


def _held(
    members: Iterable[int], exclusive: Mapping[int, Sequence[tuple[str, str]]]
) -> frozenset[tuple[str, str]]:
    return frozenset(pair for key in members for pair in exclusive.get(key, ()))
