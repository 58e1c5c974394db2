"""How connections to SQLite read and write: what they are set up for, and what begins their transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

from cdp.store.checkpoints import mind_log

# What a connection was last set up for.
_ACCESS = "store_access"
# 16 MiB to read in; to write, 256 MiB as far as needed: three million rows into a random index take 16 s with it,
# 30 s with 16 MiB.
_READ = ("PRAGMA query_only = ON", "PRAGMA cache_size = -16384")
_WRITE = ("PRAGMA query_only = OFF", "PRAGMA cache_size = -262144")
# The pool has fifteen, for writers too.
_READY_AT_MOST = 4


class Readers:
    """Connections of an engine that stay set up for reading: to take one from the pool and to give it back takes as
    long as ten hot statements."""

    def __init__(self) -> None:
        self._ready: list[Connection] = []

    @contextmanager
    def snapshot(self, engine: Engine) -> Iterator[Connection]:
        """A connection in a transaction that the driver begins and ends; one of SQLAlchemy's there is only when a
        statement of its own asks for it."""
        connection = self._take(engine)
        driver: Any = connection.connection.dbapi_connection
        try:
            driver.execute("BEGIN")
            yield connection
            connection.rollback() if connection.in_transaction() else driver.rollback()
        except BaseException:
            connection.close()
            raise
        if len(self._ready) < _READY_AT_MOST:
            self._ready.append(connection)
        else:
            connection.close()

    def close(self, _engine: Engine) -> None:
        """Close those that are ready, as the engine does those of its pool."""
        while self._ready:
            connection = self._ready.pop()
            connection.detach()
            connection.close()

    def _take(self, engine: Engine) -> Connection:
        try:
            return self._ready.pop()
        except IndexError:
            connection = engine.connect()
            _set_up(connection, "read", _READ)
            return connection


def listen(engine: Engine, readers: Readers) -> None:
    event.listen(engine, "begin", _begin_write)
    event.listen(engine, "engine_disposed", readers.close)


def _begin_write(connection: Connection) -> None:
    driver: Any = connection.connection.dbapi_connection
    # The transaction of a read, which has begun, becomes one of SQLAlchemy's too.
    if not driver.in_transaction:
        _set_up(connection, "write", _WRITE)
        mind_log(connection)
        # The lock at once: a read that later turns into a write could not wait for it.
        driver.execute("BEGIN IMMEDIATE")


def _set_up(connection: Connection, access: str, pragmas: tuple[str, ...]) -> None:
    if connection.info.get(_ACCESS) != access:
        driver: Any = connection.connection.dbapi_connection
        for pragma in pragmas:
            driver.execute(pragma)
        connection.info[_ACCESS] = access
