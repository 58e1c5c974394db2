"""Must-links of records that are gone: what they held together stays together. A pure rule.

A steward rules on people and says it with records. When one of those is deleted the others are no less one person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import pairwise

Pair = tuple[int, int]


def through_gone(must: Iterable[Pair], gone: Collection[int]) -> set[Pair]:
    """The live records that must-links connect by way of gone ones, as chains in the order of their ids."""
    beside: dict[int, set[int]] = defaultdict(set)
    for left, right in must:
        if left in gone:
            beside[left].add(right)
        if right in gone:
            beside[right].add(left)
    chained: set[Pair] = set()
    seen: set[int] = set()
    for start in sorted(beside):
        if start in seen:
            continue
        live, frontier = set(), {start}
        while frontier:
            seen |= frontier
            reached = {record_id for each in frontier for record_id in beside[each]}
            live |= reached - beside.keys()
            frontier = (reached & beside.keys()) - seen
        chained.update(pairwise(sorted(live)))
    return chained
