"""Which version of a record stands: the newer by its time, then by its hash, whatever the order of arrival. Of those of
one request that have no time, the last.

The rule is that of `record_loads`, for the few records of one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, select, update

from cdp.identity.standardized import linkage_of
from cdp.realtime.incoming import IncomingRecord, says_the_same
from cdp.store import insert_rows, reserve_ids
from cdp.store.quick import QuickStatement, quick
from cdp.store.schema import identifiers, source_records
from cdp.store.sets import keyed_set, keyed_set_values
from resolution import Change, IndexedRecord
from resolution.standardize import STANDARDIZER_VERSION

# kind, value, variant, verified
IdentifierRow = tuple[str, str, str | None, bool]

UNCHANGED, SUPERSEDED = "unchanged", "superseded"


@dataclass(frozen=True)
class Stored:
    """What became of the records of a request, in their order.

    record_ids: of the record, whichever version of it stands.
    standing: 'unchanged', 'superseded', or None for a version that now stands. changes: one for each record changed.
    written: the records changed, as they stand now. created: ids of records that the store did not know.
    """

    record_ids: list[int]
    standing: list[str | None]
    changes: list[Change]
    written: Mapping[int, IncomingRecord]
    created: frozenset[int]


def store_versions(connection: Connection, records: Sequence[IncomingRecord], *, now: datetime) -> Stored:
    """Store what is new and newer, with its identifiers."""
    known = _select_known(connection, {(each.source_id, each.source_record_id) for each in records})
    newest: dict[tuple[int, str], int] = {}
    standing: list[str | None] = []
    for place, record in enumerate(records):
        key = (record.source_id, record.source_record_id)
        outcome = _judge(record, records[newest[key]] if key in newest else None, known.get(key))
        if outcome is None:
            if key in newest:
                standing[newest[key]] = SUPERSEDED
            newest[key] = place
        standing.append(outcome)
    created = [key for key in newest if key not in known]
    ids = dict(zip(created, reserve_ids(connection, source_records.c.record_id, len(created)), strict=True))
    known_ids = {key: row.record_id for key, row in known.items()}
    ids.update(known_ids)
    chosen = {ids[key]: records[place] for key, place in newest.items()}
    _insert(connection, {ids[key]: chosen[ids[key]] for key in created}, now)
    stored_before = set(known_ids.values())
    _update(connection, {each: record for each, record in chosen.items() if each in stored_before}, now)
    changes = [Change(ids[key], _before(known.get(key), records[place])) for key, place in newest.items()]
    record_ids = [ids[record.source_id, record.source_record_id] for record in records]
    return Stored(record_ids, standing, changes, chosen, frozenset(ids[key] for key in created))


def _judge(record: IncomingRecord, rival: IncomingRecord | None, stored: Any | None) -> str | None:
    """None when the record is newer than what stands so far."""
    if rival is not None:
        if record.raw_hash == rival.raw_hash:
            return UNCHANGED
        return None if _version(record) > _version(rival) or _are_of_one_moment(rival, record) else SUPERSEDED
    if stored is None:
        return None
    if stored.deleted_at is None and (
        stored.raw_hash == record.raw_hash or (not record.is_dated and says_the_same(record, stored.raw))
    ):
        return UNCHANGED
    if record.replaces_any:
        return None
    is_newer = _version(record) > (stored.occurred_at, stored.raw_hash)
    if stored.deleted_at is not None:
        is_newer = is_newer and record.occurred_at > stored.deleted_at
    return None if is_newer else SUPERSEDED


def _are_of_one_moment(earlier: IncomingRecord, record: IncomingRecord) -> bool:
    """Nothing but their order in the request says which is the newer."""
    return not (earlier.is_dated or record.is_dated) and earlier.occurred_at == record.occurred_at


def _version(record: IncomingRecord) -> tuple[datetime, str]:
    return record.occurred_at, record.raw_hash


def _select_known(connection: Connection, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Any]:
    bound = keyed_set_values(connection, "keys", sorted(keys))
    found = _known(connection.dialect.name).fetch(connection, **bound)
    return {(row.source_id, row.source_record_id): row for row in found}


def _before(stored: Any | None, record: IncomingRecord) -> IndexedRecord | None:
    if stored is None or stored.deleted_at is not None:
        return None
    return IndexedRecord(
        stored.record_id,
        (record.source, record.source_record_id),
        linkage_of(stored.standardized),
        stored.linkage_hash,
    )


def _insert(connection: Connection, created: dict[int, IncomingRecord], now: datetime) -> None:
    names = (
        "record_id",
        "source_id",
        "source_record_id",
        "occurred_at",
        "received_at",
        "raw",
        "raw_hash",
        "standardized",
        "standardizer_version",
        "linkage_hash",
    )
    rows = [
        (
            record_id,
            record.source_id,
            record.source_record_id,
            record.occurred_at,
            now,
            record.raw,
            record.raw_hash,
            record.standardized,
            STANDARDIZER_VERSION,
            record.linkage_hash,
        )
        for record_id, record in created.items()
    ]
    insert_rows(connection, source_records, rows, columns=names)
    _insert_identifiers(connection, _identifiers_of(created))


def _update(connection: Connection, updated: dict[int, IncomingRecord], now: datetime) -> None:
    if not updated:
        return
    _UPDATE.run_many(
        connection,
        [
            {
                "updated_id": record_id,
                "occurred_at": record.occurred_at,
                "received_at": now,
                "raw": record.raw,
                "raw_hash": record.raw_hash,
                "standardized": record.standardized,
                "linkage_hash": record.linkage_hash,
            }
            for record_id, record in updated.items()
        ],
    )
    replace_identifiers(connection, _identifiers_of(updated))


def replace_identifiers(
    connection: Connection, identifiers_of: Mapping[int, Sequence[IdentifierRow]]
) -> None:
    if identifiers_of:
        _DELETE_IDENTIFIERS.run_many(connection, [{"owner": record_id} for record_id in identifiers_of])
        _insert_identifiers(connection, identifiers_of)


def _identifiers_of(records: Mapping[int, IncomingRecord]) -> dict[int, Sequence[IdentifierRow]]:
    return {record_id: record.identifiers for record_id, record in records.items()}


def _insert_identifiers(
    connection: Connection, identifiers_of: Mapping[int, Sequence[IdentifierRow]]
) -> None:
    rows = [
        (kind, value, record_id, variant, verified)
        for record_id, of_record in identifiers_of.items()
        for kind, value, variant, verified in of_record
    ]
    names = ("kind", "value", "record_id", "variant", "verified")
    insert_rows(connection, identifiers, rows, columns=names)


@quick
def _known(dialect: str) -> Select[Any]:
    keys = keyed_set(dialect, "keys")
    return select(
        source_records.c.record_id,
        source_records.c.source_id,
        source_records.c.source_record_id,
        source_records.c.occurred_at,
        source_records.c.raw_hash,
        source_records.c.raw,
        source_records.c.standardized,
        source_records.c.linkage_hash,
        source_records.c.deleted_at,
    ).join_from(
        keys,
        source_records,
        (source_records.c.source_id == keys.c.id) & (source_records.c.source_record_id == keys.c.text),
    )


_UPDATE = QuickStatement(
    update(source_records)
    .where(source_records.c.record_id == bindparam("updated_id"))
    .values(
        occurred_at=bindparam("occurred_at"),
        received_at=bindparam("received_at"),
        raw=bindparam("raw"),
        raw_hash=bindparam("raw_hash"),
        standardized=bindparam("standardized"),
        linkage_hash=bindparam("linkage_hash"),
        standardizer_version=STANDARDIZER_VERSION,
        deleted_at=None,
    )
)
_DELETE_IDENTIFIERS = QuickStatement(delete(identifiers).where(identifiers.c.record_id == bindparam("owner")))
