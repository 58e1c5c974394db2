"""The engine's index of records, kept in the store: read and written set by set, inside the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, exists, insert, literal, select, update

from cdp.identity.linkage_records import day_of
from cdp.identity.must_links import through_gone
from cdp.identity.standardized import linkage_of
from cdp.realtime import index_statements as statements
from cdp.store import Instant, insert_rows
from cdp.store.quick import QuickStatement
from cdp.store.schema import blocking_keys, edges, redo_records, shared_values, value_holders
from cdp.store.sets import number_set, set_values
from resolution import (
    IndexedEdge,
    IndexedRecord,
    Linkage,
    NewEdge,
    PairConstraints,
    Sharing,
    Value,
    value_key,
)

# In a store of a million records 400 values are shared.
_FEW_SHARED = 500
_NOTHING_WRITTEN: Mapping[int, IndexedRecord] = MappingProxyType({})

Pair = tuple[int, int]
# Record id to its standardized text in the store, and what was parsed of it.
LinkageTexts = dict[int, tuple[str, Linkage]]


class StoreIndex:
    """What resolution.LinkageIndex asks for. model_version: the one its edges are of.

    source_names: by id; read where they are not given. written: live records that this transaction wrote, as they are.
    texts: those that were read before, and after this; the same text gives the same linkage, which is not parsed again.
    """

    def __init__(
        self,
        connection: Connection,
        model_version: int,
        *,
        now: datetime | None = None,
        source_names: Mapping[int, str] | None = None,
        written: Mapping[int, IndexedRecord] = _NOTHING_WRITTEN,
        texts: LinkageTexts | None = None,
    ) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name
        self._model_version = model_version
        self._now = now
        self._source_names = source_names
        self._written = written
        self._texts: LinkageTexts = {} if texts is None else texts
        self._all_sharing: dict[Value, Sharing] | None = None
        self._is_ruled: bool | None = None

    # ------------------------------------------------------------------------------------------------ reading

    def select_records(self, record_ids: Collection[int]) -> dict[int, IndexedRecord]:
        found = {each: self._written[each] for each in record_ids if each in self._written}
        unread = [each for each in record_ids if each not in found] if found else record_ids
        names = self._names()
        for record_id, source_id, key, standardized, hashed in self._rows(
            statements.records(self._dialect), unread
        ):
            text, linkage = self._texts.get(record_id) or ("", {})
            if text != standardized:
                linkage = linkage_of(standardized)
                self._texts[record_id] = standardized, linkage
            found[record_id] = IndexedRecord(record_id, (names[source_id], key), linkage, hashed)
        return found

    def select_groups(self, linkage_hashes: Collection[int]) -> dict[int, list[int]]:
        names = self._names()
        found: dict[int, list[tuple[str, str, int]]] = defaultdict(list)
        for hashed, record_id, source_id, key in self._rows(statements.groups(self._dialect), linkage_hashes):
            found[hashed].append((names[source_id], key, record_id))
        return {each: [record_id for *_, record_id in sorted(members)] for each, members in found.items()}

    def select_sharing(self, values: Collection[Value]) -> dict[Value, Sharing]:
        known = self._sharing_of_all(len(values))
        if known is not None:
            return {value: known[value] for value in values if value in known}
        keys = {value_key(*value): value for value in values}
        rows = self._rows(statements.sharing(self._dialect), keys)
        return {keys[key]: Sharing(count, kind, is_held) for key, count, kind, is_held in rows}

    def _sharing_of_all(self, asked: int) -> Mapping[Value, Sharing] | None:
        """Of all shared values, read once where more are asked for than there are; None where there are many."""
        if self._all_sharing is None and asked > _FEW_SHARED:
            rows = statements.FIRST_SHARED.tuples(self._connection, most=_FEW_SHARED + 1)
            if len(rows) <= _FEW_SHARED:
                self._all_sharing = {
                    (column, value): Sharing(count, kind, is_held)
                    for column, value, count, kind, is_held in rows
                }
        return self._all_sharing

    def select_holders(self, values: Collection[Value], *, limit: int) -> list[int]:
        keys = [value_key(*value) for value in values]
        return [record_id for (record_id,) in self._rows(statements.holders(self._dialect), keys, most=limit)]

    def select_keys(self, record_ids: Collection[int]) -> dict[int, frozenset[int]]:
        found: dict[int, set[int]] = defaultdict(set)
        for record_id, key in self._rows(statements.keys(self._dialect), record_ids):
            found[record_id].add(key)
        return {record_id: frozenset(keys) for record_id, keys in found.items()}

    def select_members(self, limits: Mapping[int, int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        of_size: dict[int, list[int]] = defaultdict(list)
        for key, limit in limits.items():
            of_size[_rounded_up(limit)].append(key)
        for size, keys in of_size.items():
            for key, record_id in self._rows(statements.members(self._dialect), keys, before_last=size - 1):
                found[key].append(record_id)
        return found

    def select_edges(self, record_ids: Collection[int]) -> list[IndexedEdge]:
        # A pair with both ends among them is found twice.
        return [
            IndexedEdge(*row)
            for row in dict.fromkeys(self._rows(statements.edges_of(self._dialect), record_ids))
        ]

    def select_constraints(self, record_ids: Collection[int]) -> PairConstraints:
        """Of deleted records too, and what must-links of deleted ones hold together."""
        if self._is_ruled is None:
            self._is_ruled = bool(statements.ANY_RULING.fetch(self._connection))
        if not self._is_ruled:
            return PairConstraints()
        pairs: dict[str, set[Pair]] = {"must": set(), "cannot": set(), "frozen": set()}
        for kind, left, right in self._rows(statements.constraints(self._dialect), record_ids):
            pairs[kind].add((left, right))
        through = self._through_gone(pairs["must"])
        return PairConstraints(
            frozenset(pairs["must"]),
            frozenset(pairs["cannot"]),
            frozenset(through),
            frozenset(pairs["frozen"]),
        )

    def _through_gone(self, must: set[Pair]) -> set[Pair]:
        known, gone = set(must), set[int]()
        while True:
            ends = {record_id for pair in known for record_id in pair}
            new = {record_id for (record_id,) in self._rows(statements.gone(self._dialect), ends - gone)}
            if not new:
                return through_gone(known, gone)
            gone |= new
            rows = self._rows(statements.constraints(self._dialect), new)
            known |= {(left, right) for kind, left, right in rows if kind == "must"}

    def select_clusters(self, record_ids: Collection[int]) -> dict[int, str]:
        return dict(self._rows(statements.clusters(self._dialect), record_ids))

    def select_clusters_holding(self, values: Collection[Value], *, limit: int) -> dict[Value, list[str]]:
        return {
            value: [
                row.profile_id
                for row in statements.CLUSTERS_HOLDING.fetch(
                    self._connection, key=value_key(*value), most=limit
                )
            ]
            for value in values
        }

    def select_cluster_records(self, names: Collection[str]) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for profile_id, record_id in self._rows(statements.cluster_records(self._dialect), names):
            found[profile_id].append(record_id)
        return found

    # ------------------------------------------------------------------------------------------------ writing

    def change_holders(
        self,
        removed: Iterable[tuple[Value, int, str]],
        added: Iterable[tuple[Value, int, str]],
        *,
        limit: int,
    ) -> dict[Value, int]:
        gone = [(value_key(*value), value, sound, record_id) for value, record_id, sound in removed]
        new = [(value_key(*value), value, sound, record_id) for value, record_id, sound in added]
        if gone:
            statements.DELETE_HOLDER.run_many(
                self._connection,
                [{"key": key, "sound": sound, "record": record} for key, _, sound, record in gone],
            )
        holders = sorted((key, sound, record) for key, _, sound, record in new)
        insert_rows(self._connection, value_holders, holders)
        return self._count({key: value for key, value, *_ in (*gone, *new)}, limit)

    def count_holders(self, values: Collection[Value], *, limit: int) -> dict[Value, int]:
        return self._count({value_key(*value): value for value in values}, limit)

    def _count(self, values: Mapping[int, Value], limit: int) -> dict[Value, int]:
        counted = dict(self._rows(statements.counts(self._dialect), values, most=limit))
        return {value: counted.get(key, 0) for key, value in values.items()}

    def select_holdings(self, values: Collection[Value]) -> dict[Value, list[tuple[int | None, str]]]:
        keys = {value_key(*value): value for value in values}
        found: dict[Value, list[tuple[int | None, str]]] = defaultdict(list)
        for key, sound, occurred_at in self._rows(statements.holdings(self._dialect), keys):
            found[keys[key]].append((day_of(occurred_at), sound))
        return found

    def change_sharing(self, changes: Mapping[Value, Sharing]) -> None:
        rows = [
            (value_key(*value), *value, count, kind, is_held, self._now)
            for value, (count, kind, is_held) in changes.items()
            if kind is not None
        ]
        keys = [value_key(*value) for value in changes]
        if not keys:
            return
        self._all_sharing = None
        statements.DELETE_SHARED.run_many(self._connection, [{"key": key} for key in keys])
        names = ("value_key", "column_name", "value", "holder_count", "sharing", "is_held", "counted_at")
        insert_rows(self._connection, shared_values, rows, columns=names)

    def change_keys(self, removed: Iterable[Pair], added: Iterable[Pair]) -> None:
        gone = [{"key": key, "record": record_id} for key, record_id in removed]
        if gone:
            statements.DELETE_KEY.run_many(self._connection, gone)
        # In the order of the table, so that each of its pages is touched once.
        insert_rows(self._connection, blocking_keys, sorted(added))

    def change_edges(
        self, removed: Iterable[Pair], added: Iterable[NewEdge], moved: Mapping[Pair, str]
    ) -> None:
        statements.DELETE_EDGE.run_many(self._connection, [{"l": pair[0], "r": pair[1]} for pair in removed])
        if moved:
            statements.MOVE_EDGE.run_many(
                self._connection,
                [{"l": pair[0], "r": pair[1], "to": origin} for pair, origin in moved.items()],
            )
        names = ("record_id_l", "record_id_r", "model_version_id", "match_weight", "origin", "evidence")
        rows = [
            (*edge.pair, self._model_version, edge.match_weight, edge.origin, edge.evidence) for edge in added
        ]
        insert_rows(self._connection, edges, rows, columns=names)

    def queue_redo(self, values: Collection[Value]) -> None:
        wanted = number_set(self._dialect, "ids")
        waiting = select(redo_records.c.record_id).where(
            redo_records.c.record_id == value_holders.c.record_id
        )
        holders = (
            select(value_holders.c.record_id, literal(self._now, Instant))
            .distinct()
            .where(value_holders.c.value_key.in_(select(wanted.c.id)), ~exists(waiting))
        )
        statement = insert(redo_records).from_select(["record_id", "queued_at"], holders)
        bound = set_values(self._connection, "ids", [value_key(*value) for value in values])
        self._connection.execute(statement, bound)
        # Those that were set aside wait like the others from now on.
        held = select(value_holders.c.record_id).where(value_holders.c.value_key.in_(select(wanted.c.id)))
        is_held = redo_records.c.record_id.in_(held)
        again = update(redo_records).where(redo_records.c.reason.is_not(None), is_held)
        self._connection.execute(again.values(reason=None, retry_at=None, queued_at=self._now), bound)

    def _rows(
        self, statement: QuickStatement, ids: Collection[int] | Collection[str], **bound: Any
    ) -> Sequence[Any]:
        if not ids:
            return ()
        return statement.tuples(self._connection, **set_values(self._connection, "ids", ids), **bound)

    def _names(self) -> Mapping[int, str]:
        if self._source_names is None:
            self._source_names = dict(statements.SOURCES.fetch(self._connection))
        return self._source_names


def _rounded_up(limit: int) -> int:
    """To a power of two: few statements for the many caps of a model, and few members read for nothing."""
    return max(16, 1 << (limit - 1).bit_length())
