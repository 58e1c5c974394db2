"""All rows of a table anew, for tables that one computation fills from end to end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Table, delete

from cdp.store.bulk import Columns, insert_columns


def replace_columns(
    connection: Connection, table: Table, chunks: Iterable[Columns], *, columns: Sequence[str]
) -> int:
    """Empty the table and fill it; returns the count. Rows come best in the order of the primary key."""
    connection.execute(delete(table))
    if connection.dialect.name != "sqlite":
        return insert_columns(connection, table, chunks, columns=columns)
    # An index larger than the cache is far cheaper built whole from sorted rows than row by row. Only on
    # SQLite: elsewhere dropping one would keep readers out.
    indexes = sorted(
        (index for index in table.indexes if not index.unique), key=lambda index: str(index.name)
    )
    for index in indexes:
        index.drop(connection)
    count = insert_columns(connection, table, chunks, columns=columns)
    for index in indexes:
        index.create(connection)
    return count
