"""Stores that were filled once, copied row by row into the store of each test: resolving takes longer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text

from cdp.store import open_store, read, schema, write

Template = dict[str, list[dict[str, Any]]]


def make_template(empty: Path, path: Path, fill: Callable[[Engine], None]) -> Template:
    """The rows of a migrated store after `fill`, by table."""
    engine = open_store(f"sqlite:///{shutil.copyfile(empty, path)}")
    try:
        fill(engine)
        with read(engine) as connection:
            return {
                table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in schema.metadata.sorted_tables
            }
    finally:
        engine.dispose()


def copy_template(template: Template, store: Engine) -> None:
    """Put the rows into an empty store; numbers go on where they end."""
    with write(store) as connection:
        for table in schema.metadata.sorted_tables:
            if template[table.name]:
                connection.execute(table.insert(), template[table.name])
        if connection.dialect.name == "sqlite":
            return
        for table in schema.metadata.sorted_tables:
            [key, *others] = table.primary_key
            if template[table.name] and not others and _is_numbered(connection, table.name, key.name):
                last = max(row[key.name] for row in template[table.name])
                sequence = {"table": table.name, "column": key.name, "last": last}
                connection.execute(
                    text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"), sequence
                )


def _is_numbered(connection: Any, table: str, column: str) -> bool:
    sequence = text("SELECT pg_get_serial_sequence(:table, :column)")
    return connection.scalar(sequence, {"table": table, "column": column}) is not None
