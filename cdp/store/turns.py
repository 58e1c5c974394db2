"""Taking turns at writing a SQLite store: processes that write small things often wait in line, not by chance.

SQLite lets a waiting writer try again at growing intervals, so that under load a few wait very long. Here whoever
waits holds the place of the next; the one that has just written stands behind it. Advisory: other writers only meet
SQLite's own lock. On PostgreSQL writers go side by side, and who loses too often has its turn by `retry_write`.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from sqlalchemy import Engine

from cdp.store.engine import describe_store, timeout_seconds_of
from cdp.store.errors import StoreBusyError

# Whoever is next looks often. Those behind need only be there before it has written: with eight processes at writes of
# 4 ms, looking took 2.6 s of processor time for 3.2 s of writes, and takes 1.7 s.
_POLL_SECONDS = 0.0003
_POLL_SECONDS_BEHIND = 0.002


@contextmanager
def writing_turn(engine: Engine, *, timeout_seconds: float | None = None) -> Iterator[None]:
    """Hold the turn of writing for the block. Raises StoreBusyError when it does not come in time, that of the engine
    unless another is given."""
    if engine.dialect.name != "sqlite":
        yield
        return
    path = Path(describe_store(engine.url))
    deadline = time.monotonic() + (timeout_seconds_of(engine) if timeout_seconds is None else timeout_seconds)
    with ExitStack() as held:
        with ExitStack() as waiting:
            if _hold(waiting, path.with_name(f"{path.name}-next"), deadline, _POLL_SECONDS_BEHIND):
                _hold(held, path.with_name(f"{path.name}-turn"), deadline, _POLL_SECONDS)
        yield


def _hold(stack: ExitStack, path: Path, deadline: float, poll_seconds: float) -> bool:
    """False where there can be no such file, in a directory that is read only: then there is no line either."""
    with suppress(OSError):
        file = stack.enter_context(open(path, "ab", opener=_private))  # noqa: SIM115  the stack closes it
        _lock(file, deadline, poll_seconds)
        return True
    return False


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def _lock(file: IO[bytes], deadline: float, poll_seconds: float) -> None:
    """Closing the file gives the lock back, and so does the end of the process."""
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StoreBusyError(
                    "Other writers are before this one: try again, or set a longer CDP_STORE_TIMEOUT_SECONDS."
                ) from None
        time.sleep(poll_seconds)
