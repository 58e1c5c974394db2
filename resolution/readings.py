"""What follows from what records say, alone and in pairs, under one model: worked out when it is first asked for.

Nothing here depends on a store, so that it may be worked out before the change that needs it.
"""

from __future__ import annotations

from typing import Any

from resolution.keys import Linkage
from resolution.online import Evidence, OnlineModel
from resolution.sharing import Value


class Reading:
    """Of one record, no value parted. evidence: with others that stand behind it in a pair."""

    __slots__ = ("_keys", "_model", "_prepared", "evidence", "held", "linkage")

    def __init__(self, linkage: Linkage, model: OnlineModel) -> None:
        self._model = model
        self.linkage = linkage
        self.held: list[Value] = model.held_values(linkage)
        self.evidence: dict[Reading, Evidence | None] = {}
        self._keys: dict[int, int] | None = None
        self._prepared: Any = None

    @property
    def keys(self) -> dict[int, int]:
        if self._keys is None:
            self._keys = self._model.keys(self.linkage)
        return self._keys

    @property
    def prepared(self) -> Any:
        if self._prepared is None:
            self._prepared = self._model.prepare(self.linkage)
        return self._prepared

    def evidence_with(self, other: Reading) -> Evidence | None:
        """None below the floor. Raises FailedConditionError."""
        try:
            return self.evidence[other]
        except KeyError:
            found = self.evidence[other] = self._model.evidence(self.prepared, other.prepared)
            return found


class Readings:
    """By the very object that says it: who asks again hands over the same one."""

    def __init__(self, model: OnlineModel) -> None:
        self.model = model
        self._readings: dict[int, Reading] = {}

    def of(self, linkage: Linkage) -> Reading:
        found = self._readings.get(id(linkage))
        if found is None:
            # A reading keeps its linkage, so that no other gets its id.
            found = self._readings[id(linkage)] = Reading(linkage, self.model)
        return found
