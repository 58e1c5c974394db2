"""Whether any key came twice, told in eight bytes a key, however many there are."""

from __future__ import annotations

import hashlib
from array import array

DIGEST_BYTES = 8
PART_COUNT = 256


def digest_key(source: str, source_record_id: str) -> bytes:
    """No two keys of a thousand million share one, by any odds that matter."""
    return hashlib.blake2b(f"{source}\0{source_record_id}".encode(), digest_size=DIGEST_BYTES).digest()


class KeyDigests:
    """The digests of all keys, added in any number of pieces; in parts, so that one at a time can be a set."""

    def __init__(self) -> None:
        self._parts = [array("Q") for _ in range(PART_COUNT)]

    def add(self, digests: bytes) -> None:
        """Digests one after another."""
        for digest in array("Q", digests):
            self._parts[digest % PART_COUNT].append(digest)

    def any_twice(self) -> bool:
        """True also when two different keys share a digest: who compares keys then loses only time."""
        return any(len(set(part)) < len(part) for part in self._parts)
