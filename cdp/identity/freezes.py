"""Frozen records: what no evidence joins with others while a steward holds their profile as it is.

Grain: one row per interval in which one freeze holds it. A record stays frozen wherever rulings put it, through newer
versions, other models and its return, until its freeze is taken back.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, exists, insert, literal, select, update

from cdp.store import Instant, id_set, insert_rows
from cdp.store.schema import frozen_records as frozen


def select_all_frozen(connection: Connection) -> set[tuple[int, int]]:
    """(record_id, freeze) of those in force."""
    return {(row.record_id, row.opened_by) for row in connection.execute(_open())}


def select_frozen(connection: Connection, record_ids: Collection[int]) -> set[tuple[int, int]]:
    """The same of these records."""
    wanted = select(id_set(connection, sorted(record_ids)).c.id)
    rows = connection.execute(_open().where(frozen.c.record_id.in_(wanted)))
    return {(row.record_id, row.opened_by) for row in rows}


def select_frozen_by(connection: Connection, action_id: int) -> set[int]:
    """The records that a freeze was about, in force or not."""
    return set(connection.scalars(select(frozen.c.record_id).where(frozen.c.opened_by == action_id)))


def insert_frozen(
    connection: Connection, record_ids: Collection[int], *, opened_by: int, now: datetime
) -> None:
    rows = [(record_id, opened_by, now) for record_id in sorted(record_ids)]
    insert_rows(connection, frozen, rows, columns=("record_id", "opened_by", "valid_from"))


def close_frozen(connection: Connection, opened_by: int, *, closed_by: int, now: datetime) -> None:
    of_freeze = (frozen.c.opened_by == opened_by, frozen.c.valid_to.is_(None))
    connection.execute(update(frozen).where(*of_freeze).values(valid_to=now, closed_by=closed_by))


def reopen_frozen(connection: Connection, opened_by: int, *, now: datetime) -> None:
    """Hold again what a freeze held."""
    held = frozen.alias("held")
    in_force = (
        exists()
        .where(
            held.c.record_id == frozen.c.record_id,
            held.c.opened_by == frozen.c.opened_by,
            held.c.valid_to.is_(None),
        )
        .correlate(frozen)
    )
    kept = [frozen.c.record_id, frozen.c.opened_by]
    again = select(*kept, literal(now, Instant)).distinct().where(frozen.c.opened_by == opened_by, ~in_force)
    connection.execute(insert(frozen).from_select(["record_id", "opened_by", "valid_from"], again))


def _open() -> Select[Any]:
    return select(frozen.c.record_id, frozen.c.opened_by).where(frozen.c.valid_to.is_(None))
