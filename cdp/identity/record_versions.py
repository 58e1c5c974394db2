"""Which version of which record is live, told of all at once in little room, and what is another later.

Grain: one row per record that is not deleted.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from cdp.store import stream_rows
from cdp.store.schema import source_records


@dataclass(frozen=True)
class RecordVersions:
    """digest: equal ones, equal records. record_ids: in order, and of each a mark that changes with its version; the
    marks are of this process."""

    digest: str
    record_ids: Sequence[int]
    marks: Sequence[int]


@dataclass(frozen=True)
class RecordChanges:
    """Ids of records: live now and not before, live with another version, live no more."""

    added: tuple[int, ...] = ()
    updated: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        return len(self.added) + len(self.updated) + len(self.gone)


def select_record_versions(connection: Connection) -> RecordVersions:
    """Counts and times would miss a load that was begun before and is committed after."""
    digest = hashlib.sha256()
    record_ids, marks = array("q"), array("q")
    for chunk in _stream(connection):
        digest.update(orjson.dumps([tuple(row) for row in chunk]))
        record_ids.extend(row.record_id for row in chunk)
        marks.extend(map(_mark, chunk))
    return RecordVersions(digest.hexdigest(), record_ids, marks)


def find_record_changes(connection: Connection, before: RecordVersions) -> RecordChanges:
    """What is not as it was: both are read in the order of record_id."""
    added, updated, gone = [], [], []
    place, count = 0, len(before.record_ids)
    for row in chain.from_iterable(_stream(connection)):
        while place < count and before.record_ids[place] < row.record_id:
            gone.append(before.record_ids[place])
            place += 1
        if place == count or before.record_ids[place] != row.record_id:
            added.append(row.record_id)
            continue
        if before.marks[place] != _mark(row):
            updated.append(row.record_id)
        place += 1
    gone.extend(before.record_ids[place:])
    return RecordChanges(tuple(added), tuple(updated), tuple(gone))


def _stream(connection: Connection) -> Iterator[Sequence[Row[Any]]]:
    table = source_records
    columns = (table.c.record_id, table.c.raw_hash, table.c.standardizer_version, table.c.linkage_hash)
    return stream_rows(
        connection, select(*columns).where(table.c.deleted_at.is_(None)).order_by(table.c.record_id)
    )


def _mark(row: Row[Any]) -> int:
    return hash((row.raw_hash, row.standardizer_version, row.linkage_hash))
