"""Reads delimited text (.csv, .tsv, .txt, also .gz) as spreadsheets and databases write it.

A record ends where its quotes end. When they do not end, or when a record over several lines has the wrong
number of cells, only its first line is refused and reading goes on at the next: a stray quote costs one row.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cdp.intake.encodings import KNOWN_ENCODINGS, decode_pieces, detect_encoding
from cdp.intake.errors import InputFileError
from cdp.intake.rows import CHUNK_ROWS, QUOTED_LINES_LIMIT, BadRow, Row, shown
from cdp.intake.spreadsheets import clean_cell
from cdp.intake.streams import ByteStream, split_lines

DELIMITERS = ";,\t|"
COLUMN_LIMIT = 2000
SAMPLE_CHARACTERS = 1 << 16


@dataclass(frozen=True)
class Dialect:
    """How a file is written; None is found out by looking. `columns` replaces a header line."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str = '"'
    skip_lines: int = 0
    columns: tuple[str, ...] | None = None


class DelimitedFile:
    nested_columns: frozenset[str] = frozenset()

    def __init__(self, path: Path, dialect: Dialect | None = None) -> None:
        dialect = dialect or Dialect()
        self.path = path
        self.name = path.name
        self.position = 0
        self._skip_lines = dialect.skip_lines
        self.encoding = KNOWN_ENCODINGS[dialect.encoding] if dialect.encoding else detect_encoding(path)
        self._quote = dialect.quote
        sample = self._sample()
        self.size = path.stat().st_size
        self._newline = "\r" if "\n" not in sample and "\r" in sample else "\n"
        sample = self._read_separator_line(sample)
        self.delimiter = dialect.delimiter or self._separator or sniff_delimiter(sample, self._quote)
        self._has_header = dialect.columns is None
        self.columns: list[str] = self._header() if dialect.columns is None else list(dialect.columns)
        self._check_columns()

    def chunks(self) -> Iterator[CellChunk]:
        with ByteStream(self.path) as stream:
            rows: list[CellRow | BadRow] = []
            any_rows = False
            for row in self._rows_after_header(stream):
                any_rows = True
                rows.append(row)
                if len(rows) == CHUNK_ROWS:
                    self.position = stream.position
                    yield CellChunk(self.columns, rows)
                    rows = []
            if not any_rows and self._has_header:
                raise InputFileError(f"{self.path}: has a header and no rows.")
            self.position = self.size
            if rows:
                yield CellChunk(self.columns, rows)

    def _sample(self) -> str:
        with ByteStream(self.path) as stream:
            text = ""
            for piece in decode_pieces(self.path, stream, self.encoding):
                text += piece
                if len(text) >= SAMPLE_CHARACTERS:
                    break
        if not text.strip("\ufeff\r\n\t ;,"):
            raise InputFileError(f"{self.path}: holds no header and no rows.")
        return text.removeprefix("\ufeff")[:SAMPLE_CHARACTERS]

    def _read_separator_line(self, sample: str) -> str:
        """Excel's first line `sep=;` names the delimiter and is no header."""
        lines = sample.split(self._newline)[self._skip_lines :]
        first = lines[0].strip("\r\"' ") if lines else ""
        self._separator: str | None = None
        if first.lower().startswith("sep=") and len(first) == 5:
            self._separator = first[4]
            self._skip_lines += 1
            lines = lines[1:]
        return "\n".join(lines)

    def _header(self) -> list[str]:
        with ByteStream(self.path) as stream:
            for row in self._cell_rows(stream, None):
                if isinstance(row, BadRow):
                    raise InputFileError(f"{self.path}: the header line is unreadable: {row.message}.")
                return [clean_cell(cell).strip() for cell in row.cells]
        raise InputFileError(f"{self.path}: has no header line.")

    def _check_columns(self) -> None:
        names = [name for name in self.columns if name]
        twice = (
            sorted({name for name in names if names.count(name) > 1}) if len(names) <= COLUMN_LIMIT else []
        )
        if not names:
            raise InputFileError(f"{self.path}: the header line names no column.")
        if len(names) > COLUMN_LIMIT:
            raise InputFileError(f"{self.path}: more than {COLUMN_LIMIT:,} columns; is the delimiter right?")
        if twice:
            raise InputFileError(f"{self.path}: two columns are named {', '.join(twice)}; rename one.")
        if any(0xD800 <= ord(character) <= 0xDFFF for name in names for character in name):
            raise InputFileError(f"{self.path}: the header line is not {self.encoding}; give the encoding.")

    def _rows_after_header(self, stream: ByteStream) -> Iterator[CellRow | BadRow]:
        rows = self._cell_rows(stream, len(self.columns))
        if self._has_header:
            next(rows, None)
        yield from rows

    def _cell_rows(self, stream: ByteStream, width: int | None) -> Iterator[CellRow | BadRow]:
        pieces = decode_pieces(self.path, stream, self.encoding)
        without_mark = (
            piece.removeprefix("\ufeff") if number == 0 else piece for number, piece in enumerate(pieces)
        )
        lines = split_lines(without_mark, self._newline)
        for _ in range(self._skip_lines):
            next(lines, None)
        yield from assemble_records(lines, self.delimiter, self._quote, width)


@dataclass(frozen=True)
class CellRow:
    line: int
    cells: list[str]


@dataclass(frozen=True)
class CellChunk:
    columns: list[str]
    cell_rows: list[CellRow | BadRow]

    def rows(self) -> Iterator[Row | BadRow]:
        nameless = [index for index, name in enumerate(self.columns) if not name]
        for row in self.cell_rows:
            if isinstance(row, BadRow):
                yield row
                continue
            cells = [clean_cell(cell) for cell in row.cells]
            if any(cells[index].strip() for index in nameless):
                message = "a value stands in a column without a name"
                yield BadRow(row.line, "nameless_column", message, raw=shown(";".join(row.cells)))
                continue
            values: dict[str, object] = dict(zip(self.columns, cells, strict=True))
            values.pop("", None)
            yield Row(row.line, values)


class _UnclosedQuoteError(Exception):
    """A quoted cell ran over more text than a record may hold."""


class _Lines:
    """Lines for csv.reader that remember what they gave out, and can take it back."""

    def __init__(self, lines: Iterator[tuple[int, str | BadRow]]) -> None:
        self._lines = lines
        self._returned: deque[tuple[int, str | BadRow]] = deque()
        self.given: list[tuple[int, str]] = []
        self._given_characters = 0
        self.bad_row: BadRow | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line_number, line = self._returned.popleft() if self._returned else next(self._lines)
        if isinstance(line, BadRow) or (self.given and self._given_characters > QUOTED_LINES_LIMIT):
            if self.given:
                self._returned.appendleft((line_number, line))
            elif isinstance(line, BadRow):
                self.bad_row = line
            raise _UnclosedQuoteError
        self.given.append((line_number, line))
        self._given_characters += len(line)
        return line + "\n"

    def begin_record(self) -> None:
        self.given = []
        self._given_characters = 0
        self.bad_row = None

    def keep_first_line(self) -> tuple[int, str]:
        """Give every line of the failed record back but its first."""
        first, *others = self.given
        self._returned.extendleft(reversed(others))
        return first


def assemble_records(
    numbered_lines: Iterator[tuple[int, str | BadRow]], delimiter: str, quote: str, width: int | None
) -> Iterator[CellRow | BadRow]:
    """Cells of each record that is `width` wide (None takes the first one's), a BadRow for every other."""
    lines = _Lines(numbered_lines)
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, strict=True)
    while True:
        lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _UnclosedQuoteError) as error:
            if lines.bad_row is not None:
                yield lines.bad_row
            elif lines.given:
                yield _malformed(lines.keep_first_line(), error)
            continue
        if not any(cells):
            continue
        width = width or len(cells)
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        if len(cells) != width:
            line_number, text = lines.keep_first_line()
            message = f"{len(cells)} cells where the header has {width}"
            yield BadRow(line_number, "ragged", message, raw=shown(text))
            continue
        if any("\0" in line for _, line in lines.given):
            line_number, text = lines.given[0]
            yield BadRow(line_number, "nul", "the row holds a NUL character", raw=shown(text))
            continue
        yield CellRow(lines.given[0][0], cells)


def _malformed(first: tuple[int, str], error: Exception) -> BadRow:
    line_number, text = first
    if "field limit" in str(error):
        return BadRow(line_number, "too_large", "a cell is too large", raw=shown(text))
    return BadRow(line_number, "malformed", "quotes or line ends do not fit", raw=shown(text))


def sniff_delimiter(sample: str, quote: str) -> str:
    """The delimiter under which the most rows are as wide as the header, and the header widest."""
    lines = sample.split("\n")[:200]
    if len(sample) >= SAMPLE_CHARACTERS - 1 and len(lines) > 2:
        lines.pop()
    return max(DELIMITERS, key=lambda delimiter: _fitness(lines, delimiter, quote))


def _fitness(lines: list[str], delimiter: str, quote: str) -> tuple[float, int]:
    numbered: Iterator[tuple[int, str | BadRow]] = enumerate(lines, start=1)
    rows = assemble_records(numbered, delimiter, quote, None)
    first = next(rows, None)
    if not isinstance(first, CellRow) or len(first.cells) == 1:
        return (0.0, 0)
    outcomes = [isinstance(row, CellRow) for row in chain([first], rows)]
    return (round(sum(outcomes) / len(outcomes), 1), len(first.cells))
