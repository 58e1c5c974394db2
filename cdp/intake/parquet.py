"""Reads Parquet in small batches; rows are numbered from 1."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from cdp.intake.delimited import COLUMN_LIMIT
from cdp.intake.errors import InputFileError
from cdp.intake.rows import CHUNK_ROWS, LINE_LIMIT, BadRow, Row
from cdp.intake.streams import open_regular


class ParquetInput:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.position = 0
        with self._opened() as parquet:
            schema = parquet.schema_arrow
        self.size = path.stat().st_size
        self.columns: list[str] | None = list(schema.names)
        self.nested_columns = frozenset(field.name for field in schema if pa.types.is_nested(field.type))
        if len(set(schema.names)) != len(schema.names):
            raise InputFileError(f"{path}: two columns have one name; rename one.")
        if not 0 < len(schema.names) <= COLUMN_LIMIT:
            raise InputFileError(f"{path}: has {len(schema.names):,} columns.")

    def chunks(self) -> Iterator[BatchChunk]:
        row_number = 1
        with self._opened() as parquet:
            row_count = parquet.metadata.num_rows
            batches = parquet.iter_batches(batch_size=CHUNK_ROWS, use_threads=False)
            while (batch := self._next_batch(batches)) is not None:
                yield BatchChunk(row_number, _to_ipc(batch))
                row_number += batch.num_rows
                self.position = self.size * min(row_number, row_count) // max(row_count, 1)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with open_regular(self.path) as source:
            try:
                # A small buffer reads column chunks piece by piece instead of whole.
                parquet = pq.ParquetFile(source, pre_buffer=False, buffer_size=1 << 20)
            except (pa.ArrowException, OSError) as error:
                raise self._broken(error) from error
            with parquet:
                yield parquet

    def _next_batch(self, batches: Iterator[Any]) -> Any:
        try:
            return next(batches, None)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> InputFileError:
        reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        return InputFileError(f"{self.path}: not a readable Parquet file ({reason}).")


@dataclass(frozen=True)
class BatchChunk:
    first_row: int
    ipc: bytes

    def rows(self) -> Iterator[Row | BadRow]:
        with pa.ipc.open_stream(self.ipc) as reader:
            batch = reader.read_next_batch()
        try:
            value_dicts = batch.to_pylist()
        except (UnicodeDecodeError, ValueError, OverflowError, pa.ArrowException):
            yield from self._rows_one_by_one(batch)
            return
        for number, values in enumerate(value_dicts, start=self.first_row):
            yield _plain_row(number, values)

    def _rows_one_by_one(self, batch: Any) -> Iterator[Row | BadRow]:
        """The slow way, when some value of the batch cannot become a Python value."""
        for index in range(batch.num_rows):
            number = self.first_row + index
            try:
                values = batch.slice(index, 1).to_pylist()[0]
            except (UnicodeDecodeError, ValueError, OverflowError, pa.ArrowException) as error:
                reason = "encoding" if isinstance(error, UnicodeDecodeError) else "wrong_type"
                yield BadRow(number, reason, "a value of the row cannot be read")
                continue
            yield _plain_row(number, values)


def _to_ipc(batch: Any) -> bytes:
    """The batch as bytes; instants are cut to microseconds, the finest that Python keeps."""
    columns = []
    for column in batch.columns:
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        columns.append(column)
    batch = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _plain_row(number: int, values: dict[str, Any]) -> Row | BadRow:
    try:
        plain = {name: plain_value(value) for name, value in values.items()}
    except (UnicodeDecodeError, ValueError) as error:
        return BadRow(number, "wrong_type", str(error)[:160])
    size = sum(len(value) for value in plain.values() if isinstance(value, str))
    if size > LINE_LIMIT:
        return BadRow(number, "too_large", f"the row holds more than {LINE_LIMIT:,} characters")
    return Row(number, plain)


def plain_value(value: Any) -> object:
    """A Parquet value as a JSON one. Data frames write NaN for nothing, and 5.0 for a 5 beside it."""
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if math.isinf(value):
            raise ValueError("an infinite number has no place in a record")
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, list):
        # A map arrives as pairs.
        if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
            return {str(key): plain_value(item) for key, item in value}
        return [plain_value(item) for item in value]
    if isinstance(value, dict):
        plain = {name: plain_value(item) for name, item in value.items()}
        return {name: item for name, item in plain.items() if item is not None} or None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, bytes):
        return _plain_bytes(value)
    if isinstance(value, UUID | timedelta):
        return str(value)
    raise ValueError(f"a value of type {type(value).__name__} has no place in a record")


def _plain_bytes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(value).decode("ascii")
