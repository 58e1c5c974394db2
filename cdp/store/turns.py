"""Taking turns at writing a SQLite store: processes that write small things often wait in line, not by chance.

SQLite lets a waiting writer try again at growing intervals, so that under load a few wait very long. Here whoever
waits holds the place of the next; the one that has just written stands behind it. Advisory: other writers only meet
SQLite's own lock. On PostgreSQL writers go side by side, and who loses too often has its turn by `retry_write`.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from sqlalchemy import Engine

from cdp.store.engine import describe_store, timeout_seconds_of
from cdp.store.errors import StoreBusyError

# Whoever is next looks often. Those behind need only be there before it has written: with eight processes at writes of
# 4 ms, looking took 2.6 s of processor time for 3.2 s of writes, and takes 1.7 s.
_POLL_SECONDS = 0.0003
_POLL_SECONDS_BEHIND = 0.002


@contextmanager
def writing_turn(
    engine: Engine, *, timeout_seconds: float | None = None, meanwhile: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Hold the turn of writing for the block. Raises StoreBusyError when it does not come in time, that of the engine
    unless another is given.

    Meanwhile: called as long as others have the turn; it does a little, a few milliseconds, and returns False when
    there is nothing to do.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    path = Path(describe_store(engine.url))
    deadline = time.monotonic() + (timeout_seconds_of(engine) if timeout_seconds is None else timeout_seconds)
    with ExitStack() as held:
        with ExitStack() as waiting:
            wait_behind = _Wait(deadline, _POLL_SECONDS_BEHIND, meanwhile)
            if _hold(waiting, path.with_name(f"{path.name}-next"), wait_behind):
                _hold(held, path.with_name(f"{path.name}-turn"), _Wait(deadline, _POLL_SECONDS, meanwhile))
        yield


class _Wait(NamedTuple):
    """Until when, how often to look, and what to do between."""

    deadline: float
    poll_seconds: float
    meanwhile: Callable[[], bool]


def _hold(stack: ExitStack, path: Path, wait: _Wait) -> bool:
    """False where there can be no such file, in a directory that is read only: then there is no line either."""
    with suppress(OSError):
        file = stack.enter_context(open(path, "ab", opener=_private))  # noqa: SIM115  the stack closes it
        _lock(file, wait)
        return True
    return False


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def _lock(file: IO[bytes], wait: _Wait) -> None:
    """Closing the file gives the lock back, and so does the end of the process."""
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > wait.deadline:
                raise StoreBusyError(
                    "Other writers are before this one: try again, or set a longer CDP_STORE_TIMEOUT_SECONDS."
                ) from None
        if not wait.meanwhile():
            time.sleep(wait.poll_seconds)
