"""One row of an input file: as read, or as refused with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

LINE_LIMIT = 1 << 20  # Characters of one line; a longer one is refused without being parsed.
QUOTED_LINES_LIMIT = 1 << 17  # Characters of a record that spans lines; more means a quote never closed.
CHUNK_ROWS = 500  # Rows that travel together from reader to worker.
RAW_SHOWN = 200  # Characters of a refused row that its reject shows.


class Row(NamedTuple):
    """Column name to value; `line` is the line (text files) or the row (Parquet) it starts on, from 1."""

    line: int
    values: dict[str, object]


class BadRow(NamedTuple):
    """A row that is kept out, with a stable reason, the JSON pointer or column concerned, and its text."""

    line: int
    reason: str
    message: str
    pointer: str = ""
    raw: str = ""


class Chunk(Protocol):
    """Rows that were cut from a file but not parsed yet: cheap to send to another process."""

    def rows(self) -> Iterator[Row | BadRow]: ...


class InputFile(Protocol):
    """A file under reading. `columns` is None when rows name their own keys (JSON lines)."""

    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> list[str] | None: ...
    @property
    def nested_columns(self) -> frozenset[str]: ...
    @property
    def size(self) -> int: ...
    @property
    def position(self) -> int: ...
    def chunks(self) -> Iterator[Chunk]: ...


def shown(raw: str | bytes) -> str:
    """The beginning of a refused row, printable on one line and writable as UTF-8."""
    head = raw[: RAW_SHOWN * 4] if isinstance(raw, bytes) else raw[:RAW_SHOWN]
    text = head.decode("utf-8", "replace") if isinstance(head, bytes) else head
    return text.encode("utf-8", "replace").decode("utf-8")[:RAW_SHOWN].rstrip("\r\n")


class RefusedRowError(ValueError):
    """One row cannot become a record; `pointer` is the JSON pointer or the column concerned."""

    def __init__(self, reason: str, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.pointer = pointer
