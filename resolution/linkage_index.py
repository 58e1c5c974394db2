"""What resolving a change asks of the store: records and what follows from them, by key. No database is named here.

Everything but the records themselves is derived: a store may drop it and have a batch make it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from resolution.keys import Linkage
from resolution.people import PairConstraints
from resolution.sharing import Sharing, Value

# (source, source_record_id): the order of these breaks every tie.
RecordKey = tuple[str, str]

# Record ids, the smaller first.
Pair = tuple[int, int]

# Why a pair was scored: an open block proposed it; it stands inside a component; one record repeats the other.
BLOCKED, COMPONENT, REPEAT = "blocked", "component", "repeat"


class IndexedRecord(NamedTuple):
    """A live record. linkage: as standardized, no value parted; linkage_hash is the same for equal ones."""

    record_id: int
    key: RecordKey
    linkage: Linkage
    linkage_hash: int


class IndexedEdge(NamedTuple):
    """A scored pair at or above the floor."""

    record_id_l: int
    record_id_r: int
    match_weight: float
    origin: str

    @property
    def pair(self) -> Pair:
        return self.record_id_l, self.record_id_r


class NewEdge(NamedTuple):
    """The same with what an explanation needs, as JSON text (see BatchResolution.edges)."""

    record_id_l: int
    record_id_r: int
    match_weight: float
    origin: str
    evidence: str

    @property
    def pair(self) -> Pair:
        return self.record_id_l, self.record_id_r


Edge = IndexedEdge | NewEdge


class LinkageIndex(Protocol):
    """Reads see what was written before, by this change too. Collections of ids may be empty."""

    def select_records(self, record_ids: Collection[int]) -> Mapping[int, IndexedRecord]:
        """The live ones among them."""

    def select_groups(self, linkage_hashes: Collection[int]) -> Mapping[int, Sequence[int]]:
        """Linkage hash to the live records that have it, in the order of their keys."""

    def select_sharing(self, values: Collection[Value]) -> Mapping[Value, Sharing]:
        """Of the values that are shared or generic."""

    def select_holders(self, values: Collection[Value], *, limit: int) -> Sequence[int]:
        """The live records that hold any of the values, at most `limit`."""

    def select_keys(self, record_ids: Collection[int]) -> Mapping[int, frozenset[int]]:
        """The blocking keys of each record that has any."""

    def select_members(self, limits: Mapping[int, int]) -> Mapping[int, Sequence[int]]:
        """Blocking key to the records that have it, all of them, or as many as `limits` says of the key and
        perhaps more."""

    def select_edges(self, record_ids: Collection[int]) -> Iterable[IndexedEdge]:
        """The edges that have one of the records as an end."""

    def select_constraints(self, record_ids: Collection[int]) -> PairConstraints:
        """The rulings that concern one of the records."""

    def select_clusters(self, record_ids: Collection[int]) -> Mapping[int, str]:
        """The name of the cluster that each record is in now."""

    def select_clusters_holding(
        self, values: Collection[Value], *, limit: int
    ) -> Mapping[Value, Sequence[str]]:
        """The names of the clusters with a record that holds the value, at most `limit` of each."""

    def select_cluster_records(self, names: Collection[str]) -> Mapping[str, Sequence[int]]:
        """The live records of each cluster."""

    def change_holders(
        self,
        removed: Iterable[tuple[Value, int, str]],
        added: Iterable[tuple[Value, int, str]],
        *,
        limit: int,
    ) -> Mapping[Value, int]:
        """Value, record and its first name by sound ('' for none); returns for every value named how many
        different first names hold it now, counted up to `limit`."""

    def count_holders(self, values: Collection[Value], *, limit: int) -> Mapping[Value, int]:
        """How many different first names hold each value, counted up to `limit`."""

    def select_holdings(self, values: Collection[Value]) -> Mapping[Value, Sequence[tuple[int | None, str]]]:
        """Of each record that holds a value: its day, None when it has no date, and its first name by sound."""

    def change_sharing(self, changes: Mapping[Value, Sharing]) -> None:
        """Keep how values are shared now; what is its holder's own need not be kept."""

    def change_keys(self, removed: Iterable[tuple[int, int]], added: Iterable[tuple[int, int]]) -> None:
        """(blocking key, record id)."""

    def change_edges(
        self, removed: Iterable[Pair], added: Iterable[NewEdge], moved: Mapping[Pair, str]
    ) -> None:
        """Take edges out, put edges in, give others another origin. One that is there already is removed first."""

    def queue_redo(self, values: Collection[Value]) -> None:
        """Note the holders of the values to be resolved later."""
