"""Rows by the million: in by the driver's fastest road, out in chunks, and sets of ids to join with.

Every function runs inside the caller's transaction. Inserting and streaming keep to constant memory,
whatever the count.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import chain, islice
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Executable,
    FromClause,
    MetaData,
    Row,
    Table,
    Text,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex, DropTable
from sqlalchemy.types import TypeEngine

from cdp.store.instants import Instant
from cdp.store.quick import QuickStatement

# Oldest limit of SQLite on the parameters of a statement.
_SQLITE_PARAMETERS = 999
# Measured on a million narrow rows: larger chunks are no faster and hold more memory.
CHUNK_SIZE = 10_000

# One list a column, all of one length.
Columns = Sequence[Sequence[Any]]

# Place of a column among those of a row, and what its type makes of a value.
Processors = Sequence[tuple[int, Callable[[Any], Any]]]


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
    if isinstance(rows, Sized) and not rows:
        return 0
    target = _target_of(table, None if columns is None else tuple(columns), connection.dialect)
    driver: Any = connection.connection.driver_connection
    insert_all = _insert_sqlite if connection.dialect.name == "sqlite" else _copy_postgresql
    return insert_all(driver, target.name, target.width, rows, target.processors)


def insert_columns(
    connection: Connection, table: Table, chunks: Iterable[Columns], *, columns: Sequence[str]
) -> int:
    """As insert_rows, for rows that come as one list a column: no row is made in Python but where COPY wants it."""
    target = _target_of(table, tuple(columns), connection.dialect)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return _insert_columns_sqlite(driver, target.name, target.width, chunks, target.processors)
    rows = chain.from_iterable(zip(*chunk, strict=True) for chunk in chunks)
    return _copy_postgresql(driver, target.name, target.width, rows, target.processors)


class _Target(NamedTuple):
    """Table and columns as SQL names them, how many they are, and the conversions of their types."""

    name: str
    width: int
    processors: Processors


@lru_cache(maxsize=256)
def _target_of(table: Table, columns: tuple[str, ...] | None, dialect: Dialect) -> _Target:
    """Worked out once: for a row or two it takes longer than to insert them."""
    chosen = [table.c[name] for name in columns] if columns is not None else list(table.c)
    preparer = dialect.identifier_preparer
    names = ", ".join(preparer.format_column(each) for each in chosen)
    return _Target(f"{preparer.format_table(table)} ({names})", len(chosen), _processors(dialect, chosen))


@contextmanager
def filled_table(
    connection: Connection, table: Table, columns: Sequence[str]
) -> Iterator[Callable[[Iterable[Sequence[Any]]], int]]:
    """For very many rows: a function that takes rows as insert_rows does; at the end of the block all are in.

    On SQLite they wait in a temporary table and go in sorted by the primary key, and an empty table is given its
    other indexes after them. 240,000 identifiers took 1.9 s so, and 3.5 s in the order they came.
    """
    if connection.dialect.name != "sqlite":
        yield partial(insert_rows, connection, table, columns=columns)
        return
    kinds = {name: table.c[name].type for name in columns}
    with temporary_table(connection, f"new_{table.name}", kinds, (), key=()) as waiting:
        yield partial(insert_rows, connection, waiting)
        in_order = select(waiting).order_by(*[waiting.c[each.name] for each in table.primary_key])
        with _indexes_built_last(connection, table):
            connection.execute(insert(table).from_select(list(columns), in_order))


@contextmanager
def _indexes_built_last(connection: Connection, table: Table) -> Iterator[None]:
    """Nothing for a table with rows: to build an index over them all costs more than to keep it as rows come."""
    if connection.scalar(select(literal(1)).select_from(table).limit(1)):
        yield
        return
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    for index in indexes:
        connection.execute(DropIndex(index))
    yield
    for index in indexes:
        connection.execute(CreateIndex(index))


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
        # The sequence is looked up first: looked up with each id, drawing took 11 us each and not 5.
        [sequence] = _SEQUENCE.first(connection, table=column.table.name, column=column.name)
        return sorted(drawn for (drawn,) in _DRAW.fetch(connection, sequence=sequence, count=count))
    bound = {"table": column.table.name, "count": count}
    advanced = _ADVANCE.first(connection, **bound)
    if advanced is None:
        _BEGIN_SEQUENCE.run(connection, table=column.table.name)
        advanced = _ADVANCE.first(connection, **bound)
    [last] = advanced
    return range(last - count + 1, last + 1)


_SEQUENCE = QuickStatement(text("SELECT CAST(pg_get_serial_sequence(:table, :column) AS regclass)::oid"))
_DRAW = QuickStatement(
    text("SELECT nextval(CAST(:sequence AS oid)::regclass) FROM generate_series(1, :count)")
)
_ADVANCE = QuickStatement(
    text("UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :table RETURNING seq")
)
_BEGIN_SEQUENCE = QuickStatement(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, 0)"))


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
    take_statistics(connection, table)
    yield table
    # After an error there is nothing to drop: the rollback takes the table away on both databases.
    connection.execute(DropTable(table))


def take_statistics(connection: Connection, *tables: Table) -> None:
    """Of tables that this transaction has filled, before it asks much of them; for PostgreSQL alone.

    It takes them by itself later, of what is committed, and of temporary tables never. Until then a look at the few
    rows of one person may be planned as a walk through all.
    """
    if connection.dialect.name == "postgresql":
        quoted = map(connection.dialect.identifier_preparer.format_table, tables)
        connection.execute(text(f"ANALYZE {', '.join(quoted)}"))


def _insert_sqlite(
    driver: Any, target: str, width: int, rows: Iterable[Sequence[Any]], processors: Processors
) -> int:
    """Many rows a statement: the cost of a statement, above all of counting ids up, is paid once for them.

    Measured on a narrow table: 3.3 us a row one by one, 0.9 us with fifty a statement, hardly less with more.
    """
    batch_size = max(1, min(50, _SQLITE_PARAMETERS // width))
    batches = _batches(rows, batch_size)
    last: list[Sequence[Any]] = []
    count = 0

    def parameters(batch: list[Sequence[Any]]) -> list[Any]:
        flat = list(chain.from_iterable(batch))
        for place, processor in processors:
            flat[place::width] = map(processor, flat[place::width])
        return flat

    def whole_batches() -> Iterator[list[Any]]:
        nonlocal count
        for batch in batches:
            count += len(batch)
            if len(batch) < batch_size:
                last.extend(batch)
            else:
                yield parameters(batch)

    with _driver_errors(_insert_sql(target, width, 1), sqlite3.Error):
        driver.executemany(_insert_sql(target, width, batch_size), whole_batches())
        if last:
            driver.execute(_insert_sql(target, width, len(last)), parameters(last))
    return count


def _insert_columns_sqlite(
    driver: Any, target: str, width: int, chunks: Iterable[Columns], processors: Processors
) -> int:
    step = _SQLITE_PARAMETERS // width * width
    count = 0
    with _driver_errors(_insert_sql(target, width, 1), sqlite3.Error):
        for chunk in chunks:
            flat: list[Any] = [None] * (len(chunk[0]) * width)
            for place, values in enumerate(chunk):
                flat[place::width] = values
            for place, processor in processors:
                flat[place::width] = map(processor, flat[place::width])
            whole = len(flat) - len(flat) % step
            statements = (flat[start : start + step] for start in range(0, whole, step))
            driver.executemany(_insert_sql(target, width, step // width), statements)
            if rest := flat[whole:]:
                driver.execute(_insert_sql(target, width, len(rest) // width), rest)
            count += len(chunk[0])
    return count


@lru_cache(maxsize=1024)
def _insert_sql(target: str, width: int, row_count: int) -> str:
    """FAIL leaves the rows before one that breaks a constraint to the rollback of the transaction. To take them back
    alone, SQLite would copy every page that a statement of several rows changes, in a batch into a file: without that
    1,250 rows into a random index take 18 us each, and took 28. Tables with foreign keys have it done all the same."""
    places = f"({', '.join('?' * width)})"
    return f"INSERT OR FAIL INTO {target} VALUES {', '.join([places] * row_count)}"  # noqa: S608  names quoted


def _batches(rows: Iterable[Sequence[Any]], size: int) -> Iterator[list[Sequence[Any]]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def _copy_postgresql(
    driver: Any, target: str, _width: int, rows: Iterable[Sequence[Any]], processors: Processors
) -> int:
    import psycopg  # Loaded here: a store on SQLite does without it.

    statement = f"COPY {target} FROM STDIN"
    with _driver_errors(statement, psycopg.Error), driver.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for row in rows:
                values = list(row)
                for place, processor in processors:
                    values[place] = processor(values[place])
                copy.write_row(values)
        return int(cursor.rowcount)


def _processors(dialect: Dialect, columns: Sequence[Column[Any]]) -> Processors:
    """The column types' own conversions by place, only where there are any."""
    found = [
        (place, each.type, each.type.dialect_impl(dialect).bind_processor(dialect))
        for place, each in enumerate(columns)
    ]
    return [
        # The same few instants (when an import ran) come in row after row, and formatting one takes 2 us.
        (place, lru_cache(4096)(processor) if isinstance(kind, Instant) else processor)
        for place, kind, processor in found
        # The driver binds True as 1, and the column's own check refuses what is neither 0 nor 1.
        if processor is not None and not isinstance(kind, Boolean)
    ]


@contextmanager
def _driver_errors(statement: str, base: type[Exception]) -> Iterator[None]:
    """Wrap the driver's errors as the engine does, without the values of the row."""
    try:
        yield
    except base as error:
        raise DBAPIError.instance(statement, None, error, base, hide_parameters=True) from error
