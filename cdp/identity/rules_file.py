"""The rules of survivorship as their file says now: read when it changes, the last good ones while it is broken."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

import structlog

from cdp.identity.survivorship import Rules, SurvivorshipError, read_rules

logger = structlog.get_logger(__name__)

# What changes with the content of a file: when it was written, how long it is, which file it is.
Signature = tuple[int, int, int]


class RulesFile:
    """One a process and file; threads share it. Looking costs a question to the file system, some microseconds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read: tuple[Signature | None, Rules] | None = None

    def rules(self) -> Rules:
        """Raises SurvivorshipError when the file has not been usable in this process."""
        signature = self._signature()
        read = self._read
        if read is None or read[0] != signature:
            with self._lock:
                read = self._read = signature, self._read_anew()
        return read[1]

    def _read_anew(self) -> Rules:
        try:
            return read_rules(self._path)
        except SurvivorshipError as error:
            if self._read is None:
                raise
            logger.error("survivorship.invalid", detail=str(error), kept="the rules that were read before")
            return self._read[1]

    def _signature(self) -> Signature | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=8)
def rules_file(path: str) -> RulesFile:
    return RulesFile(Path(path))
