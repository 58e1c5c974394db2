"""Prepared records between reading and loading: a nameless file on disk that ends with the process.

It is a sequence of frames, each the records of one chunk. Keys lie in a file of their own, so that they can be
compared with the store without unpacking the records. Frames are not compressed: that would save two thirds of
the disk, for an hour at most, and take longer than writing it.
"""

from __future__ import annotations

import marshal
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from cdp.intake.errors import InputFileError

LENGTH_BYTES = 8
MARSHAL_VERSION = 2  # Later ones look for shared values, of which there are none.


def pack(items: list[Any]) -> bytes:
    """Plain values (lists, tuples, texts, numbers, None) as one frame.

    Marshal, because a frame lives as long as the program that wrote it; JSON and pickle take twice the time.
    """
    return marshal.dumps(items, MARSHAL_VERSION)


def unpack(frame: bytes) -> list[Any]:
    items: list[Any] = marshal.loads(frame)
    return items


class Spool:
    """Frames in the order they were added; may be read again and again once writing is over."""

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            # Unlinked at once: a process that is killed leaves no personal data behind.
            self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115  Closed by __exit__.
        except OSError as error:
            raise InputFileError(f"{directory}: no room for temporary files ({error.strerror}).") from error

    def add(self, frame: bytes) -> None:
        try:
            self._file.write(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)
        except OSError as error:
            message = f"the temporary file cannot be written ({error.strerror}); set CDP_HOME elsewhere."
            raise InputFileError(message) from error

    def items(self) -> Iterator[Any]:
        """Every item of every frame, in order."""
        self._file.flush()
        position = 0
        while head := os.pread(self._file.fileno(), LENGTH_BYTES, position):
            size = int.from_bytes(head, "big")
            yield from unpack(os.pread(self._file.fileno(), size, position + LENGTH_BYTES))
            position += LENGTH_BYTES + size

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
