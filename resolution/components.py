"""Connected components of a few records (union-find with path halving)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


class Components:
    """Records that pairs connect; a record without a pair is in none."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        self._parent: dict[int, int] = {}
        for a, b in pairs:
            root_a, root_b = self._find(a), self._find(b)
            self._parent[max(root_a, root_b)] = min(root_a, root_b)
        self._members: dict[int, list[int]] = defaultdict(list)
        for record_id in sorted(self._parent):
            self._members[self._find(record_id)].append(record_id)

    def members(self) -> Iterable[list[int]]:
        """Each component in the order of its records."""
        return self._members.values()

    def together(self, a: int, b: int) -> bool:
        return a in self._parent and b in self._parent and self._find(a) == self._find(b)

    def size(self, record_id: int) -> int:
        return len(self._members[self._find(record_id)]) if record_id in self._parent else 1

    def _find(self, record_id: int) -> int:
        parent = self._parent
        parent.setdefault(record_id, record_id)
        while parent[record_id] != record_id:
            parent[record_id] = parent[parent[record_id]]
            record_id = parent[record_id]
        return record_id
