"""What the evidence says between clusters of records, in exact numbers: the vocabulary of the partition.

Weights are rounded to 2**-20 bits and summed as integers, so that neither the order of the records nor that of the
edges can change a sum or a tie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_UNITS_PER_BIT = 1 << 20

# (key_l, key_r, match weight in bits); either order of the keys, one row a pair.
Edge = tuple[int, int, float]


@dataclass(frozen=True)
class Thresholds:
    """All in bits of match weight, but for the last.

    link: an edge at or above it puts two records in one component. join: the mean weight at which two clusters
    become one. review: from here up to `join` a steward is asked. floor and ceiling: no pair counts less or more,
    so that one odd pair does not decide for many; a pair that was never scored counts the floor.
    size_limit: records in the largest cluster that the machine makes alone.
    """

    link: float
    join: float
    review: float
    floor: float
    ceiling: float
    size_limit: int


@dataclass(frozen=True)
class Constraints:
    """What weights may not overrule.

    must and cannot: pairs of record keys. exclusive: per record its exclusive identifiers as (type, value);
    a cluster holds at most one value of a type, must-links apart.
    """

    must: frozenset[tuple[int, int]] = frozenset()
    cannot: frozenset[tuple[int, int]] = frozenset()
    exclusive: Mapping[int, Sequence[tuple[str, str]]] = field(default_factory=dict)


@dataclass(slots=True)
class Between:
    """What is known between two clusters: the summed weight above the floor, and the heaviest edge."""

    units: int
    best_weight: float
    best_l: int
    best_r: int

    def add(self, other: Between) -> None:
        self.units += other.units
        if (-other.best_weight, other.best_l, other.best_r) < (-self.best_weight, self.best_l, self.best_r):
            self.best_weight, self.best_l, self.best_r = other.best_weight, other.best_l, other.best_r


def exclusive_conflict(held_l: frozenset[tuple[str, str]], held_r: frozenset[tuple[str, str]]) -> bool:
    """Whether two clusters hold different values of one exclusive type.

    Where one side's values of the type include the other's, a steward has put them together before.
    """
    if not held_l or not held_r:
        return False
    for kind in {kind for kind, _ in held_l} & {kind for kind, _ in held_r}:
        values_l = {value for k, value in held_l if k == kind}
        values_r = {value for k, value in held_r if k == kind}
        if not (values_l <= values_r or values_r <= values_l):
            return True
    return False


def units_of(weight: float, thresholds: Thresholds) -> int:
    """The weight above the floor, ceiling applied, as an exact integer."""
    bounded = min(max(weight, thresholds.floor), thresholds.ceiling)
    return round((bounded - thresholds.floor) * _UNITS_PER_BIT)


def mean_weight(units: int, pairs: int, floor: float) -> float:
    """Bits a pair on average, when `units` are what its scored pairs sum up to."""
    return floor + units / pairs / _UNITS_PER_BIT


def exclusive_values(
    members: Iterable[int], exclusive: Mapping[int, Sequence[tuple[str, str]]]
) -> frozenset[tuple[str, str]]:
    return frozenset(pair for key in members for pair in exclusive.get(key, ()))
