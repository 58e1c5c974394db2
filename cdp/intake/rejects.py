"""The file of rows that were kept out: JSON lines, made only when there is one. It holds personal values."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO

import orjson

from cdp.intake.errors import InputFileError
from cdp.intake.rows import BadRow

EXAMPLES_SHOWN = 5


class RejectsFile:
    """Counts rejects by reason and, when it has a path, writes them. Only its owner may read the file."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.reasons: Counter[str] = Counter()
        self.examples: list[str] = []
        self._file: IO[bytes] | None = None

    def add(self, file_name: str, rows: Iterable[BadRow]) -> None:
        for row in rows:
            self.reasons[row.reason] += 1
            if len(self.examples) < EXAMPLES_SHOWN:
                where = f" at {row.pointer}" if row.pointer else ""
                self.examples.append(f"{file_name}, line {row.line}: {row.message}{where} ({row.reason})")
            if self.path is not None:
                self._write(self.path, file_name, row)

    def _write(self, path: Path, file_name: str, row: BadRow) -> None:
        try:
            if self._file is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
                self._file = os.fdopen(os.open(path, flags, 0o600), "wb")
            self._file.write(orjson.dumps({"file": file_name, **row._asdict()}) + b"\n")
        except OSError as error:
            raise InputFileError(f"{path}: rejects cannot be written ({error.strerror}).") from error

    def __enter__(self) -> RejectsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
