"""The store that the environment names, for as long as a command runs; what it audited is sealed after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from cdp.privacy.audit import count_unsealed, seal_audit
from cdp.settings import read_settings
from cdp.store import StoreError, open_store, read, writes_are_serial


@contextmanager
def configured_store() -> Iterator[Engine]:
    """Raises a StoreError that says what to do when there is no store to open."""
    settings = read_settings()
    engine = open_store(settings.database_url, timeout_seconds=settings.store_timeout_seconds)
    try:
        try:
            yield engine
        finally:
            seal_what_waits(engine)
    finally:
        engine.dispose()


def seal_what_waits(engine: Engine) -> None:
    """Seal what the command audited, where that waits; a store that cannot be written now keeps it unsealed."""
    with suppress(StoreError, DBAPIError):
        with read(engine) as connection:
            waiting = 0 if writes_are_serial(connection) else count_unsealed(connection)
        if waiting:
            seal_audit(engine)
