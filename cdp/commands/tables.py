"""Write rows to a table file as they come: CSV or Parquet, by the suffix of its name.

The file is written beside its place and moved there when it is whole, so a file that stands is complete.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cdp.errors import CdpError

WriteRows = Callable[[Sequence[Sequence[Any]]], None]


class OutputFileError(CdpError):
    """The file to be written has an unknown kind or a place that cannot be written to."""

    reason = "output_file"


@contextmanager
def open_table(path: Path, columns: Sequence[tuple[str, pa.DataType]]) -> Iterator[WriteRows]:
    """Gives a function that takes lists of rows in the order of the columns; what stood there is replaced."""
    writers = {".csv": csv_rows, ".parquet": parquet_rows}
    if path.suffix.lower() not in writers:
        raise OutputFileError(f"{path}: the name must end in {' or '.join(writers)}.")
    part = path.with_name(f".{path.name}.part")
    try:
        with writers[path.suffix.lower()](part, columns) as write_rows:
            yield write_rows
        part.replace(path)
    except OSError as error:
        raise OutputFileError(f"{path}: cannot be written ({error.strerror or error}).") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def csv_rows(path: Path, columns: Sequence[tuple[str, pa.DataType]]) -> Iterator[WriteRows]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(name for name, _ in columns)
        yield writer.writerows


@contextmanager
def parquet_rows(path: Path, columns: Sequence[tuple[str, pa.DataType]]) -> Iterator[WriteRows]:
    """One row group for each list of rows."""
    schema = pa.schema(columns)

    def write(rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            arrays = [
                pa.array(values, kind)
                for values, kind in zip(zip(*rows, strict=True), schema.types, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

    with pq.ParquetWriter(path, schema) as writer:
        yield write
