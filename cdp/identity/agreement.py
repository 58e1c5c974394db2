"""How far two partitions of the same records agree: the profiles of the store, and clusters computed anew."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

# Records or profiles that one line names.
_TOLD = 5

Found = tuple[str, tuple[int | str, ...]]


def disagreeing_records(clusters: Sequence[Sequence[int]], profile_of: Mapping[int, str]) -> set[int]:
    """The records of the clusters whose profile and cluster do not stand for each other.

    Profiles and clusters are matched one to one, those first that have most records in common; a tie goes to the
    cluster with the smallest record id, then to the smaller profile id. So one record in the wrong one of two
    profiles counts once, a person of three records joined to one of two counts two, and a record that is in no
    profile counts.
    """
    names = [min(cluster) for cluster in clusters]
    cluster_of = {
        record_id: name for name, cluster in zip(names, clusters, strict=True) for record_id in cluster
    }
    common = Counter(
        (name, profile_of[record_id]) for record_id, name in cluster_of.items() if record_id in profile_of
    )
    matched: dict[int, str] = {}
    taken: set[str] = set()
    for (name, profile_id), _ in sorted(common.items(), key=lambda each: (-each[1], each[0])):
        if name not in matched and profile_id not in taken:
            matched[name] = profile_id
            taken.add(profile_id)
    return {
        record_id
        for record_id, name in cluster_of.items()
        if record_id not in profile_of or matched.get(name) != profile_of[record_id]
    }


def compare_partitions(
    clusters: Sequence[Sequence[int]], current: Mapping[int, str], *, waiting: Collection[int] = frozenset()
) -> Iterator[Found]:
    """Profiles that hold records of several clusters, and clusters that several profiles hold.

    Not told of those whose records all are `waiting`.
    """
    pending = set(waiting)
    clusters_of: dict[str, list[int]] = defaultdict(list)
    for index, cluster in enumerate(clusters):
        holders = {current[record_id] for record_id in cluster if record_id in current}
        for profile_id in sorted(holders):
            clusters_of[profile_id].append(index)
        if len(holders) > 1 and not pending.issuperset(cluster):
            told = f"records {_listed(cluster)} are one person, but in profiles {_listed(sorted(holders))}"
            yield told, tuple(sorted(holders))
    for profile_id, indexes in clusters_of.items():
        held = (record_id for index in indexes for record_id in clusters[index] if record_id in current)
        if len(indexes) > 1 and not pending.issuperset(
            record_id for record_id in held if current[record_id] == profile_id
        ):
            firsts = [clusters[index][0] for index in indexes]
            told = f"profile {profile_id} holds {len(indexes)} people: records {_listed(firsts)} and theirs"
            yield told, (profile_id,)


def _listed(ids: Sequence[int] | Sequence[str]) -> str:
    told = ", ".join(str(each) for each in ids[:_TOLD])
    return told if len(ids) <= _TOLD else f"{told}, ..."
