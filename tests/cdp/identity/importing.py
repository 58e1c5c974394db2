"""Builders and looks at the store for the tests of imports."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from cdp.identity.import_records import ImportOptions, ImportReport, import_files
from cdp.intake.mapping import parse_mapping
from cdp.store import read, schema

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)

Importer = Callable[..., ImportReport]


def a_record(**changes: Any) -> dict[str, Any]:
    """A valid record; None takes a field out."""
    record = {
        "source": "crm",
        "source_record_id": "1",
        "occurred_at": "2026-01-01T00:00:00Z",
        "full_name": "Ana Reis",
        "phones": ["11 98765-4321"],
        **changes,
    }
    return {name: value for name, value in record.items() if value is not None}


def write_lines(path: Path, *records: Any) -> Path:
    lines = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in records]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def run_import(store: Engine, *paths: Path, toml: str = "", **options: Any) -> ImportReport:
    """An import in this process; rejects go beside the first file."""
    options = {"worker_count": 0, "mapping": parse_mapping(toml), **options}
    progress = options.pop("progress", lambda phase, done, total: None)
    clock = options.pop("clock", lambda: NOW)
    return import_files(
        store,
        paths,
        ImportOptions(**options),
        spool_directory=paths[0].parent / "tmp",
        rejects_path=paths[0].parent / "rejects.jsonl",
        clock=clock,
        progress=progress,
    )


def stored_records(store: Engine) -> dict[tuple[str, str], dict[str, Any]]:
    """What the store holds by key: raw record, instant, sorted identifier values."""
    records, sources, identifiers = schema.source_records, schema.sources, schema.identifiers
    with read(store) as connection:
        rows = connection.execute(select(records, sources.c.name).join(sources)).all()
        held: dict[int, list[str]] = {row.record_id: [] for row in rows}
        for row in connection.execute(select(identifiers)):
            held[row.record_id].append(f"{row.kind}={row.value}")
    return {
        (row.name, row.source_record_id): {
            "raw": json.loads(row.raw),
            "occurred_at": row.occurred_at,
            "identifiers": sorted(held[row.record_id]),
            "deleted_at": row.deleted_at,
        }
        for row in rows
    }


def dump(store: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with read(store) as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in schema.metadata.sorted_tables
        }
