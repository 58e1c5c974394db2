"""Reads JSON lines (.jsonl, .ndjson, also .gz): one object a line, UTF-8."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from cdp.intake.errors import InputFileError
from cdp.intake.rows import CHUNK_ROWS, BadRow, Row, shown
from cdp.intake.streams import ByteStream, refuse_binary, split_lines

UTF8_BOM = b"\xef\xbb\xbf"
DEPTH_LIMIT = 16
KEY_ENDS = re.compile(rb'"\s*:')


class TooDeepError(ValueError):
    """Nested deeper than any record is."""


class DuplicateKeyError(ValueError):
    """An object names one key twice; which value is meant nobody can tell."""


class JsonLinesFile:
    columns: list[str] | None = None
    nested_columns: frozenset[str] = frozenset()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        with ByteStream(path) as stream:
            head = stream.read(1 << 14)
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InputFileError(f"{path}: is UTF-16; JSON lines are UTF-8. Save it as UTF-8.")
        refuse_binary(path, head)
        self.size = path.stat().st_size
        self.position = 0

    def chunks(self) -> Iterator[LineChunk]:
        with ByteStream(self.path) as stream:
            lines: list[tuple[int, bytes | BadRow]] = []
            byte_count = 0
            for line_number, line in split_lines(stream.pieces(), b"\n"):
                lines.append((line_number, line))
                byte_count += 0 if isinstance(line, BadRow) else len(line)
                if len(lines) >= CHUNK_ROWS or byte_count > (1 << 21):
                    self.position = stream.position
                    yield LineChunk(lines)
                    lines = []
                    byte_count = 0
            self.position = self.size
            if lines:
                yield LineChunk(lines)


@dataclass(frozen=True)
class LineChunk:
    lines: list[tuple[int, bytes | BadRow]]

    def rows(self) -> Iterator[Row | BadRow]:
        for line_number, line in self.lines:
            if isinstance(line, BadRow):
                yield line
                continue
            line = line.removeprefix(UTF8_BOM) if line_number == 1 else line
            if line and not line.isspace():
                yield parse_line(line_number, line)


def parse_line(line_number: int, line: bytes) -> Row | BadRow:
    """One line as a row. NaN, deep nesting, lone surrogates and duplicate keys make it a BadRow."""
    try:
        values = orjson.loads(line)
        if count_keys(values) != count_key_ends(line):
            refuse_duplicate_keys(line)
    except orjson.JSONDecodeError as error:
        return unreadable_row(line_number, line, error)
    except TooDeepError:
        return BadRow(line_number, "too_deep", f"nested deeper than {DEPTH_LIMIT}", raw=shown(line))
    except DuplicateKeyError as error:
        return BadRow(line_number, "duplicate_key", str(error), raw=shown(line))
    if not isinstance(values, dict):
        return BadRow(line_number, "not_an_object", "the line is JSON but no object", raw=shown(line))
    return Row(line_number, values)


def unreadable_row(line_number: int, line: bytes, error: orjson.JSONDecodeError) -> BadRow:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return BadRow(line_number, "encoding", "the line is not UTF-8", raw=shown(line))
    return BadRow(line_number, "not_json", f"not JSON: {error.msg}, character {error.pos}", raw=shown(line))


def count_keys(value: object, depth: int = 0) -> int:
    if depth > DEPTH_LIMIT:
        raise TooDeepError
    inner: Iterable[object] = ()
    count = 0
    if type(value) is dict:
        count = len(value)
        inner = value.values()
    elif type(value) is list:
        inner = value
    for item in inner:
        # Texts are most of what comes, and hold nothing.
        if type(item) is not str and (type(item) is dict or type(item) is list):
            count += count_keys(item, depth + 1)
    return count


def count_key_ends(line: bytes) -> int:
    """At least as many as the line has keys, duplicates included; more when texts look like keys."""
    if b'" ' in line or b'"\t' in line or b'"\r' in line:
        return len(KEY_ENDS.findall(line))
    # Without a gap after any quote every key ends in these two.
    return line.count(b'":')


def refuse_duplicate_keys(line: bytes) -> None:
    """The sure but slow look, taken only where counting '":' cannot rule duplicates out."""
    json.loads(line, object_pairs_hook=_object_without_duplicates)


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DuplicateKeyError(f"the key {twice[:60]!r} stands twice")
    return values
