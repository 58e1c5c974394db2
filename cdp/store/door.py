"""A store that is opened when it is first needed, by a process that starts without it."""

from __future__ import annotations

import threading

from sqlalchemy import Engine

from cdp.store.engine import open_store


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
        """Open the store anew, as a process that starts now would. Raises a StoreError.

        Connections that are open keep to a file that was taken away or replaced; this does not.
        """
        open_store(self._url, timeout_seconds=self._timeout_seconds).dispose()

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
