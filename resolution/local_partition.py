"""The people of a region, and what stewards are to be asked about them: as the partition of everything has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from resolution.incremental import follow_changes
from resolution.linkage_index import REPEAT, Edge, LinkageIndex, Pair
from resolution.neighbourhood import Change, Neighbourhood, Region
from resolution.online import OnlineModel
from resolution.partition import Constraints, Join, Refusal, join_records
from resolution.people import (
    Cluster,
    PairConstraints,
    claimed_identifiers,
    exclusive_identifiers,
    separating_attributes,
)
from resolution.readings import Readings
from resolution.refusals import SHARED_BY_AT_MOST, find_refusals
from resolution.sharing import EXCLUSIVE_COLUMN, Value


@dataclass(frozen=True)
class LocalResolution:
    """The clusters of a region, in the order of the record keys of their first records.

    refusals: on record ids, key_l < key_r by record key; those of a cluster of the region, or of two clusters that
    share an exclusive identifier with it. sharing_clusters: names of the latter. gone: records that are no more.
    edges: those with an end in the region. unscored: see Neighbourhood. former: record id to the cluster it was in, of
    the records of the region and those that are no more.
    """

    clusters: list[Cluster]
    refusals: list[Refusal]
    sharing_clusters: frozenset[str]
    gone: frozenset[int]
    edges: Mapping[Pair, Edge]
    unscored: frozenset[int]
    former: Mapping[int, str]


def resolve_changes(
    index: LinkageIndex,
    model: OnlineModel,
    changes: Sequence[Change],
    *,
    concerned: Collection[int] = (),
    holding: Mapping[Value, bool] | None = None,
    readings: Readings | None = None,
) -> LocalResolution:
    """Bring the index up to date after changes of records, and find the people they may have changed.

    Concerned, holding: see follow_changes. Readings: what is known already of what records say, under this model.
    """
    near = Neighbourhood(index, model, readings)
    return resolve_region(near, follow_changes(near, changes, concerned=concerned, holding=holding))


def resolve_region(near: Neighbourhood, region: Region) -> LocalResolution:
    found = _partition_region(near, region)
    former = near.index.select_clusters(region.record_ids | region.gone)
    names, outside = _clusters_outside(near, region, set(former.values()))
    refusals = _refusals(near, region, found, names, outside)
    return LocalResolution(
        found,
        refusals,
        frozenset(outside.sharing),
        frozenset(region.gone),
        region.edges,
        frozenset(near.unscored),
        former,
    )


@dataclass(frozen=True)
class _Outside:
    """Clusters that are not of the region: all their records by name, and which of them share which values."""

    records: Mapping[str, Sequence[int]]
    sharing: Mapping[str, Collection[Value]]
    told: Collection[Value]


def _partition_region(near: Neighbourhood, region: Region) -> list[Cluster]:
    ranked = _ranked(near, region.record_ids)
    rank_of = {record_id: rank for rank, record_id in enumerate(ranked)}
    firsts = [rank_of[record_id] for record_id in ranked if record_id not in region.firsts]
    edges = [
        (rank_of[edge.record_id_l], rank_of[edge.record_id_r], edge.match_weight)
        for edge in region.edges.values()
        if edge.origin != REPEAT and edge.record_id_l in rank_of and edge.record_id_r in rank_of
    ]
    thresholds = near.model.model.specification.thresholds
    constraints = _constraints(near, ranked, region.constraints, region.firsts)
    cluster_of, joins = join_records(firsts, edges, constraints, thresholds)
    for repeat, first in sorted((rank_of[repeat], rank_of[first]) for repeat, first in region.firsts.items()):
        pair = _pair(ranked[first], ranked[repeat])
        weight = region.edges[pair].match_weight
        cluster_of[repeat] = cluster_of[first]
        joins.append(Join(first, repeat, weight, weight, "evidence"))
    return _clusters(cluster_of, joins, ranked)


def _ranked(near: Neighbourhood, record_ids: Collection[int]) -> list[int]:
    near.load(record_ids)
    return sorted(record_ids, key=lambda record_id: near.record(record_id).key)


def _constraints(
    near: Neighbourhood, ranked: Sequence[int], rulings: PairConstraints, firsts: Mapping[int, int]
) -> Constraints:
    """On ranks; what is ruled of repeats is ruled of their firsts."""
    rank_of = {record_id: rank for rank, record_id in enumerate(ranked)}
    exclusive, separating, claimed = {}, {}, {}
    for rank, record_id in enumerate(ranked):
        linkage = near.record(record_id).linkage
        if EXCLUSIVE_COLUMN in linkage:
            exclusive[rank] = exclusive_identifiers(linkage[EXCLUSIVE_COLUMN])
            if "claimed" in linkage:
                claimed[rank] = claimed_identifiers(linkage[EXCLUSIVE_COLUMN], linkage["claimed"])
        if "agnomen" in linkage:
            separating[rank] = separating_attributes(str(linkage["agnomen"]))
    rank_of.update((repeat, rank_of[first]) for repeat, first in firsts.items() if first in rank_of)
    must, cannot = (
        frozenset((rank_of[a], rank_of[b]) for a, b in pairs if a in rank_of and b in rank_of)
        for pairs in (rulings.together, rulings.cannot)
    )
    frozen = frozenset(rank_of[record_id] for record_id, _ in rulings.frozen if record_id in rank_of)
    return Constraints(must, cannot, exclusive, separating, claimed, frozen)


def _clusters(cluster_of: Mapping[int, int], joins: Iterable[Join], ranked: Sequence[int]) -> list[Cluster]:
    """On record ids; all that is given is on ranks."""
    members: dict[int, list[int]] = defaultdict(list)
    for rank, record_id in enumerate(ranked):
        members[cluster_of[rank]].append(record_id)
    joins_of: dict[int, list[Join]] = defaultdict(list)
    for join in joins:
        low, high = _pair(ranked[join.key_l], ranked[join.key_r])
        joins_of[cluster_of[join.key_l]].append(replace(join, key_l=low, key_r=high))
    return [Cluster(tuple(listed), tuple(joins_of.get(name, ()))) for name, listed in sorted(members.items())]


def _pair(a: int, b: int) -> Pair:
    return (a, b) if a < b else (b, a)


def _clusters_outside(
    near: Neighbourhood, region: Region, own: Collection[str]
) -> tuple[dict[int, str], _Outside]:
    """The clusters of others that evidence in the review band, or one document, connects with the region.

    Own: the clusters that its records were in.
    """
    index, review = near.index, near.model.model.specification.thresholds.review
    values = {
        (EXCLUSIVE_COLUMN, document)
        for linkage in (
            *(near.record(record_id).linkage for record_id in region.record_ids),
            *(change.before.linkage for change in region.changed if change.before is not None),
        )
        for document in linkage.get(EXCLUSIVE_COLUMN, ())
    }
    holding = index.select_clusters_holding(values, limit=SHARED_BY_AT_MOST + 1 + len(own)) if values else {}
    others = {value: [name for name in names if name not in own] for value, names in holding.items()}
    told = {value for value in values if len(others.get(value, ())) <= SHARED_BY_AT_MOST}
    sharing: dict[str, set[Value]] = defaultdict(set)
    for value, names in others.items():
        for name in names:
            sharing[name].add(value)
    ends = {
        record_id
        for edge in region.edges.values()
        if edge.match_weight >= review
        for record_id in edge.pair
        if record_id not in region.record_ids
    }
    near_by = index.select_clusters(ends) if ends else {}
    wanted = set(near_by.values()) | {name for name, held in sharing.items() if held & told}
    records = index.select_cluster_records(wanted) if wanted else {}
    name_of = {record_id: name for name, record_ids in records.items() for record_id in record_ids}
    return name_of, _Outside(records, sharing, told)


def _refusals(
    near: Neighbourhood,
    region: Region,
    clusters: Sequence[Cluster],
    name_of: Mapping[int, str],
    outside: _Outside,
) -> list[Refusal]:
    """Repeats weigh nothing here, as in the batch: they say what their firsts say."""
    listed = [cluster.record_ids for cluster in clusters]
    listed += [tuple(record_ids) for _, record_ids in sorted(outside.records.items())]
    known = {record_id for group in listed for record_id in group}
    edges = dict(region.edges)
    edges.update((edge.pair, edge) for edge in near.index.select_edges(name_of))
    edges = {pair: edge for pair, edge in edges.items() if known.issuperset(pair)}
    firsts = near.firsts(edges.values())
    ranked = _ranked(near, known - firsts.keys())
    rank_of = {record_id: rank for rank, record_id in enumerate(ranked)}
    group_of = {
        rank_of[record_id]: place
        for place, group in enumerate(listed)
        for record_id in group
        if record_id in rank_of
    }
    scored = [
        (rank_of[edge.record_id_l], rank_of[edge.record_id_r], edge.match_weight)
        for edge in edges.values()
        if edge.record_id_l in rank_of and edge.record_id_r in rank_of
    ]
    rulings = near.index.select_constraints(ranked)
    found = find_refusals(
        _named(group_of),
        scored,
        _constraints(near, ranked, rulings, {}),
        near.model.model.specification.thresholds,
        told=frozenset(
            identifier for value in outside.told for identifier in exclusive_identifiers([value[1]])
        ),
    )
    inside = len(clusters)
    kept = []
    for refusal in found:
        ends = ranked[refusal.key_l], ranked[refusal.key_r]
        places = group_of[refusal.key_l], group_of[refusal.key_r]
        if min(places) < inside or all(name_of[end] in outside.sharing for end in ends):
            low, high = _pair(*ends)
            kept.append(replace(refusal, key_l=low, key_r=high))
    return kept


def _named(group_of: Mapping[int, int]) -> dict[int, int]:
    """Rank to the smallest rank of its group."""
    smallest: dict[int, int] = {}
    for rank in sorted(group_of):
        smallest.setdefault(group_of[rank], rank)
    return {rank: smallest[group] for rank, group in group_of.items()}
