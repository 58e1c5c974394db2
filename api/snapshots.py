"""One snapshot of the store a request: who calls is read in it, and what they ask for.

What it is for the store's library is not said here: it goes to functions of `cdp` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from flask import Flask, g

from api.service import current_service
from cdp.store import read
from cdp.store.errors import store_errors


def close_snapshots(app: Flask) -> None:
    app.teardown_request(_close)


@contextmanager
def begin_snapshot(*, is_last: bool) -> Iterator[Any]:
    """Begin the request's snapshot, kept for `snapshot` unless it is the last use.

    When the block raises, it is closed at once.
    """
    with ExitStack() as stack:
        connection = stack.enter_context(read(current_service().store.engine()))
        yield connection
        if not is_last:
            g.snapshot, g.snapshot_end = connection, stack.pop_all()


@contextmanager
def snapshot() -> Iterator[Any]:
    """The snapshot of the request, or one of its own where none is kept. Raises StoreError."""
    kept = g.get("snapshot")
    if kept is None:
        with read(current_service().store.engine()) as connection:
            yield connection
        return
    with store_errors():
        yield kept


def _close(_error: BaseException | None) -> None:
    end: ExitStack | None = g.pop("snapshot_end", None)
    if end is not None:
        g.pop("snapshot")
        end.close()
