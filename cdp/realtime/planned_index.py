"""The store's index while a resolution of everything is being published, and what changed since is followed.

What it derived from the records is in the store already; its people are not, and the records are newer than it saw
them: those that wait to be followed are told as they were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from cdp.realtime.linkage_index import StoreIndex
from cdp.realtime.planned_people import PlannedPeople
from cdp.store import id_set
from cdp.store.schema import value_holders
from resolution import Change, IndexedRecord, Value, value_key


class PlannedIndex(StoreIndex):
    """before: the records that changed, as the resolution saw them, None for those that it did not."""

    def __init__(
        self,
        connection: Connection,
        model_version: int,
        people: PlannedPeople,
        before: Mapping[int, IndexedRecord | None],
        *,
        now: datetime,
    ) -> None:
        super().__init__(connection, model_version, now=now)
        self._people = people
        self._waiting = dict(before)
        self._waiting_alike: dict[int, set[int]] = defaultdict(set)
        for record in before.values():
            if record is not None:
                self._waiting_alike[record.linkage_hash].add(record.record_id)

    def follow(self, record_ids: Collection[int]) -> list[Change]:
        """From now on these are told as they are."""
        changes = [Change(record_id, self._waiting.pop(record_id)) for record_id in record_ids]
        for change in changes:
            if change.before is not None:
                self._waiting_alike[change.before.linkage_hash].discard(change.record_id)
        return changes

    def select_records(self, record_ids: Collection[int]) -> dict[int, IndexedRecord]:
        known = [record_id for record_id in record_ids if record_id in self._waiting]
        found = super().select_records(
            [record_id for record_id in record_ids if record_id not in self._waiting]
        )
        return found | {record_id: record for record_id in known if (record := self._waiting[record_id])}

    def select_groups(self, linkage_hashes: Collection[int]) -> dict[int, list[int]]:
        now = super().select_groups(linkage_hashes)
        found = {
            each: {*now.get(each, ())} - self._waiting.keys() | self._waiting_alike.get(each, set())
            for each in linkage_hashes
        }
        key_of = {
            record_id: record.key
            for record_id, record in self.select_records(
                [record_id for group in found.values() if len(group) > 1 for record_id in group]
            ).items()
        }
        return {
            each: sorted(group, key=lambda record_id: key_of.get(record_id, ("", "")))
            for each, group in found.items()
            if group
        }

    def select_clusters(self, record_ids: Collection[int]) -> dict[int, str]:
        return self._people.names(record_ids)

    def select_clusters_holding(self, values: Collection[Value], *, limit: int) -> dict[Value, list[str]]:
        holders: dict[int, list[int]] = defaultdict(list)
        wanted = id_set(self._connection, [value_key(*value) for value in values])
        held = select(value_holders.c.value_key, value_holders.c.record_id).join_from(
            wanted, value_holders, value_holders.c.value_key == wanted.c.id
        )
        for key, record_id in self._connection.execute(held):
            holders[key].append(record_id)
        return {
            value: sorted(set(self._people.names(holders[value_key(*value)]).values()))[:limit]
            for value in values
        }

    def select_cluster_records(self, names: Collection[str]) -> dict[str, list[int]]:
        return self._people.records(names)
