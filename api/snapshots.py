"""One snapshot of the store a request: who calls is read in it, and what they ask for.

What it is for the store's library is not said here: it goes to functions of `cdp` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from api.context import current_notes
from api.service import current_service
from cdp.store import read
from cdp.store.errors import store_errors


def close_snapshots(app: Flask) -> None:
    app.teardown_request(_close)


@contextmanager
def begin_snapshot(*, is_last: bool) -> Iterator[Any]:
    """Begin the request's snapshot, kept for `snapshot` unless it is the last use.

    When the block raises, it is closed at once. Raises StoreError.
    """
    reading = read(current_service().store.engine())
    connection = reading.__enter__()
    try:
        yield connection
    except BaseException as error:
        reading.__exit__(type(error), error, error.__traceback__)
        raise
    if is_last:
        reading.__exit__(None, None, None)
    else:
        notes = current_notes()
        notes.snapshot, notes.snapshot_reading = connection, reading


@contextmanager
def snapshot() -> Iterator[Any]:
    """The snapshot of the request, or one of its own where none is kept. Raises StoreError."""
    kept = current_notes().get("snapshot")
    if kept is None:
        with read(current_service().store.engine()) as connection:
            yield connection
        return
    with store_errors():
        yield kept


def _close(_error: BaseException | None) -> None:
    notes = current_notes()
    if notes.pop("snapshot", None) is not None:
        notes.pop("snapshot_reading").__exit__(None, None, None)
