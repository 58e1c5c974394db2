"""Opens a file as what its name says it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from cdp.intake.delimited import DelimitedFile, Dialect
from cdp.intake.errors import InputFileError
from cdp.intake.json_lines import JsonLinesFile
from cdp.intake.rows import BadRow, InputFile, Row
from cdp.intake.streams import open_regular

DELIMITED_SUFFIXES = (".csv", ".tsv", ".txt")
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson")
PARQUET_SUFFIXES = (".parquet", ".pq")


def open_input(path: Path, dialect: Dialect | None = None) -> InputFile:
    """Raises InputFileError, in one line, for whatever is no readable file of a known kind."""
    suffix = Path(path.stem).suffix if path.suffix.lower() == ".gz" else path.suffix
    suffix = suffix.lower()
    if suffix in DELIMITED_SUFFIXES:
        return DelimitedFile(path, dialect)
    if suffix in JSON_LINES_SUFFIXES:
        return JsonLinesFile(path)
    if suffix in PARQUET_SUFFIXES and path.suffix.lower() != ".gz":
        from cdp.intake.parquet import (
            ParquetInput,
        )  # Loaded here: PyArrow takes a while, and is rarely asked for.

        return ParquetInput(path)
    open_regular(path).close()
    known = ", ".join((*DELIMITED_SUFFIXES, *JSON_LINES_SUFFIXES))
    raise InputFileError(
        f"{path}: unknown kind of file; its name must end in {known} (each also with .gz) or .parquet."
    )


def read_rows(path: Path, dialect: Dialect | None = None) -> Iterator[Row | BadRow]:
    """Every row of a file, parsed here and now. Imports parse in worker processes instead."""
    for chunk in open_input(path, dialect).chunks():
        yield from chunk.rows()


def hash_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
