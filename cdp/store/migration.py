"""Bringing a store to the schema this code knows: all of it or nothing, once however often it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import URL

from cdp.store.engine import describe_store, newer_store, select_revision, store_engine
from cdp.store.errors import StoreError, store_errors
from cdp.store.schema import SCHEMA_REVISION, VERSION_TABLE

# Any number that no other program locks; it keeps two migrations of one database apart.
_MIGRATION_LOCK = 0x63647001


class MigrationFailedError(StoreError):
    reason = "migration_failed"


def migrate(store: Engine | str | URL, *, revision: str = "head") -> str | None:
    """Create or upgrade the store's tables in one transaction; returns the version it had, None if empty.

    The only function that creates a store. Raises NewerStoreError or NotAStoreError before touching it.
    """
    if isinstance(store, Engine):
        return _migrate(store, revision)
    engine = store_engine(store, create=True)
    try:
        return _migrate(engine, revision)
    finally:
        engine.dispose()


def _migrate(engine: Engine, revision: str) -> str | None:
    with store_errors(), engine.connect() as connection, _ready_for_ddl(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        found = select_revision(connection)
        if found is not None and found > SCHEMA_REVISION:
            raise newer_store(describe_store(engine.url), found)
        _run_migrations(connection, revision)
        if select_revision(connection) != found:
            _require_foreign_keys(connection)
    return found


def _run_migrations(connection: Connection, revision: str) -> None:
    from alembic import command  # Loaded here: only migrations pay for it.
    from alembic.config import Config
    from alembic.util import CommandError

    with as_file(files("migrations")) as scripts:
        config = Config(attributes={"connection": connection, "version_table": VERSION_TABLE})
        # A percent sign in the path would be read as the beginning of a placeholder.
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            raise MigrationFailedError(f"The store cannot be migrated: {error}.") from error


@contextmanager
def _ready_for_ddl(connection: Connection) -> Iterator[None]:
    """On SQLite: write-ahead log on, and foreign keys unchecked while tables are rebuilt.

    Neither can be switched inside a transaction, so both are done on the driver's connection before it.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    (mode,) = driver.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise MigrationFailedError(
            f"The store {describe_store(connection.engine.url)} cannot keep a write-ahead log there "
            f"(SQLite says {mode}): put it on a local disk."
        )
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _require_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise MigrationFailedError(
            f"The migration would leave rows of {broken[0]} that refer to no row of {broken[2]}: "
            "it was rolled back, the store is as it was; run `cdp verify`."
        )
