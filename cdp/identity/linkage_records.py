"""Live source records as the engine takes them.

Grain: one row per source record that is not deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from cdp.intake.shape import UNDATED
from cdp.store import stream_rows
from cdp.store.schema import source_records, sources
from resolution.standardize import STANDARDIZER_VERSION

# (record_id, source, source_record_id, standardized record as JSON text)
LinkageRecord = tuple[int, str, str, str]

# Live records that an earlier version of the standardizer standardized.
OUTDATED = (
    source_records.c.standardizer_version < STANDARDIZER_VERSION,
    source_records.c.deleted_at.is_(None),
)


def stream_linkage_records(connection: Connection) -> Iterator[Sequence[LinkageRecord]]:
    """In the order of record_id, chunk by chunk."""
    names = dict(connection.execute(select(sources.c.source_id, sources.c.name)).all())
    statement = (
        select(
            source_records.c.record_id,
            source_records.c.source_id,
            source_records.c.source_record_id,
            source_records.c.standardized,
        )
        .where(source_records.c.deleted_at.is_(None))
        .order_by(source_records.c.record_id)
    )
    for chunk in stream_rows(connection, statement):
        yield [(row.record_id, names[row.source_id], row.source_record_id, row.standardized) for row in chunk]


def stream_record_days(connection: Connection) -> Iterator[Sequence[tuple[int, int]]]:
    """The live records that have a date, each with its day, chunk by chunk."""
    statement = select(source_records.c.record_id, source_records.c.occurred_at).where(
        source_records.c.deleted_at.is_(None), source_records.c.occurred_at != UNDATED
    )
    for chunk in stream_rows(connection, statement.order_by(source_records.c.record_id)):
        yield [(row.record_id, row.occurred_at.toordinal()) for row in chunk]


def day_of(occurred_at: datetime) -> int | None:
    """None of a record without a date."""
    return None if occurred_at == UNDATED else occurred_at.toordinal()


def count_live_records(connection: Connection) -> int:
    live = select(func.count()).select_from(source_records).where(source_records.c.deleted_at.is_(None))
    return connection.scalars(live).one()


def count_outdated_records(connection: Connection) -> int:
    return connection.scalars(select(func.count()).select_from(source_records).where(*OUTDATED)).one()
