"""An index that reads the store and keeps to itself what is to be written: to see what would come out, in a read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection

from cdp.realtime.linkage_index import Pair, StoreIndex
from cdp.realtime.online_models import StoreNotResolvedError
from resolution import (
    IndexOutdatedError,
    LocalResolution,
    NewEdge,
    OnlineModel,
    Sharing,
    Value,
    resolve_changes,
)


def rehearse(connection: Connection, model: OnlineModel, record_ids: Collection[int]) -> LocalResolution:
    """What resolving the records anew would find now; nothing is written.

    Raises StoreNotResolvedError when the index of the store is another model's.
    """
    index = RehearsedIndex(connection, model.model.version)
    try:
        return resolve_changes(index, model, [], concerned=record_ids)
    except IndexOutdatedError as error:
        raise StoreNotResolvedError(str(error)) from error


class RehearsedIndex(StoreIndex):
    """For records that did not change and are derived anew: holders of values are left as they are.

    Blocking keys are read back as they were changed; edges need not be, nobody asks for them again.
    """

    def __init__(self, connection: Connection, model_version: int) -> None:
        super().__init__(connection, model_version)
        self._removed: dict[int, set[int]] = defaultdict(set)
        self._added: dict[int, set[int]] = defaultdict(set)

    def select_keys(self, record_ids: Collection[int]) -> dict[int, frozenset[int]]:
        found = {record_id: set(keys) for record_id, keys in super().select_keys(record_ids).items()}
        for changed, keep in ((self._removed, False), (self._added, True)):
            for key, ids in changed.items():
                for record_id in ids.intersection(record_ids):
                    keys = found.setdefault(record_id, set())
                    keys.add(key) if keep else keys.discard(key)
        return {record_id: frozenset(keys) for record_id, keys in found.items() if keys}

    def select_members(self, limits: Mapping[int, int]) -> dict[int, list[int]]:
        wider = {key: limit + len(self._removed.get(key, ())) for key, limit in limits.items()}
        found = super().select_members(wider)
        return {
            key: sorted({*found.get(key, ())} - self._removed.get(key, set()) | self._added.get(key, set()))
            for key in limits
        }

    def change_keys(self, removed: Iterable[Pair], added: Iterable[Pair]) -> None:
        for key, record_id in removed:
            self._removed[key].add(record_id)
            self._added[key].discard(record_id)
        for key, record_id in added:
            self._added[key].add(record_id)
            self._removed[key].discard(record_id)

    def change_edges(
        self, removed: Iterable[Pair], added: Iterable[NewEdge], moved: Mapping[Pair, str]
    ) -> None:
        pass

    def change_holders(
        self,
        removed: Iterable[tuple[Value, int, str]],
        added: Iterable[tuple[Value, int, str]],
        *,
        limit: int,
    ) -> dict[Value, int]:
        raise AssertionError("Only records that did not change are rehearsed.")

    def change_sharing(self, changes: Mapping[Value, Sharing]) -> None:
        raise AssertionError("Only records that did not change are rehearsed.")

    def queue_redo(self, values: Collection[Value]) -> None:
        raise AssertionError("Only records that did not change are rehearsed.")
