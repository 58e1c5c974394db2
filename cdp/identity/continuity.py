"""Which profile id each cluster keeps from one partition to the next: a pure rule.

An id goes with most of its own records. Where several ids meet, the oldest survives and the others are
absorbed. A cluster that no id claims takes back the id its records had before that id was absorbed or emptied,
or else a new one. An undo says which ids its records had before what it undoes: those claim them back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Continuity:
    """profile_of: cluster index to profile id. created, revived: ids that are new or given back.

    absorbed: absorbed id to its survivor. emptied: ids none of whose records is anywhere any more.
    """

    profile_of: list[str]
    created: frozenset[str]
    revived: frozenset[str]
    absorbed: dict[str, str]
    emptied: frozenset[str]


def keep_profile_ids(
    clusters: Sequence[Sequence[int]],
    current: Mapping[int, str],
    former: Callable[[Iterable[int]], Mapping[int, Sequence[str]]],
    new_id: Callable[[], str],
    *,
    restored: Mapping[int, str] | None = None,
) -> Continuity:
    """Give every cluster its profile id.

    Clusters: record ids in key order, each record in one cluster. Current: record id to live profile id.
    Former: asked at most once, for the absorbed or emptied ids that records have belonged to. Ids sort by
    age. Ties go to the cluster that comes first in record key order. Restored: record id to the profile id an
    undo gives it back to; none of these ids is live among other records than those of `current`.
    """
    claimed = {**current, **restored} if restored else current
    holdings = _holdings(clusters, claimed)
    former_of = _ask_former(clusters, claimed, holdings, former)
    profile_of: list[str | None] = [None] * len(clusters)
    absorbed: dict[str, str] = {}
    for index, claimants in _claims(clusters, claimed, holdings, former_of).items():
        survivor, *others = sorted(claimants)
        profile_of[index] = survivor
        absorbed.update(dict.fromkeys(others, survivor))
    unclaimed = [index for index, profile_id in enumerate(profile_of) if profile_id is None]
    given_back = _given_back(unclaimed, clusters, former_of, taken={each for each in profile_of if each})
    kept: list[str] = []
    created: list[str] = []
    for index, profile_id in enumerate(profile_of):
        known = profile_id or given_back.get(index)
        if known is None:
            created.append(known := new_id())
        kept.append(known)
    found = Continuity(
        profile_of=kept,
        created=frozenset(created),
        revived=frozenset(given_back.values()),
        absorbed=absorbed,
        emptied=frozenset(set(current.values()) - holdings.keys()),
    )
    return _with_restored(found, clusters, current) if restored else found


def _with_restored(
    found: Continuity, clusters: Sequence[Sequence[int]], current: Mapping[int, str]
) -> Continuity:
    """What became of the ids that an undo passed over: those live until now, and those it gave back."""
    live, kept = set(current.values()), set(found.profile_of)
    held = _holdings(clusters, current)
    absorbed = {each: survivor for each, survivor in found.absorbed.items() if each in live}
    absorbed.update(
        (profile_id, found.profile_of[_largest(counts)])
        for profile_id, counts in held.items()
        if profile_id not in absorbed and profile_id not in kept
    )
    return Continuity(
        profile_of=found.profile_of,
        created=found.created,
        revived=frozenset(kept - live - found.created),
        absorbed=absorbed,
        emptied=frozenset(live - held.keys()),
    )


def _holdings(clusters: Sequence[Sequence[int]], current: Mapping[int, str]) -> dict[str, Counter[int]]:
    """Profile id to how many of its records each cluster holds, by cluster index."""
    holdings: dict[str, Counter[int]] = {}
    for index, cluster in enumerate(clusters):
        for record_id in cluster:
            profile_id = current.get(record_id)
            if profile_id is None:
                continue
            if profile_id not in holdings:
                holdings[profile_id] = Counter()
            holdings[profile_id][index] += 1
    return holdings


def _ask_former(
    clusters: Sequence[Sequence[int]],
    current: Mapping[int, str],
    holdings: Mapping[str, Counter[int]],
    former: Callable[[Iterable[int]], Mapping[int, Sequence[str]]],
) -> Mapping[int, Sequence[str]]:
    """The former ids of the records that a former id matters for: in parts of a profile, or in none."""
    parts = {index for counts in holdings.values() if len(counts) > 1 for index in counts}
    asked = [
        record_id
        for index, cluster in enumerate(clusters)
        if index in parts or not any(record_id in current for record_id in cluster)
        for record_id in cluster
    ]
    return former(asked) if asked else {}


def _claims(
    clusters: Sequence[Sequence[int]],
    current: Mapping[int, str],
    holdings: Mapping[str, Counter[int]],
    former_of: Mapping[int, Sequence[str]],
) -> dict[int, list[str]]:
    """Cluster index to the ids that go there.

    An id goes to the cluster with most of its own records, those that no absorbed id can be given back to;
    when it has none of them left, to the one with most of all its records.
    """
    claims: dict[int, list[str]] = defaultdict(list)
    for profile_id, counts in holdings.items():
        if len(counts) > 1:
            own = Counter(
                index
                for index in counts
                for record_id in clusters[index]
                if current.get(record_id) == profile_id and not former_of.get(record_id)
            )
            claims[_largest(own or counts)].append(profile_id)
        else:
            claims[next(iter(counts))].append(profile_id)
    return claims


def _largest(counts: Mapping[int, int]) -> int:
    """The cluster with the greatest count, the first of ties."""
    return max(counts, key=lambda index: (counts[index], -index))


def _given_back(
    unclaimed: Sequence[int],
    clusters: Sequence[Sequence[int]],
    former_of: Mapping[int, Sequence[str]],
    *,
    taken: set[str],
) -> dict[int, str]:
    """Cluster index to the id it takes back: the one most of its records have borne, the oldest of ties.

    An id goes to one cluster only, the one with most of its records; those `taken` go to none.
    """
    offers = Counter(
        (index, profile_id)
        for index in unclaimed
        for record_id in clusters[index]
        for profile_id in former_of.get(record_id, ())
    )
    given: dict[int, str] = {}
    for (index, profile_id), _ in sorted(offers.items(), key=lambda item: (-item[1], item[0][1], item[0][0])):
        if index not in given and profile_id not in taken:
            given[index] = profile_id
            taken.add(profile_id)
    return given
