"""The store that the environment names, for as long as a command runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from cdp.settings import read_settings
from cdp.store import open_store


@contextmanager
def configured_store() -> Iterator[Engine]:
    """Raises a StoreError that says what to do when there is no store to open."""
    settings = read_settings()
    engine = open_store(settings.database_url, timeout_seconds=settings.store_timeout_seconds)
    try:
        yield engine
    finally:
        engine.dispose()
