"""Fixtures of the whole suite: a fresh, migrated store on each of the two databases."""

from __future__ import annotations

import gc
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine

from cdp.store import migrate, open_store
from tests.applications import Applications
from tests.postgres import Cluster, NoPostgresError, start_cluster

# An example that takes long tells of the machine; what must be quick has a test of its own.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

# As a server does: at Python's own 700 objects a twentieth of all time goes into looking for garbage.
gc.set_threshold(100_000, 20, 50)

_numbers = itertools.count(1)
TEMPLATE = "migrated"
# Whoever asks for one of these has a store, and takes ten times as long as a test of a rule.
STORES = {"migrated_file", "postgres", "store_url", "empty_store_url", "filled_store_for_all"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fuzz", "Requests made up from the description of the API")
    group.addoption(
        "--fuzz-examples", type=int, default=2, help="How many an operation; 20 and more: chains too."
    )
    group.addoption("--fuzz-seed", type=int, default=1, help="The same seed makes up the same requests.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test with a store of its own is slow: `make test-fast` leaves it out."""
    for item in items:
        if isinstance(item, pytest.Function) and STORES & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A running cluster; skips where there is none to run."""
    try:
        cluster = start_cluster()
    except NoPostgresError as reason:
        pytest.skip(f"PostgreSQL: {reason}")
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Cluster) -> Cluster:
    """The same cluster with a migrated database to copy."""
    postgres.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(postgres.url(TEMPLATE))
    return postgres


@pytest.fixture(scope="session")
def migrated_shape(migrated_postgres: Cluster) -> str:
    return migrated_postgres.shape(TEMPLATE)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("store") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A migrated SQLite store of this test's own."""
    return f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'cdp.db')}"


@pytest.fixture(scope="session")
def free_databases() -> list[str]:
    """Migrated databases without rows that no test uses now."""
    return []


@pytest.fixture
def postgresql_url(
    migrated_postgres: Cluster, migrated_shape: str, free_databases: list[str]
) -> Iterator[str]:
    """A migrated PostgreSQL store of this test's own."""
    if free_databases:
        name = free_databases.pop()
    else:
        name = f"test_{next(_numbers)}"
        migrated_postgres.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield migrated_postgres.url(name)
    if migrated_postgres.empty(name, migrated_shape):
        free_databases.append(name)
    else:
        migrated_postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_postgresql_url(postgres: Cluster) -> Iterator[str]:
    """A PostgreSQL database without tables."""
    name = f"empty_{next(_numbers)}"
    postgres.execute(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


second_empty_postgresql_url = empty_postgresql_url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh migrated store, once on each database."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that `migrate` has not seen, once on each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgresql_url"))


@pytest.fixture
def open_engine() -> Iterator[Callable[[str], Engine]]:
    """Opens stores and closes them after the test."""
    opened: list[Engine] = []

    def open_one(url: str) -> Engine:
        opened.append(open_store(url))
        return opened[-1]

    yield open_one
    for engine in opened:
        engine.dispose()


@pytest.fixture
def store(store_url: str, open_engine: Callable[[str], Engine]) -> Engine:
    """The engine of a fresh migrated store, once on each database."""
    return open_engine(store_url)


@pytest.fixture
def sqlite_store(sqlite_url: str, open_engine: Callable[[str], Engine]) -> Engine:
    """A fresh migrated store on SQLite, for what only SQLite can show."""
    return open_engine(sqlite_url)


@pytest.fixture
def postgresql_store(postgresql_url: str, open_engine: Callable[[str], Engine]) -> Engine:
    """A fresh migrated store on PostgreSQL, for what only PostgreSQL can show."""
    return open_engine(postgresql_url)


@pytest.fixture(scope="session")
def applications() -> Applications:
    """Applications that no test uses now."""
    return Applications()
