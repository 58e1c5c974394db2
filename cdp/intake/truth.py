"""A truth file: which records are of one person, by source, source_record_id, entity_id, perhaps flags."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from sys import intern

from cdp.intake.errors import InputFileError
from cdp.intake.files import open_input
from cdp.intake.rows import BadRow, Row

COLUMNS = ("source", "source_record_id", "entity_id")

# Name of the source and id of the record there.
RecordKey = tuple[str, str]


@dataclass(frozen=True)
class Truth:
    """Record key to its entity, and to the noise named for it; records without noise have no flags."""

    entities: dict[RecordKey, str]
    flags: dict[RecordKey, tuple[str, ...]]


def read_truth(path: Path) -> Truth:
    """The truth of a file of any known kind; `flags` (a|b|c) may be missing.

    Raises InputFileError for an unreadable file, a missing column, a row without a key or an entity, a record
    that stands twice, and a file without rows.
    """
    file = open_input(path)
    missing = [] if file.columns is None else [name for name in COLUMNS if name not in file.columns]
    if missing:
        raise InputFileError(f"{path}: has no column {' and no column '.join(missing)}.")
    entities: dict[RecordKey, str] = {}
    flags: dict[RecordKey, tuple[str, ...]] = {}
    for chunk in file.chunks():
        for row in chunk.rows():
            key, entity_id, row_flags = read_row(path, row)
            if key in entities:
                raise InputFileError(f"{path}: line {row.line}: record {':'.join(key)} stands twice.")
            entities[key] = entity_id
            if row_flags:
                flags[key] = row_flags
    if not entities:
        raise InputFileError(f"{path}: holds no rows.")
    return Truth(entities, flags)


def read_row(path: Path, row: Row | BadRow) -> tuple[RecordKey, str, tuple[str, ...]]:
    """Key, entity and flags; repeated texts are kept once, a million rows repeat few."""
    if isinstance(row, BadRow):
        raise InputFileError(f"{path}: line {row.line}: {row.message}.")
    source, source_record_id, entity_id = (str(row.values.get(name) or "").strip() for name in COLUMNS)
    if not (source and source_record_id and entity_id):
        raise InputFileError(f"{path}: line {row.line}: needs source, source_record_id and entity_id.")
    named = str(row.values.get("flags") or "").split("|")
    return (
        (intern(source), source_record_id),
        intern(entity_id),
        tuple(intern(flag.strip()) for flag in named if flag.strip()),
    )
