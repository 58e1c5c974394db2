"""The engine and its transactions: the same promises on SQLite and on PostgreSQL.

A write is alone or appears to be: SQLite lets one writer in at a time (BEGIN IMMEDIATE), PostgreSQL runs it
SERIALIZABLE and refuses the loser of a conflict, to be begun anew. A read sees one snapshot from beginning
to end, and the database refuses it any change.
"""

from __future__ import annotations

import random
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

from sqlalchemy import Connection, Engine, Table, column, create_engine, event, func, inspect, select, table
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError

from cdp.store import sqlite
from cdp.store.checkpoints import Checkpoints
from cdp.store.errors import (
    NewerStoreError,
    NotAStoreError,
    NotMigratedError,
    OutdatedStoreError,
    StoreMissingError,
    UnsupportedStoreError,
    WriteConflictError,
    store_errors,
)
from cdp.store.schema import SCHEMA_REVISION, VERSION_TABLE

Result = TypeVar("Result")

DEFAULT_TIMEOUT_SECONDS = 5.0
# Races that a write may lose before it asks for its turn.
RACES = 3

_UNIQUE_VIOLATION = "23505"
# Inserts of one to fifty rows are as many statements each; with the driver's 128 most were prepared anew.
_PREPARED_STATEMENTS = 1024
# The option of an engine that says how long its writes may wait.
_TIMEOUT = "store_timeout_seconds"
# And the one that keeps SQLite's connections for its reads.
_READERS = "store_readers"
# And the one that brings SQLite's log into its file.
_CHECKPOINTS = "store_checkpoints"


def open_store(url: str | URL, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> Engine:
    """The engine of a store that is there and of this version; creates and changes nothing.

    Raises StoreMissingError, NotMigratedError, OutdatedStoreError, NewerStoreError, NotAStoreError or
    another StoreError, each saying what to do.
    """
    engine = store_engine(url, timeout_seconds=timeout_seconds)
    try:
        with read(engine) as connection:
            require_revision(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def store_engine(
    url: str | URL, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS, create: bool = False
) -> Engine:
    """An engine set up for the store, its schema not looked at. `create` lets SQLite make a missing file."""
    parsed = parse_store_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed, timeout_seconds=timeout_seconds, create=create)
    return _postgresql_engine(parsed, timeout_seconds=timeout_seconds)


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """One snapshot, read only; the database refuses writes."""
    if engine.dialect.name == "sqlite":
        with store_errors(), _readers_of(engine).snapshot(engine) as connection:
            yield connection
        return
    with store_errors(), engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # The first statement begins it, and the connection ends it as it is given back: there is nothing to commit.
        yield connection


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """One transaction, committed at the end of the block, rolled back when it raises.

    Raises StoreBusyError when another writer holds SQLite too long, WriteConflictError when a concurrent
    writer won on PostgreSQL: use retry_write where the work can be begun anew.
    """
    with store_errors(), engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            connection.execution_options(isolation_level="SERIALIZABLE")
        with connection.begin():
            yield connection


@contextmanager
def write_alone(engine: Engine, name: str) -> Iterator[Connection]:
    """A write that waits for the others of this name to end and then sees all they did.

    For work that always reads what the one before it wrote, where on PostgreSQL every two would conflict.
    It takes no part in the serializable order of the other writes: only for rows that those do not read.
    """
    if engine.dialect.name == "sqlite":
        with write(engine) as connection:
            yield connection
        return
    with store_errors(), engine.connect() as connection:
        # Each statement after the lock sees what is committed by then; one snapshot would be older than it.
        connection.execution_options(isolation_level="READ COMMITTED")
        with connection.begin():
            connection.execute(select(func.pg_advisory_xact_lock(zlib.crc32(name.encode()))))
            yield connection


@contextmanager
def write_exclusively(engine: Engine, tables: Sequence[Table]) -> Iterator[Connection]:
    """A write that no other writer of these tables can run beside, and so none can make fail; reads go on.

    For long work over everything, which would lose every conflict. It begins when the writers before it have
    ended, and no retried write is overtaken by it: one that has begun ends before, even when it has written nothing
    yet, and one that has not sees all that this one did. Those after it wait, and get StoreBusyError when that takes
    too long, as on SQLite.
    """
    with write(engine) as connection:
        if engine.dialect.name == "postgresql":
            quote = connection.dialect.identifier_preparer.format_table
            # Before the first query: the snapshot is taken by that, and so after the lock is held.
            connection.exec_driver_sql(f"LOCK TABLE {VERSION_TABLE} IN EXCLUSIVE MODE")
            connection.exec_driver_sql(f"LOCK TABLE {', '.join(map(quote, tables))} IN EXCLUSIVE MODE")
        yield connection


def retry_write(
    engine: Engine,
    work: Callable[[Connection], Result],
    *,
    alone_on: Sequence[Table] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Run `work` in a write, anew after each conflict.

    Who has lost a few races runs with no other retried write beside it, in the order of asking, and so cannot lose to
    one: time is the bound, not luck. Alone on tables, it runs in write_exclusively; a conflict is then only possible
    while they are taken. Raises StoreBusyError when the turn does not come within the timeout of the engine,
    WriteConflictError when others than retried writes still win after it.

    `work` must have no effect outside its connection. A duplicate key may be a lost race too; one that no writer
    beside this one can have brought about is the caller's.
    """
    deadline = time.monotonic() + timeout_seconds_of(engine)
    lost = 0
    while True:
        in_turn = bool(alone_on) or lost >= RACES
        try:
            with (
                write_exclusively(engine, alone_on)
                if alone_on
                else _write_beside(engine, in_turn) as connection
            ):
                return work(connection)
        except IntegrityError as error:
            if getattr(error.orig, "sqlstate", None) != _UNIQUE_VIOLATION or (in_turn and lost):
                raise
            lost = max(lost + 1, RACES)
        except WriteConflictError:
            if in_turn and time.monotonic() > deadline:
                raise
            lost += 1
        sleep(random.uniform(0, min(0.5, 0.005 * 2**lost)))


@contextmanager
def _write_beside(engine: Engine, in_turn: bool) -> Iterator[Connection]:
    """A write beside others of its kind, or in turn, when they have ended and those after it wait.

    The lock must be held before the first query, which takes the snapshot: a function of the database that locks is a
    query already. So it is a lock on a table that nobody writes but a migration, and the first of the transaction, so
    that no two wait for each other.
    """
    with write(engine) as connection:
        if engine.dialect.name == "postgresql":
            mode = "EXCLUSIVE" if in_turn else "ROW SHARE"
            connection.exec_driver_sql(f"LOCK TABLE {VERSION_TABLE} IN {mode} MODE")
        yield connection


def timeout_seconds_of(engine: Engine) -> float:
    """How long a write of this engine may wait for others."""
    seconds: float = engine.get_execution_options()[_TIMEOUT]
    return seconds


def _readers_of(engine: Engine) -> sqlite.Readers:
    readers: sqlite.Readers = engine.get_execution_options()[_READERS]
    return readers


def begin_checkpoint(engine: Engine) -> None:
    """After a write that left SQLite's log as it was (see checkpoints.py)."""
    if engine.dialect.name == "sqlite":
        checkpoints_of(engine).begin(engine)


def checkpoints_of(engine: Engine) -> Checkpoints:
    """Of a store on SQLite."""
    checkpoints: Checkpoints = engine.get_execution_options()[_CHECKPOINTS]
    return checkpoints


def writes_are_serial(connection: Connection) -> bool:
    """Whether a writer is truly alone, so that reading the last row and adding the next never conflicts."""
    return connection.dialect.name == "sqlite"


def describe_store(url: URL) -> str:
    """The path of a file, else the URL without its password."""
    if url.get_backend_name() == "sqlite":
        path = url.database or ""
        return unquote(path.removeprefix("file:")) if path.startswith("file:") else path
    return url.render_as_string(hide_password=True)


def select_revision(connection: Connection) -> str | None:
    """The version of the store's schema, None when it is empty. Raises NotAStoreError for others' tables."""
    names = inspect(connection).get_table_names()
    if VERSION_TABLE in names:
        return connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
    if names:
        raise NotAStoreError(
            f"{describe_store(connection.engine.url)} holds tables that are not this service's "
            f"({', '.join(sorted(names)[:3])}, ...): set CDP_DATABASE_URL to a database of its own."
        )
    return None


def require_revision(connection: Connection) -> None:
    """Raise unless the store's schema is the one this code was written for."""
    found = select_revision(connection)
    where = describe_store(connection.engine.url)
    if found is None:
        raise NotMigratedError(f"The store {where} is empty: run `cdp migrate`.")
    if found < SCHEMA_REVISION:
        raise OutdatedStoreError(
            f"The store {where} has schema {found}, this version needs {SCHEMA_REVISION}: run `cdp migrate`."
        )
    if found > SCHEMA_REVISION:
        raise newer_store(where, found)


def newer_store(where: str, found: str) -> NewerStoreError:
    return NewerStoreError(
        f"The store {where} has schema {found}, newer than the {SCHEMA_REVISION} this version knows: "
        "install the version that made it, or a later one."
    )


def parse_store_url(url: str | URL) -> URL:
    """The URL of a database this service can live in; plain `postgresql://` means psycopg."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UnsupportedStoreError(
            "CDP_DATABASE_URL is not a database URL: see docs/settings.md."
        ) from error
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise UnsupportedStoreError(
            f"CDP_DATABASE_URL names {parsed.drivername}: the store is sqlite:///PATH or postgresql://HOST/NAME."
        )
    if parsed.database in (None, "", ":memory:"):
        raise UnsupportedStoreError(
            "CDP_DATABASE_URL names no file: a store in memory would be lost, write sqlite:///PATH."
        )
    return parsed


def _sqlite_engine(url: URL, *, timeout_seconds: float, create: bool) -> Engine:
    path = Path(url.database or "").absolute()
    if path.is_dir():
        raise NotAStoreError(f"The store {path} is a directory: set CDP_DATABASE_URL to a file in it.")
    if create:
        _create_file(path)
    elif not path.exists():
        raise StoreMissingError(f"There is no store at {path}: run `cdp migrate` to create it.")
    # A file URI, so that SQLite itself never creates what was taken away between the look and the opening.
    uri = URL.create("sqlite+pysqlite", database=f"file:{quote(str(path))}")
    readers = sqlite.Readers()
    engine = create_engine(
        uri.update_query_dict({"mode": "rw", **url.query, "uri": "true"}),
        connect_args={
            "timeout": timeout_seconds,
            "check_same_thread": False,
            "cached_statements": _PREPARED_STATEMENTS,
        },
        pool_timeout=timeout_seconds,
        execution_options={
            _TIMEOUT: timeout_seconds,
            _READERS: readers,
            _CHECKPOINTS: Checkpoints(),
        },
        hide_parameters=True,
    )
    event.listen(engine, "connect", _set_up_sqlite)
    sqlite.listen(engine, readers)
    return engine


def _create_file(path: Path) -> None:
    """An empty file that only its owner may read: what it will hold is personal."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreMissingError(f"The store {path} cannot be created: {error.strerror}.") from error


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must begin no transaction of its own: it would miss DDL and reads (see cdp/store/sqlite.py).
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 67108864")  # Give a bulk load's log back to the disk.


def _postgresql_engine(url: URL, *, timeout_seconds: float) -> Engine:
    asked = url.query.get("options", "")
    options = f"{asked} -c TimeZone=UTC -c lock_timeout={round(timeout_seconds * 1000)}ms".strip()
    return create_engine(
        url,
        connect_args={
            "connect_timeout": max(1, round(timeout_seconds)),
            "application_name": "cdp",
            "options": options,
        },
        pool_timeout=timeout_seconds,
        execution_options={_TIMEOUT: timeout_seconds},
        pool_pre_ping=True,
        hide_parameters=True,
    )
