"""Values that many people hold, for one record: the same parting as `workspace.part_shared_values` does for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from resolution.keys import Linkage
from resolution.specification import SharingLimits, Specification

# (linkage column, value)
Value = tuple[str, str]


class Sharing(NamedTuple):
    """kind: 'shared', 'generic', or None for a value that is its holder's own. is_held: whoever keeps the index wants
    it to count as shared at least, however few hold it."""

    holder_count: int
    kind: str | None
    is_held: bool


OWN = Sharing(0, None, False)

# Two clusters that hold one exclusive document are shown to a steward: their holders are always known.
EXCLUSIVE_COLUMN = "documents"


def held_columns(specification: Specification) -> tuple[str, ...]:
    """The list columns whose holders are counted, or asked for."""
    return tuple(dict.fromkeys((*specification.sharing, EXCLUSIVE_COLUMN)))


def held_values(linkage: Linkage, columns: Sequence[str]) -> list[Value]:
    return [(column, value) for column in columns for value in linkage.get(column, ())]


def most_holders(specification: Specification) -> int:
    """Holders are counted up to here: one more than makes any value generic."""
    return max((limits.generic for limits in specification.sharing.values()), default=0) + 1


def windows(specification: Specification) -> dict[str, int]:
    """The columns whose holders count within so many days only."""
    return {
        column: limits.window_days
        for column, limits in specification.sharing.items()
        if limits.window_days is not None
    }


def count_within(holdings: Iterable[tuple[int | None, str]], window_days: int, *, limit: int) -> int:
    """How many different first names the days of a window saw at most, counted up to `limit`.

    Holdings: (day, first name by sound or ''); without a day they count with every window. The order of records does
    not matter, and neither does when they came.
    """
    named = {(day, sound) for day, sound in holdings if sound}
    always = {sound for day, sound in named if day is None}
    dated = sorted((day, sound) for day, sound in named if day is not None and sound not in always)
    inside: Counter[str] = Counter()
    first = most = 0
    for day, sound in dated:
        inside[sound] += 1
        while dated[first][0] <= day - window_days:
            gone = dated[first][1]
            inside[gone] -= 1
            if not inside[gone]:
                del inside[gone]
            first += 1
        most = max(most, len(inside))
    return min(most + len(always), limit)


def sharing_of(holder_count: int, limits: SharingLimits | None, *, is_held: bool = False) -> Sharing:
    """Of a value by its holders. Of a column that the specification does not count, no value is shared."""
    kind = None
    if limits is not None and (is_held or holder_count > limits.shared):
        kind = "generic" if holder_count > limits.generic else "shared"
    return Sharing(holder_count, kind, is_held)


def part_values(linkage: Linkage, sharing: Mapping[Value, str], columns: Sequence[str]) -> Linkage:
    """The linkage as it is compared: generic values taken out, shared ones moved to shared_<column>."""
    parted: dict[str, str | Sequence[str]] | None = None
    for column in columns:
        values = linkage.get(column)
        if not values or not any((column, value) in sharing for value in values):
            continue
        parted = dict(linkage) if parted is None else parted
        own = [value for value in values if (column, value) not in sharing]
        shared = [value for value in values if sharing.get((column, value)) == "shared"]
        for name, kept in ((column, own), (f"shared_{column}", shared)):
            parted.pop(name, None)
            if kept:
                parted[name] = kept
    return linkage if parted is None else parted
