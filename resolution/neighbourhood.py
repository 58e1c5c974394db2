"""What one change looks at: records with their values parted, and the region whose people may change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from resolution.errors import FailedConditionError
from resolution.keys import Linkage, names_somebody
from resolution.linkage_index import REPEAT, Edge, IndexedRecord, LinkageIndex, NewEdge, Pair
from resolution.online import Evidence, OnlineModel
from resolution.people import PairConstraints
from resolution.readings import Reading, Readings
from resolution.sharing import OWN, Sharing, Value


@dataclass(frozen=True)
class Change:
    """A record that came, changed or went; before: as it was, None for a new one."""

    record_id: int
    before: IndexedRecord | None


@dataclass
class Region:
    """The records whose people may have changed, whole components of them, with what connects them.

    edges: those with an end inside, as they are now. firsts: repeats to the record that stands for them. gone: records
    that are no more. values_before: exclusive values that changed records held.
    """

    record_ids: set[int]
    edges: dict[Pair, Edge]
    firsts: dict[int, int]
    constraints: PairConstraints
    gone: set[int] = field(default_factory=set)
    changed: list[Change] = field(default_factory=list)


class Neighbourhood:
    """Records read for one change, each once, with their values parted under the sharing of now.

    readings: what is known already of what records say. unscored: the records of pairs on which a condition of the
    model failed; such a pair counts as one below the floor.
    """

    def __init__(self, index: LinkageIndex, model: OnlineModel, readings: Readings | None = None) -> None:
        self.index, self.model = index, model
        self._all_readings = Readings(model) if readings is None else readings
        self._records: dict[int, IndexedRecord | None] = {}
        self._sharing: dict[Value, Sharing] = {}
        self._shared: dict[Value, str] = {}
        self._readings: dict[int, Reading] = {}
        # Of records with parted values: these change with the sharing.
        self._prepared: dict[int, Any] = {}
        self.unscored: set[int] = set()

    def load(self, record_ids: Iterable[int]) -> None:
        missing = [record_id for record_id in record_ids if record_id not in self._records]
        if missing:
            found = self.index.select_records(missing)
            self._records.update((record_id, found.get(record_id)) for record_id in missing)
            self._load_sharing_of(found.values())

    def _load_sharing_of(self, records: Iterable[IndexedRecord | None]) -> None:
        values: set[Value] = set()
        for record in records:
            if record is not None:
                reading = self._readings[record.record_id] = self._all_readings.of(record.linkage)
                values.update(reading.held)
        self.load_sharing(values)

    def load_sharing(self, values: Iterable[Value]) -> None:
        unknown = [value for value in values if value not in self._sharing]
        if unknown:
            found = self.index.select_sharing(unknown)
            self._shared.update({value: each.kind for value, each in found.items() if each.kind})
            self._sharing.update((value, found.get(value, OWN)) for value in unknown)

    def live(self, record_ids: Collection[int]) -> set[int]:
        self.load(record_ids)
        return {record_id for record_id in record_ids if self._records[record_id] is not None}

    def find(self, record_id: int) -> IndexedRecord | None:
        if record_id not in self._records:
            self.load((record_id,))
        return self._records[record_id]

    def record(self, record_id: int) -> IndexedRecord:
        record = self._records.get(record_id) or self.find(record_id)
        assert record is not None, record_id
        return record

    def sharing(self, value: Value) -> Sharing:
        return self._sharing[value]

    def read_sharing_again(self) -> None:
        self._sharing.clear()
        self._shared.clear()
        self._load_sharing_of(self._records.values())

    def held_values(self, linkage: Linkage) -> list[Value]:
        return self._all_readings.of(linkage).held

    def keys(self, record_id: int) -> dict[int, int]:
        """Blocking key to the cap of its rule."""
        if self._is_parted(record_id):
            return self.model.keys(self.parted(record_id))
        return self._reading(record_id).keys

    def parted(self, record_id: int) -> Linkage:
        linkage = self.record(record_id).linkage
        return self.model.part_values(linkage, self._shared) if self._is_parted(record_id) else linkage

    def prepared(self, record_id: int) -> Any:
        if not self._is_parted(record_id):
            return self._reading(record_id).prepared
        found = self._prepared.get(record_id)
        if found is None:
            found = self._prepared[record_id] = self.model.prepare(self.parted(record_id))
        return found

    def edge(self, pair: Pair, origin: str) -> NewEdge | None:
        try:
            evidence = self._evidence(*pair)
        except FailedConditionError:
            self.unscored.update(pair)
            return None
        return None if evidence is None else NewEdge(*pair, evidence[0], origin, evidence[1])

    def _evidence(self, record_id_l: int, record_id_r: int) -> Evidence | None:
        if self._is_parted(record_id_l) or self._is_parted(record_id_r):
            return self.model.evidence(self.prepared(record_id_l), self.prepared(record_id_r))
        return self._reading(record_id_l).evidence_with(self._reading(record_id_r))

    def _is_parted(self, record_id: int) -> bool:
        return not self._shared.keys().isdisjoint(self._reading(record_id).held)

    def _reading(self, record_id: int) -> Reading:
        found = self._readings.get(record_id)
        if found is None:
            self.record(record_id)
            found = self._readings[record_id]
        return found

    def is_repeatable(self, record_id: int) -> bool:
        """Whether a record that says the same as this one would be joined with it."""
        if not names_somebody(self.record(record_id).linkage):
            return False
        prepared = self.prepared(record_id)
        try:
            return self.model.weigh(prepared, prepared) >= self.model.model.specification.thresholds.join
        except FailedConditionError:
            return False

    def firsts(self, edges: Iterable[Edge]) -> dict[int, int]:
        """Repeats to the records that stand for them."""
        pairs = [edge.pair for edge in edges if edge.origin == REPEAT]
        self.load({record_id for pair in pairs for record_id in pair})
        ordered = [sorted(pair, key=lambda record_id: self.record(record_id).key) for pair in pairs]
        return {repeat: first for first, repeat in ordered}
