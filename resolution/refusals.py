"""What a partition leaves to stewards: clusters that evidence would join and a rule or the review band keeps apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from resolution.cluster_evidence import (
    Between,
    Constraints,
    Edge,
    Held,
    Thresholds,
    exclusive_conflict,
    mean_weight,
    units_of,
)

# Clusters that may hold one exclusive identifier and still be shown to a steward pair by pair.
SHARED_BY_AT_MOST = 4


@dataclass(frozen=True)
class Refusal:
    """Two clusters that the evidence would join and the machine does not.

    key_l, key_r: the heaviest edge between them, with its match_weight; mean_weight: over all their pairs.
    reason: 'review_band'; 'exclusive_conflict', two values of an exclusive type; 'exclusive_shared', one value of it
    and little else; 'cannot_link'; 'size_limit'; 'frozen', nothing but that one of them is.
    """

    key_l: int
    key_r: int
    match_weight: float
    mean_weight: float
    reason: str


def find_refusals(
    cluster_of: Mapping[int, int],
    edges: Sequence[Edge],
    constraints: Constraints,
    thresholds: Thresholds,
    *,
    told: Collection[tuple[str, str]] | None = None,
) -> list[Refusal]:
    """Pairs of final clusters whose mean weight reaches the review weight, or that share an exclusive identifier
    all the same, each with what stood in the way. Told: the identifiers all of whose holders are here; None: all.

    With a frozen cluster one pair of the join weight is enough: what came first would have joined by it.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for key, name in cluster_of.items():
        members[name].append(key)
    separated = {
        (min(names), max(names))
        for a, b in constraints.cannot
        if a in cluster_of and b in cluster_of
        for names in [(cluster_of[a], cluster_of[b])]
    }
    frozen = {cluster_of[key] for key in constraints.frozen if key in cluster_of}
    between = _between_clusters(cluster_of, edges, thresholds)
    sharing = _sharing_clusters(cluster_of, constraints, told)
    for (name_l, name_r), (key_l, key_r) in sharing.items():
        between.setdefault((name_l, name_r), Between(0, thresholds.floor, key_l, key_r))

    refusals = []
    for (name_l, name_r), found in between.items():
        size_l, size_r = len(members[name_l]), len(members[name_r])
        mean = mean_weight(found.units, size_l * size_r, thresholds.floor)
        would_join = found.best_weight >= thresholds.join and not frozen.isdisjoint((name_l, name_r))
        if mean < thresholds.review and not would_join and (name_l, name_r) not in sharing:
            continue
        reason = "frozen" if would_join else "review_band"
        if (name_l, name_r) in separated:
            reason = "cannot_link"
        elif mean < thresholds.review and not would_join:
            reason = "exclusive_shared"
        elif exclusive_conflict(_held(members[name_l], constraints), _held(members[name_r], constraints)):
            reason = "exclusive_conflict"
        elif size_l + size_r > thresholds.size_limit:
            reason = "size_limit"
        refusals.append(Refusal(found.best_l, found.best_r, found.best_weight, mean, reason))
    return sorted(refusals, key=lambda refusal: (refusal.key_l, refusal.key_r))


def _between_clusters(
    cluster_of: Mapping[int, int], edges: Sequence[Edge], thresholds: Thresholds
) -> dict[tuple[int, int], Between]:
    """What the edges say about each pair of final clusters that any edge connects."""
    between: dict[tuple[int, int], Between] = {}
    for one, other, weight in edges:
        # Of several as heavy the first is told, by its smaller key, whichever end was named first.
        key_l, key_r = (one, other) if one < other else (other, one)
        cluster_l, cluster_r = cluster_of[key_l], cluster_of[key_r]
        if cluster_l == cluster_r:
            continue
        pair = (cluster_l, cluster_r) if cluster_l < cluster_r else (cluster_r, cluster_l)
        found = Between(units_of(weight, thresholds), weight, key_l, key_r)
        if pair in between:
            between[pair].add(found)
        else:
            between[pair] = found
    return between


def _sharing_clusters(
    cluster_of: Mapping[int, int], constraints: Constraints, told: Collection[tuple[str, str]] | None
) -> dict[tuple[int, int], tuple[int, int]]:
    """Pairs of final clusters that hold the same exclusive identifier, each with the first records that do.

    A value in more clusters than SHARED_BY_AT_MOST is nobody's: a till typed it for everyone, and no steward can
    tell whose it is from a pair. A cluster that merely claims a value counts there and is in no pair.
    """
    holders: dict[tuple[str, str], set[int]] = defaultdict(set)
    firsts: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for key in sorted(constraints.exclusive):
        for held in constraints.exclusive[key]:
            if key not in cluster_of or (told is not None and held not in told):
                continue
            holders[held].add(cluster_of[key])
            if held not in constraints.claimed.get(key, ()):
                firsts[held].setdefault(cluster_of[key], key)
    sharing: dict[tuple[int, int], tuple[int, int]] = {}
    for held, by_cluster in firsts.items():
        if len(holders[held]) > SHARED_BY_AT_MOST:
            continue
        for name_l, name_r in combinations(sorted(by_cluster), 2):
            pair = sorted((by_cluster[name_l], by_cluster[name_r]))
            sharing.setdefault((name_l, name_r), (pair[0], pair[1]))
    return sharing


def _held(members: Sequence[int], constraints: Constraints) -> Held:
    return frozenset(said for key in members for said in constraints.held(key))
