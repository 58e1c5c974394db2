"""Counters that all processes of the server share: a storage for `limits` in a file that they map into memory.

Grain: one slot a counter, found by the hash of its key; the file never grows. Nothing in it outlives its window, and
it holds hashes only, so it may be deleted whenever no process serves.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import structlog
from limits.storage import Storage

COUNTERS_FILE = "rate-limits"
SLOTS = 16_384
# A counter lives in one of so many slots, beginning where its hash says.
PROBES = 8
# Hash of the key, when the window ends, how many seconds it has, how many it counted.
_SLOT = struct.Struct("<16sdII")

logger = structlog.get_logger(__name__)


class SharedCounters(Storage):
    """Counts in windows that begin with their first hit.

    When all slots that a counter may live in are taken, the one that counted least gives way: callers who come once
    from many addresses push out each other, and not who is near a limit.
    """

    STORAGE_SCHEME = None

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        super().__init__()
        self._path = path
        self._clock = clock
        self._between_threads = threading.Lock()
        self._opened: tuple[int, int | None, mmap.mmap] | None = None

    @property
    def base_exceptions(self) -> type[Exception]:
        return OSError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now, digest = self._clock(), _digest(key)
        descriptor, slots = self._open()
        with self._between_threads:
            # A process that is killed lets go of it.
            if descriptor is not None:
                fcntl.lockf(descriptor, fcntl.LOCK_EX)
            try:
                offset, expires_at, count = _find(slots, digest, now)
                expires_at = expires_at if count else now + expiry
                count = min(count + amount, 2**32 - 1)
                _SLOT.pack_into(slots, offset, digest, expires_at, int(expiry), count)
            finally:
                if descriptor is not None:
                    fcntl.lockf(descriptor, fcntl.LOCK_UN)
        return count

    def get(self, key: str) -> int:
        """Not locked, as get_expiry: what another process writes meanwhile is of the next request."""
        return _find(self._open()[1], _digest(key), self._clock())[2]

    def get_expiry(self, key: str) -> float:
        now = self._clock()
        _, expires_at, count = _find(self._open()[1], _digest(key), now)
        return expires_at if count else now

    def check(self) -> bool:
        return self._open()[0] is not None

    def reset(self) -> None:
        slots = self._open()[1]
        slots[:] = bytes(len(slots))

    def clear(self, key: str) -> None:
        digest, slots = _digest(key), self._open()[1]
        offset, _, count = _find(slots, digest, self._clock())
        if count:
            _SLOT.pack_into(slots, offset, digest, 0.0, 0, 0)

    def _open(self) -> tuple[int | None, mmap.mmap]:
        """The file and its slots. A process opens them itself: one lock does not part it from its parent."""
        if self._opened is None or self._opened[0] != os.getpid():
            with self._between_threads:
                if self._opened is None or self._opened[0] != os.getpid():
                    self._opened = (os.getpid(), *_open(self._path))
        return self._opened[1], self._opened[2]


def _open(path: Path) -> tuple[int | None, mmap.mmap]:
    """The file and its slots; where there can be none, slots of this process alone, and the log says so."""
    size = SLOTS * _SLOT.size
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # One process makes it: who came later would write over what the others counted.
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_size < size:
                # Written and not only made longer: a write into memory that finds the disk full ends the process.
                os.pwrite(descriptor, bytes(size), 0)
            fcntl.lockf(descriptor, fcntl.LOCK_UN)
            return descriptor, mmap.mmap(descriptor, size)
        except OSError:
            os.close(descriptor)
            raise
    except OSError as error:
        logger.warning("rate_limits.per_process", detail=f"{path}: {error.strerror}")
        return None, mmap.mmap(-1, size)


@lru_cache(maxsize=1024)
def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=16).digest()


def _find(slots: mmap.mmap, digest: bytes, now: float) -> tuple[int, float, int]:
    """Offset, end of the window and count of a counter; a count of 0, and the slot to begin it in, when none runs."""
    begin = int.from_bytes(digest[:8], "little") % SLOTS
    spare, spare_count = 0, 2**32
    for place in range(begin, begin + PROBES):
        offset = place % SLOTS * _SLOT.size
        held, expires_at, seconds, count = _SLOT.unpack_from(slots, offset)
        # Further away than its window is long: the clock was put back.
        if not now < expires_at <= now + seconds:
            count = 0
        if held == digest:
            return offset, expires_at, count
        if count < spare_count:
            spare, spare_count = offset, count
    return spare, 0.0, 0
