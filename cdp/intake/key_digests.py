"""Whether any key came twice, told in eight bytes a key, however many there are."""

from __future__ import annotations

import hashlib
from array import array

import numpy as np

DIGEST_BYTES = 8


def digest_key(source: str, source_record_id: str) -> bytes:
    """No two keys of a thousand million share one, by any odds that matter."""
    return hashlib.blake2b(f"{source}\0{source_record_id}".encode(), digest_size=DIGEST_BYTES).digest()


class KeyDigests:
    """The digests of all keys, added in any number of pieces."""

    def __init__(self) -> None:
        self._digests = array("Q")

    def add(self, digests: bytes) -> None:
        """Digests one after another."""
        self._digests.frombytes(digests)

    def any_twice(self) -> bool:
        """True also when two different keys share a digest: who compares keys then loses only time."""
        ordered = np.sort(np.frombuffer(self._digests, dtype=np.uint64))
        return bool((ordered[1:] == ordered[:-1]).any())
