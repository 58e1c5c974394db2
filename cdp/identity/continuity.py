"""Which profile id each cluster keeps from one partition to the next: a pure rule.

An id goes with most of its records. Where several ids meet, the oldest survives and the others are absorbed.
A cluster that no id claims takes back the id its records had before that id was absorbed or emptied, or else
a new one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Continuity:
    """profile_of: cluster index to profile id. created, revived: ids that are new or given back.

    absorbed: absorbed id to its survivor. emptied: ids none of whose records is anywhere any more.
    """

    profile_of: list[str]
    created: frozenset[str]
    revived: frozenset[str]
    absorbed: dict[str, str]
    emptied: frozenset[str] = field(default_factory=frozenset)


def keep_profile_ids(
    clusters: Sequence[Sequence[int]],
    current: Mapping[int, str],
    former: Callable[[Iterable[int]], Mapping[int, Sequence[str]]],
    new_id: Callable[[], str],
) -> Continuity:
    """Give every cluster its profile id.

    Clusters: record ids in key order, each record in one cluster. Current: record id to live profile id.
    Former: asked once, for the records of unclaimed clusters, for the absorbed or emptied ids each has
    belonged to. Ids sort by age. Ties go to the cluster that comes first in record key order.
    """
    claims = _claims(clusters, current)
    profile_of: list[str | None] = [None] * len(clusters)
    absorbed: dict[str, str] = {}
    for index, claimants in claims.items():
        survivor, *others = sorted(claimants)
        profile_of[index] = survivor
        absorbed.update(dict.fromkeys(others, survivor))
    unclaimed = [index for index, profile_id in enumerate(profile_of) if profile_id is None]
    revived = _given_back(unclaimed, clusters, former)
    created = set()
    for index in unclaimed:
        profile_of[index] = revived.get(index) or new_id()
        if index not in revived:
            created.add(profile_of[index])
    clustered = {record_id for cluster in clusters for record_id in cluster}
    held = {profile_id for record_id, profile_id in current.items() if record_id in clustered}
    return Continuity(
        profile_of=[profile_id for profile_id in profile_of if profile_id is not None],
        created=frozenset(profile_id for profile_id in created if profile_id is not None),
        revived=frozenset(revived.values()),
        absorbed=absorbed,
        emptied=frozenset(set(current.values()) - held),
    )


def _claims(clusters: Sequence[Sequence[int]], current: Mapping[int, str]) -> dict[int, list[str]]:
    """Cluster index to the ids that go there: each id to the cluster that holds most of its records."""
    holdings: dict[str, Counter[int]] = defaultdict(Counter)
    for index, cluster in enumerate(clusters):
        for record_id in cluster:
            profile_id = current.get(record_id)
            if profile_id is not None:
                holdings[profile_id][index] += 1
    claims: dict[int, list[str]] = defaultdict(list)
    for profile_id, counts in holdings.items():
        claims[max(counts, key=lambda index: (counts[index], -index))].append(profile_id)
    return claims


def _given_back(
    unclaimed: Sequence[int],
    clusters: Sequence[Sequence[int]],
    former: Callable[[Iterable[int]], Mapping[int, Sequence[str]]],
) -> dict[int, str]:
    """Cluster index to the id it takes back: the one most of its records have borne, the oldest of ties.

    An id goes to one cluster only, the one with most of its records.
    """
    records = [record_id for index in unclaimed for record_id in clusters[index]]
    former_of = former(records) if records else {}
    if not former_of:
        return {}
    offers = Counter(
        (index, profile_id)
        for index in unclaimed
        for record_id in clusters[index]
        for profile_id in former_of.get(record_id, ())
    )
    given: dict[int, str] = {}
    taken: set[str] = set()
    for (index, profile_id), _ in sorted(offers.items(), key=lambda item: (-item[1], item[0][1], item[0][0])):
        if index not in given and profile_id not in taken:
            given[index] = profile_id
            taken.add(profile_id)
    return given
