"""The queue of records that are to be resolved anew.

Grain: one row per record. Without a reason it waits, because a value of it became shared, or ceased to be. With one it
was set aside: it could not be resolved as it should be, is told of, and comes again after a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection, func, or_, select

from cdp.store import id_set, insert_rows
from cdp.store.schema import redo_records, source_records, value_holders
from resolution import value_key

# A condition of the model failed on a pair that the record is part of: the pair was not compared. Other reasons are
# the names of errors that nobody foresaw.
CONDITION_FAILED = "condition_failed"

# What failed may be over when a record was sent again, or another release runs. Another model takes all of the queue.
RETRY_AFTER = timedelta(days=1)

_waits = redo_records.c.reason.is_(None)
# Those whose record is as it was then: a deleted one, or a newer version, is not told of.
_set_aside = (
    select(redo_records.c.record_id, redo_records.c.reason)
    .join_from(redo_records, source_records, source_records.c.record_id == redo_records.c.record_id)
    .where(
        ~_waits,
        source_records.c.deleted_at.is_(None),
        source_records.c.received_at <= redo_records.c.queued_at,
    )
)


@dataclass(frozen=True)
class SetAside:
    """reasons: each with how many records were set aside for it. first_ids: the first of these records."""

    reasons: dict[str, int]
    first_ids: tuple[int, ...]


def count_waiting(connection: Connection) -> int:
    return connection.scalars(select(func.count()).select_from(redo_records).where(_waits)).one()


def count_set_aside(connection: Connection) -> int:
    return connection.scalars(select(func.count()).select_from(_set_aside.subquery())).one()


def select_oldest_waiting(connection: Connection) -> datetime | None:
    oldest = select(redo_records.c.queued_at).where(_waits).order_by(redo_records.c.queued_at).limit(1)
    return connection.scalar(oldest)


def select_due(connection: Connection, *, at_most: int, now: datetime) -> list[int]:
    """The records to be resolved now, those that wait longest first."""
    is_due = or_(redo_records.c.retry_at.is_(None), redo_records.c.retry_at <= now)
    queued = select(redo_records.c.record_id).where(is_due)
    queued = queued.order_by(redo_records.c.queued_at, redo_records.c.record_id)
    return list(connection.scalars(queued.limit(at_most)))


def delete_queued(connection: Connection, record_ids: Collection[int]) -> None:
    connection.execute(redo_records.delete().where(redo_records.c.record_id.in_(record_ids)))


def set_aside(connection: Connection, record_ids: Collection[int], reason: str, *, now: datetime) -> None:
    """Note what could not be resolved as it should be; a record that is in the queue already stays as it is there."""
    wanted = id_set(connection, sorted(record_ids))
    known = select(redo_records.c.record_id).join_from(
        wanted, redo_records, redo_records.c.record_id == wanted.c.id
    )
    new = sorted(set(record_ids).difference(connection.scalars(known)))
    rows = [(record_id, now, now + RETRY_AFTER, reason) for record_id in new]
    insert_rows(connection, redo_records, rows, columns=("record_id", "queued_at", "retry_at", "reason"))


def select_set_aside(connection: Connection, *, at_most: int) -> SetAside:
    rows = connection.execute(_set_aside.order_by(redo_records.c.record_id)).all()
    return SetAside(dict(Counter(row.reason for row in rows)), tuple(row.record_id for row in rows[:at_most]))


def select_reasons(connection: Connection, record_ids: Collection[int]) -> dict[int, str]:
    """Why records are set aside, of those that are."""
    told = _set_aside.where(redo_records.c.record_id.in_(record_ids))
    return {row.record_id: row.reason for row in connection.execute(told)} if record_ids else {}


def select_concerned(connection: Connection, columns: Collection[str]) -> set[int]:
    """The records whose people the queue may change, and those that hold a value of the columns that one of them holds.

    Columns: those whose values can become shared. What the queue will change, it changes in their edges. A condition
    that failed fails again while the model and the records are the same.
    """
    is_open = or_(_waits, redo_records.c.reason != CONDITION_FAILED)
    concerned = set(connection.scalars(select(redo_records.c.record_id).where(is_open)))
    texts = connection.scalars(
        select(source_records.c.standardized)
        .join_from(redo_records, source_records, source_records.c.record_id == redo_records.c.record_id)
        .where(is_open, source_records.c.deleted_at.is_(None))
    )
    linkages = (orjson.loads(text)["linkage"] for text in texts)
    values = {
        (column, value) for linkage in linkages for column in columns for value in linkage.get(column, ())
    }
    if not values:
        return concerned
    wanted = id_set(connection, [value_key(*value) for value in values])
    holders = select(value_holders.c.record_id).join_from(
        wanted, value_holders, value_holders.c.value_key == wanted.c.id
    )
    return concerned.union(connection.scalars(holders))
