"""A store that is opened when it is first needed, by a process that starts without it."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

from sqlalchemy import Engine

from cdp.store.engine import describe_store, open_store
from cdp.store.errors import StoreFullError, StoreReadOnlyError

# A write needs room for its log before it has its place in the file: a batch of large records, some 10 MiB.
_ROOM_BYTES = 16 * 1024 * 1024


class StoreDoor:
    """Opens the store at the first request and keeps it; one that cannot be opened is tried again each time.

    So the service recovers without a restart, and each worker has its own: an engine does not cross a fork.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._opening = threading.Lock()
        self._engine: Engine | None = None

    def engine(self) -> Engine:
        """Raises a StoreError."""
        if self._engine is None:
            with self._opening:
                if self._engine is None:
                    self._engine = open_store(self._url, timeout_seconds=self._timeout_seconds)
        return self._engine

    def check(self) -> None:
        """Open the store anew, as a process that starts now would, and see that it can be written. Raises a StoreError.

        Connections that are open keep to a file that was taken away or replaced; this does not. Nothing is written
        and nobody waited for: a store that another writer holds is a good one.
        """
        engine = open_store(self._url, timeout_seconds=self._timeout_seconds)
        engine.dispose()
        if engine.dialect.name == "sqlite":
            _require_room(Path(describe_store(engine.url)))

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()


def _require_room(path: Path) -> None:
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise StoreReadOnlyError(
            "The store can only be read: give this user write access to it and its directory."
        )
    if shutil.disk_usage(path.parent).free < _ROOM_BYTES:
        raise StoreFullError("The store's disk is full: free some space.")
