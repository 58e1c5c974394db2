"""What both paths say of people: clusters on record ids, and what stewards and records themselves rule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from resolution.partition import Join

# Both say that the father has the same name.
SAME_AGNOMEN = {"junior": "filho"}


# The records that one must be with, those that it cannot be with, and the freezes that it is part of.
Ruling = tuple[frozenset[int], frozenset[int], frozenset[int]]


@dataclass(frozen=True)
class PairConstraints:
    """What stewards ruled, as pairs of record ids, of records that are gone too.

    through: pairs of live records that must-links of gone ones connect. frozen: records that no evidence joins with
    others, each with the freeze that says so.
    """

    must: frozenset[tuple[int, int]] = frozenset()
    cannot: frozenset[tuple[int, int]] = frozenset()
    through: frozenset[tuple[int, int]] = frozenset()
    frozen: frozenset[tuple[int, int]] = frozenset()

    @property
    def together(self) -> frozenset[tuple[int, int]]:
        """Everything that is to be one person."""
        return self.must | self.through


def rulings_of(constraints: PairConstraints) -> dict[int, Ruling]:
    """Of each record that a constraint names: with which records it must be, with which it cannot, and its freezes.

    Equal records of which the same is ruled may stand for each other.
    """
    sides: dict[int, tuple[set[int], set[int], set[int]]] = {}
    for place, pairs in enumerate((constraints.must, constraints.cannot)):
        for left, right in pairs:
            sides.setdefault(left, (set(), set(), set()))[place].add(right)
            sides.setdefault(right, (set(), set(), set()))[place].add(left)
    for record_id, freeze in constraints.frozen:
        sides.setdefault(record_id, (set(), set(), set()))[2].add(freeze)
    return {
        record_id: (frozenset(must), frozenset(cannot), frozenset(freezes))
        for record_id, (must, cannot, freezes) in sides.items()
    }


@dataclass(frozen=True)
class Cluster:
    """The records of one person in record key order, and the joins that made them one, on record ids."""

    record_ids: tuple[int, ...]
    joins: tuple[Join, ...]


def exclusive_identifiers(documents: Sequence[str]) -> list[tuple[str, str]]:
    """(type, value) of each document, 'cpf:39053344705' being ('cpf', '39053344705')."""
    return [(kind, value) for kind, _, value in (document.partition(":") for document in documents)]


def claimed_identifiers(documents: Sequence[str], claimed: Collection[str]) -> list[tuple[str, str]]:
    """Those of the documents that the record merely claims, in the form of exclusive_identifiers."""
    return exclusive_identifiers([document for document in documents if f"document:{document}" in claimed])


def separating_attributes(agnomen: str) -> tuple[tuple[str, str], ...]:
    return (("agnomen", SAME_AGNOMEN.get(agnomen, agnomen)),)
