"""Bytes of a file, plain or gzip, in pieces: the only place that opens text files."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import IO, AnyStr, cast

from cdp.intake.errors import InputFileError
from cdp.intake.rows import LINE_LIMIT, BadRow, shown

PIECE_BYTES = 1 << 18

# What a file is that is neither CSV nor JSON lines, by its first bytes, and what to do about it.
MAGIC = (
    (b"PK\x03\x04", "an Excel workbook or a zip archive; save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV"),
    (b"\x1f\x8b", "gzip; name it with the suffix .gz"),
    (b"PAR1", "Parquet; name it with the suffix .parquet"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"ARROW1", "an Arrow file; write it as Parquet"),
    (b"BZh", "bzip2; compress it with gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd; compress it with gzip"),
    (b"\xfd7zXZ", "xz; compress it with gzip"),
)


class ByteStream:
    """A regular file read forward in pieces; `position` counts bytes on disk, for the progress bar."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open_regular(path)
        self._unpacked: IO[bytes] = self._file
        if path.suffix.lower() == ".gz":
            self._unpacked = cast("IO[bytes]", gzip.GzipFile(fileobj=self._file, mode="rb"))

    @property
    def position(self) -> int:
        return 0 if self._file.closed else self._file.tell()

    def read(self, byte_count: int = PIECE_BYTES) -> bytes:
        """The next piece, empty at the end. Raises InputFileError on a broken or truncated archive."""
        try:
            return self._unpacked.read(byte_count)
        except EOFError as error:
            raise InputFileError(f"{self.path}: the gzip file is cut short; copy it again.") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise InputFileError(f"{self.path}: not a readable gzip file ({error}).") from error
        except OSError as error:
            raise InputFileError(f"{self.path}: cannot be read ({error.strerror}).") from error

    def pieces(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece

    def __enter__(self) -> ByteStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def open_regular(path: Path) -> BufferedReader:
    """A regular, non-empty file; one clear line for everything else. Never waits on a pipe or device."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise InputFileError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise InputFileError(f"{path}: cannot be opened ({error.strerror}).") from error
    except ValueError as error:  # A NUL in the name.
        raise InputFileError(f"{path!r}: not a file name.") from error
    status = os.fstat(descriptor)
    complaint = None
    if stat.S_ISDIR(status.st_mode):
        complaint = "is a directory; name the files in it."
    elif not stat.S_ISREG(status.st_mode):
        complaint = "is not a regular file."
    elif status.st_size == 0:
        complaint = "is empty."
    if complaint:
        os.close(descriptor)
        raise InputFileError(f"{path}: {complaint}")
    return os.fdopen(descriptor, "rb")


def refuse_binary(path: Path, head: bytes) -> None:
    """Raise InputFileError when the beginning of a file is no text in any encoding."""
    if not head:
        raise InputFileError(f"{path}: is empty.")
    for magic, meaning in MAGIC:
        if head.startswith(magic):
            raise InputFileError(f"{path}: is {meaning}.")
    control_count = sum(head.count(bytes([code])) for code in range(32) if code not in b"\t\n\r\f\x1b")
    if control_count > 8 and control_count * 20 > len(head):
        raise InputFileError(f"{path}: is binary, not text.")


def split_lines(pieces: Iterator[AnyStr], newline: AnyStr) -> Iterator[tuple[int, AnyStr | BadRow]]:
    """Number the lines of a text from 1, without their newline. A line over LINE_LIMIT is cut to a BadRow.

    Memory is bounded by one piece and LINE_LIMIT, whatever the file holds.
    """
    line_number = 0
    empty = newline[:0]
    rest = empty
    too_long: AnyStr | None = None
    for piece in pieces:
        parts: list[AnyStr] = piece.split(newline)
        parts[0] = rest + parts[0]
        rest = parts.pop()
        for line in parts:
            line_number += 1
            if too_long is None and len(line) > LINE_LIMIT:
                too_long = line
            yield line_number, line if too_long is None else too_long_row(line_number, too_long)
            too_long = None
        if len(rest) > LINE_LIMIT:
            too_long = rest[:1000] if too_long is None else too_long
            rest = empty
    if rest or too_long is not None:
        line_number += 1
        yield line_number, rest if too_long is None else too_long_row(line_number, too_long)


def too_long_row(line_number: int, head: str | bytes) -> BadRow:
    message = f"the line is longer than {LINE_LIMIT:,} characters"
    return BadRow(line_number, "too_large", message, raw=shown(head))
