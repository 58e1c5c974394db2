"""The queue of records that wait to be resolved anew, because a value of theirs became shared, or ceased to be.

Grain: one row per record.
"""

from __future__ import annotations

from collections.abc import Collection

import orjson
from sqlalchemy import Connection, func, select

from cdp.store import id_set
from cdp.store.schema import redo_records, source_records, value_holders
from resolution import value_key


def count_waiting(connection: Connection) -> int:
    return connection.scalars(select(func.count()).select_from(redo_records)).one()


def select_concerned(connection: Connection, columns: Collection[str]) -> set[int]:
    """The waiting records, and those that hold a value of the columns that a waiting one holds.

    Columns: those whose values can become shared. What the queue will change, it changes in their edges.
    """
    concerned = set(connection.scalars(select(redo_records.c.record_id)))
    texts = connection.scalars(
        select(source_records.c.standardized)
        .join_from(redo_records, source_records, source_records.c.record_id == redo_records.c.record_id)
        .where(source_records.c.deleted_at.is_(None))
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
