"""What the evidence says between clusters of records, in exact numbers: the vocabulary of the partition.

Weights are rounded to 2**-20 bits and summed as integers, so that neither the order of the records nor that of the
edges can change a sum or a tie.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

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


# What one record says of each exclusive type: (type, its values).
Held = frozenset[tuple[str, frozenset[str]]]

NOTHING: Held = frozenset()


@dataclass(frozen=True)
class Constraints:
    """What weights may not overrule.

    must and cannot: pairs of record keys. exclusive: per record its exclusive identifiers as (type, value); two
    records of which neither shares a value of a type with the other are never in one cluster, must-links apart.
    separating: the same for attributes, which part people but do not point at one (Filho and Neto).
    claimed: those of `exclusive` that the record merely claims; they part people too, and point at nobody.
    frozen: records whose cluster is joined by must-links alone.
    """

    must: frozenset[tuple[int, int]] = frozenset()
    cannot: frozenset[tuple[int, int]] = frozenset()
    exclusive: Mapping[int, Sequence[tuple[str, str]]] = field(default_factory=dict)
    separating: Mapping[int, Sequence[tuple[str, str]]] = field(default_factory=dict)
    claimed: Mapping[int, Collection[tuple[str, str]]] = field(default_factory=dict)
    frozen: frozenset[int] = frozenset()

    def held(self, key: int) -> Held:
        """What the record says of every exclusive type."""
        said = (*self.exclusive.get(key, ()), *self.separating.get(key, ()))
        if len(said) < 2:
            return frozenset((kind, frozenset((value,))) for kind, value in said) if said else NOTHING
        return frozenset(
            (kind, frozenset(value for k, value in said if k == kind)) for kind in {kind for kind, _ in said}
        )


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


def exclusive_conflict(held_l: Held, held_r: Held) -> bool:
    """Whether a record of one cluster contradicts a record of the other: no value of a type in common.

    Where one cluster contradicts itself, a steward has put it together: it takes in what says nothing new.
    """
    # Most records name no exclusive identifier at all.
    if not held_l or not held_r:
        return False
    for kind in {kind for kind, _ in held_l} & {kind for kind, _ in held_r}:
        said_l = [values for k, values in held_l if k == kind]
        said_r = [values for k, values in held_r if k == kind]
        if not any(a.isdisjoint(b) for a in said_l for b in said_r):
            continue
        all_l, all_r = frozenset().union(*said_l), frozenset().union(*said_r)
        is_ruled = (_contradicts_itself(said_l) and all_r <= all_l) or (
            _contradicts_itself(said_r) and all_l <= all_r
        )
        if not is_ruled:
            return True
    return False


def _contradicts_itself(said: Sequence[frozenset[str]]) -> bool:
    return any(a.isdisjoint(b) for a, b in combinations(said, 2))


def units_of(weight: float, thresholds: Thresholds) -> int:
    """The weight above the floor, ceiling applied, as an exact integer."""
    bounded = min(max(weight, thresholds.floor), thresholds.ceiling)
    return round((bounded - thresholds.floor) * _UNITS_PER_BIT)


def mean_weight(units: int, pairs: int, floor: float) -> float:
    """Bits a pair on average, when `units` are what its scored pairs sum up to."""
    return floor + units / pairs / _UNITS_PER_BIT
