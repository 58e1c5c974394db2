"""The audit of reads: kept in memory for less than a second, so that a read costs no write transaction.

One buffer a process, written in batches by a thread of its own; what cannot be written stays and is tried
again, and when too much waits reads are refused rather than left unaudited. A graceful stop writes what is
left; a killed process loses at most `flush_seconds` of it.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Connection, Engine

from cdp.errors import CdpError
from cdp.privacy.audit import AuditEntry, append_audit, seal_audit
from cdp.store import StoreError, retry_write, writes_are_serial

_CAPACITY = 50_000
_BATCH = 5_000
_CLOSE_SECONDS = 10.0

logger = structlog.get_logger(__name__)


class ReadAuditFullError(CdpError):
    """The store has taken no entries for so long that no more reads may go unaudited."""

    reason = "read_audit_full"


class ReadAudit:
    """`add` never waits for the store; the writing thread calls `open_engine` when there is an entry."""

    def __init__(
        self, open_engine: Callable[[], Engine], *, flush_seconds: float = 0.5, capacity: int = _CAPACITY
    ) -> None:
        self._open_engine = open_engine
        self._flush_seconds = flush_seconds
        self._capacity = capacity
        self._waiting: list[AuditEntry] = []
        self._added = threading.Condition()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def add(self, entry: AuditEntry) -> None:
        """Raises ReadAuditFullError; then the read must not be answered."""
        with self._added:
            if len(self._waiting) >= self._capacity:
                raise ReadAuditFullError(
                    "The audit of reads waits for the store: see its log, try again later."
                )
            self._waiting.append(entry)
            is_first = len(self._waiting) == 1
            # Begun with the first entry, so that the thread belongs to the process that reads.
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="read-audit", daemon=True)
                self._thread.start()
                atexit.register(self.close)
            # The thread wakes once for what waits together: woken for each entry it would take turns with requests.
            if is_first:
                self._added.notify()

    def flush(self) -> None:
        """Write what waits now. Raises StoreError, and keeps what it could not write."""
        with self._writing:
            unsealed = False
            while batch := self._waiting[:_BATCH]:
                unsealed = not _write_entries(self._open_engine(), batch)
                with self._added:
                    del self._waiting[: len(batch)]
            if unsealed:
                seal_audit(self._open_engine())

    def close(self) -> None:
        """Write what is left, trying for ten seconds; what then still waits is told to the log, ids only."""
        with self._added:
            self._closed = True
            self._added.notify_all()
        atexit.unregister(self.close)
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)
        deadline = time.monotonic() + _CLOSE_SECONDS
        while not self._try_flush() and time.monotonic() < deadline:
            time.sleep(0.2)
        for entry in self._waiting:
            logger.error(
                "read_audit.unwritten",
                actor=entry.actor,
                action=entry.action,
                object_id=entry.object_id,
                recorded_at=entry.recorded_at.isoformat(),
            )

    def _run(self) -> None:
        while True:
            with self._added:
                self._added.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                self._added.wait_for(lambda: self._closed, timeout=self._flush_seconds)
            if not self._try_flush():
                time.sleep(self._flush_seconds)

    def _try_flush(self) -> bool:
        try:
            self.flush()
        except StoreError as error:
            logger.warning("read_audit.delayed", reason=error.reason, waiting=len(self._waiting))
            return False
        except Exception as error:
            # The thread must live on: an entry that is lost to a dead thread is lost without a trace.
            logger.error("read_audit.failed", error=type(error).__name__, waiting=len(self._waiting))
            return False
        return True


def _write_entries(engine: Engine, entries: list[AuditEntry]) -> bool:
    """Whether the entries were sealed as they were written."""

    def append(connection: Connection) -> bool:
        append_audit(connection, entries)
        return writes_are_serial(connection)

    return retry_write(engine, append)
