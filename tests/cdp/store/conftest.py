"""A store that already holds something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from cdp.store import migrate, open_store, write
from tests.cdp.store.rows import fill
from tests.postgres import Cluster


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def filled_store_for_all(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """One filled store for many tests, none of which may commit: see filled_connection."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('filled') / 'cdp.db'}"
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        cluster.execute("CREATE DATABASE filled")
        url = cluster.url("filled")
    migrate(url)
    engine = open_store(url)
    fill(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def filled_connection(filled_store_for_all: Engine) -> Iterator[Connection]:
    """A write transaction over the rows of `rows.py`, rolled back after the test."""
    with write(filled_store_for_all) as connection:
        yield connection
        connection.rollback()
