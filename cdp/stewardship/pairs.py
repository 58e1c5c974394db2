"""Which pairs of records say what a steward means of groups of them, and when such pairs contradict. Pure rules."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from cdp.stewardship.errors import TooManyPairsError

Pair = tuple[int, int]

# Every pair is read again whenever one of its records is resolved anew.
PAIRS_AT_MOST = 100_000


@dataclass(frozen=True)
class Link:
    """A constraint in force. opened_by: the ruling it belongs to, None for one from before there were actions."""

    constraint_id: int
    kind: str
    record_id_l: int
    record_id_r: int
    opened_by: int | None

    @property
    def pair(self) -> Pair:
        return self.record_id_l, self.record_id_r

    @property
    def claim(self) -> tuple[int | None, str, Pair]:
        """The same in all rows that say it, one after the other."""
        return self.opened_by, self.kind, self.pair


@dataclass(frozen=True)
class Contradiction:
    """A cannot-link, and the must-links that lead from one of its ends to the other."""

    cannot: Link
    must: tuple[Link, ...]


def star(record_ids: Sequence[int]) -> set[Pair]:
    """The first record with every other: one person, whatever speaks for each of them. Raises TooManyPairsError."""
    if len(record_ids) > PAIRS_AT_MOST:
        raise TooManyPairsError(f"A ruling names {PAIRS_AT_MOST:,} records at most, not {len(record_ids):,}.")
    return {_pair(record_ids[0], other) for other in record_ids[1:]}


def can_be_kept_apart(record_count: int) -> bool:
    """Whether between takes so many records, each of them a group."""
    return record_count * (record_count - 1) // 2 <= PAIRS_AT_MOST


def between(groups: Iterable[Collection[int]]) -> set[Pair]:
    """Every record of a group with every record of the others. Raises TooManyPairsError."""
    listed = [list(group) for group in groups]
    sizes = [len(group) for group in listed]
    count = (sum(sizes) ** 2 - sum(size * size for size in sizes)) // 2
    if count > PAIRS_AT_MOST:
        raise TooManyPairsError(
            f"It takes {count:,} pairs of records to keep these apart, and {PAIRS_AT_MOST:,} are the limit: "
            "split off fewer records at a time."
        )
    return {_pair(*pair) for one, other in combinations(listed, 2) for pair in product(one, other)}


def find_contradiction(links: Iterable[Link]) -> Contradiction | None:
    """The first cannot-link, by its records, whose two ends must-links connect."""
    neighbours: dict[int, list[Link]] = defaultdict(list)
    apart: list[Link] = []
    for link in sorted(links, key=lambda each: (each.pair, each.constraint_id)):
        if link.kind == "cannot":
            apart.append(link)
            continue
        neighbours[link.record_id_l].append(link)
        neighbours[link.record_id_r].append(link)
    groups = group_links(link for links_of in neighbours.values() for link in links_of)
    for link in apart:
        if groups.get(link.record_id_l, -1) == groups.get(link.record_id_r, -2):
            return Contradiction(link, _path(link.record_id_l, link.record_id_r, neighbours))
    return None


def group_links(links: Iterable[Link]) -> dict[int, int]:
    """Record to the smallest record of those that the links connect it with."""
    parent: dict[int, int] = {}

    def find(record_id: int) -> int:
        while parent.setdefault(record_id, record_id) != record_id:
            parent[record_id] = parent[parent[record_id]]
            record_id = parent[record_id]
        return record_id

    for link in links:
        one, other = find(link.record_id_l), find(link.record_id_r)
        parent[max(one, other)] = min(one, other)
    return {record_id: find(record_id) for record_id in parent}


def _path(start: int, end: int, neighbours: Mapping[int, Sequence[Link]]) -> tuple[Link, ...]:
    came_by: dict[int, Link | None] = {start: None}
    waiting = deque([start])
    while waiting and end not in came_by:
        record_id = waiting.popleft()
        for link in neighbours[record_id]:
            for other in link.pair:
                if other not in came_by:
                    came_by[other] = link
                    waiting.append(other)
    path: list[Link] = []
    place = end
    while (step := came_by[place]) is not None:
        path.append(step)
        place = step.record_id_l if step.record_id_r == place else step.record_id_r
    return tuple(reversed(path))


def _pair(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)
