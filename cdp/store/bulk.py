"""Rows by the million: in by the driver's fastest road, out in chunks, and sets of ids to join with.

Every function runs inside the caller's transaction. Inserting and streaming keep to constant memory,
whatever the count.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Executable,
    FromClause,
    MetaData,
    Row,
    Table,
    Text,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.types import TypeEngine

# Measured on a million narrow rows: larger chunks are no faster and hold more memory.
CHUNK_SIZE = 10_000


def insert_rows(
    connection: Connection,
    table: Table,
    rows: Iterable[Sequence[Any]],
    *,
    columns: Sequence[str] | None = None,
) -> int:
    """Insert tuples whose values are in the order of `columns` (by default the table's); returns the count.

    Column types apply as in any insert: instants are aware datetimes. The first row that breaks a
    constraint raises IntegrityError, and the transaction is to be rolled back.
    """
    chosen = [table.c[name] for name in columns] if columns is not None else list(table.c)
    preparer = connection.dialect.identifier_preparer
    names = ", ".join(preparer.format_column(each) for each in chosen)
    target = f"{preparer.format_table(table)} ({names})"
    bound = _bind(connection, chosen, rows)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(chosen))
        statement = f"INSERT INTO {target} VALUES ({places})"  # noqa: S608  names of our own tables, quoted
        with _driver_errors(statement):
            inserted: int = driver.executemany(statement, bound).rowcount
            return max(inserted, 0)
    statement = f"COPY {target} FROM STDIN"
    with _driver_errors(statement), driver.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for row in bound:
                copy.write_row(row)
        return int(cursor.rowcount)


def stream_rows(
    connection: Connection, statement: Executable, *, chunk_size: int = CHUNK_SIZE
) -> Iterator[Sequence[Row[Any]]]:
    """The rows of a statement in lists of at most `chunk_size`, fetched as they are asked for.

    On SQLite a change made to the same tables while streaming may show in later chunks.
    """
    result = connection.execute(statement, execution_options={"yield_per": chunk_size})
    try:
        yield from result.partitions()
    finally:
        result.close()


def reserve_ids(connection: Connection, column: Column[int], count: int) -> Sequence[int]:
    """Ids for `count` rows to come, ascending and given to nobody else: bulk rows can name each other."""
    if count == 0:
        return range(0)
    if connection.dialect.name != "sqlite":
        drawn = text(
            "SELECT nextval(pg_get_serial_sequence(:table, :column)) FROM generate_series(1, :count)"
        )
        values = {"table": column.table.name, "column": column.name, "count": count}
        return sorted(connection.scalars(drawn, values))
    name = {"table": column.table.name}
    connection.execute(
        text(
            "INSERT INTO sqlite_sequence (name, seq) SELECT :table, 0 "
            "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :table)"
        ),
        name,
    )
    advanced = text("UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :table RETURNING seq")
    last: int = connection.scalars(advanced, {**name, "count": count}).one()
    return range(last - count + 1, last + 1)


def id_set(connection: Connection, ids: Collection[int] | Collection[str]) -> FromClause:
    """A set of ids as a relation of one column, `id`, to join or to select from; in reads as in writes.

    It travels as one bound value with each statement that uses it: for many statements over one large set
    in a write, fill a temporary_table.
    """
    listed = list(ids)
    if connection.dialect.name == "sqlite":
        members = func.json_each(bindparam(None, json.dumps(listed), Text)).table_valued("value")
        return select(members.c.value.label("id")).subquery("id_set")
    kind = Text() if listed and isinstance(listed[0], str) else BigInteger()
    return (
        func.unnest(bindparam(None, listed, ARRAY(kind))).table_valued("id", name="id_set").render_derived()
    )


@contextmanager
def temporary_table(
    connection: Connection,
    name: str,
    columns: Mapping[str, TypeEngine[Any]],
    rows: Iterable[Sequence[Any]],
    *,
    key: Sequence[str] | None = None,
) -> Iterator[Table]:
    """A table for this block of a write transaction only, filled with `rows` in the order of `columns`.

    `key` names its primary key, by default the first column. Reads cannot make one: see id_set.
    """
    keyed = set(key if key is not None else list(columns)[:1])
    made = [
        Column(each, kind, primary_key=each in keyed, autoincrement=False) for each, kind in columns.items()
    ]
    table = Table(f"temporary_{name}", MetaData(), *made, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")
    connection.execute(CreateTable(table))
    insert_rows(connection, table, rows)
    if connection.dialect.name == "postgresql":
        # Its statistics are taken by no one else, and without them a large join is planned for ten rows.
        connection.execute(text(f"ANALYZE {connection.dialect.identifier_preparer.format_table(table)}"))
    yield table
    # After an error there is nothing to drop: the rollback takes the table away on both databases.
    connection.execute(DropTable(table))


def _bind(
    connection: Connection, columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]]
) -> Iterable[Sequence[Any]]:
    """Apply the column types' own conversions, only where there are any."""
    dialect = connection.dialect
    found = [each.type.dialect_impl(dialect).bind_processor(dialect) for each in columns]
    processors = [(place, processor) for place, processor in enumerate(found) if processor is not None]
    return _processed(rows, processors) if processors else iter(rows)


def _processed(
    rows: Iterable[Sequence[Any]], processors: Sequence[tuple[int, Any]]
) -> Iterator[Sequence[Any]]:
    for row in rows:
        values = list(row)
        for place, processor in processors:
            values[place] = processor(values[place])
        yield values


@contextmanager
def _driver_errors(statement: str) -> Iterator[None]:
    """Wrap the driver's errors as the engine does, without the values of the row."""
    try:
        yield
    except (sqlite3.Error, psycopg.Error) as error:
        base = sqlite3.Error if isinstance(error, sqlite3.Error) else psycopg.Error
        raise DBAPIError.instance(statement, None, error, base, hide_parameters=True) from error
