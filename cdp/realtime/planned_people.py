"""The people that a resolution of everything found, while what changed since is followed and they become others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from resolution import Cluster, LocalResolution, Refusal

Pair = tuple[int, int]


class PlannedPeople:
    """Clusters by name, and what stewards are to be asked about them."""

    def __init__(self, clusters: Sequence[Cluster], refusals: Iterable[Refusal]) -> None:
        self._clusters = {str(place): cluster for place, cluster in enumerate(clusters)}
        self._name_of = {
            record_id: name for name, cluster in self._clusters.items() for record_id in cluster.record_ids
        }
        self._refusals = {(refusal.key_l, refusal.key_r): refusal for refusal in refusals}
        self._named = len(self._clusters)

    @property
    def clusters(self) -> Collection[Cluster]:
        return self._clusters.values()

    @property
    def refusals(self) -> list[Refusal]:
        return [self._refusals[pair] for pair in sorted(self._refusals)]

    def names(self, record_ids: Iterable[int]) -> dict[int, str]:
        return {record_id: self._name_of[record_id] for record_id in record_ids if record_id in self._name_of}

    def records(self, names: Iterable[str]) -> dict[str, list[int]]:
        return {name: list(self._clusters[name].record_ids) for name in names}

    def take(self, found: LocalResolution) -> None:
        """Put the clusters of a region in the place of those that its records were in."""
        beside = {record_id for ids in self.records(found.sharing_clusters).values() for record_id in ids}
        inside = {record_id for cluster in found.clusters for record_id in cluster.record_ids} | found.gone
        for name in {self._name_of.pop(record_id) for record_id in inside if record_id in self._name_of}:
            # A region is made of whole components, and so of whole clusters.
            assert inside.issuperset(self._clusters.pop(name).record_ids)
        for cluster in found.clusters:
            name = str(self._named)
            self._named += 1
            self._clusters[name] = cluster
            self._name_of.update(dict.fromkeys(cluster.record_ids, name))
        self._refusals = {
            pair: refusal
            for pair, refusal in self._refusals.items()
            if inside.isdisjoint(pair) and not beside.issuperset(pair)
        }
        self._refusals.update(((refusal.key_l, refusal.key_r), refusal) for refusal in found.refusals)
