"""After a long write SQLite's log goes into the file beside the next writer, and not in its way.

SQLite itself does it at the end of a commit, once the log has a thousand pages. A batch of 500 records writes six
thousand: whoever waits to write would wait for these too.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

# Pages. Under steady writing only a checkpoint at the end of a commit lets the log begin anew: from 128 MiB on there
# is one.
_LONG_LOG = 32_768
_SHORT_LOG = 1_000
# On a connection whose write leaves the log as it is.
_LEFT = "store_log_left"


def leave_log(connection: Connection) -> None:
    """In a long write: its commit is not to bring the log into the file."""
    if connection.dialect.name == "sqlite":
        _set_longest(connection, _LONG_LOG)
        connection.info[_LEFT] = True


def mind_log(connection: Connection) -> None:
    """At the beginning of a write on SQLite."""
    if connection.info.pop(_LEFT, False):
        _set_longest(connection, _SHORT_LOG)


class Checkpoints:
    """Of one store, as one process writes it: one at a time."""

    def __init__(self) -> None:
        self._at_work = threading.Lock()

    def begin(self, engine: Engine) -> None:
        """Bring the log into the file; nobody waits for it."""
        if self._at_work.acquire(blocking=False):
            threading.Thread(target=self._checkpoint, args=(engine,), name="checkpoint").start()

    def wait(self) -> None:
        """Until what has begun is done."""
        with self._at_work:
            pass

    def _checkpoint(self, engine: Engine) -> None:
        try:
            # What was written is safe in the log. A disk that is full is told to the next who writes.
            with (
                suppress(SQLAlchemyError, engine.dialect.loaded_dbapi.Error),
                engine.connect() as connection,
            ):
                driver: Any = connection.connection.dbapi_connection
                driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            self._at_work.release()


def _set_longest(connection: Connection, pages: int) -> None:
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA wal_autocheckpoint = {pages}")
