"""What keeps those apart whom a ruling had brought together, once it is taken back.

Where the evidence of now would make them one person by itself, closing the ruling's constraints would part nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from cdp.realtime.rehearsal import rehearse
from cdp.stewardship.constraints import select_linked, select_links_of
from cdp.stewardship.entries import select_action_entries, select_entry_moves
from cdp.stewardship.machine_entries import select_brought_together
from cdp.stewardship.pairs import Pair, between, group_links
from cdp.stewardship.ruling import Session

Groups = Sequence[Collection[int]]


def select_kept_apart(
    session: Session, ruling_id: int, concerned: Collection[int], *, since: int
) -> set[Pair]:
    """The cannot-links between profiles that a ruling made one and the machine would, now that its constraints are
    closed; none between those that other rulings hold together.

    Concerned: the records whose constraints were closed or opened. Since: the action since which the ruling stood.
    Raises TooManyPairsError.
    """
    connection = session.connection
    brought = _select_joined(connection, ruling_id, since)
    if not brought:
        return set()
    linked, links = select_linked(
        connection, {*concerned, *(each for groups in brought for group in groups for each in group)}
    )
    ruled = group_links(links)
    model = session.resolver.models.require(connection, session.model_version)
    clusters = rehearse(connection, model, linked).clusters
    person_of = {
        record_id: place for place, cluster in enumerate(clusters) for record_id in cluster.record_ids
    }
    kept: set[Pair] = set()
    for groups in brought:
        parts = _as_others_rule(groups, ruled)
        if _are_met(parts, person_of):
            kept |= between(parts)
    return kept


def _select_joined(connection: Connection, ruling_id: int, since: int) -> list[Groups]:
    """The profiles that the must-links of a ruling made one, for each entry of the action since which it stood.

    Whom the machine brought together in the same write, because a ruling parted them from others, is not among them.
    """
    tied = group_links(link for link in select_links_of(connection, ruling_id) if link.kind == "must")
    if not tied:
        return []
    brought = []
    for entry in select_action_entries(connection, since):
        moves = select_entry_moves(connection, entry.ledger_entry_id)
        brought.append(_only_tied(select_brought_together(connection, entry, moves), tied))
    return [groups for groups in brought if groups]


def _only_tied(groups: Groups, tied: Mapping[int, int]) -> Groups:
    """Those of the groups that are tied to another. Tied: record to the name of what must-links make of it."""
    names = [{tied[each] for each in group if each in tied} for group in groups]
    tying = Counter(name for names_of_group in names for name in names_of_group)
    return [
        group
        for group, names_of_group in zip(groups, names, strict=True)
        if any(tying[name] > 1 for name in names_of_group)
    ]


def _as_others_rule(groups: Groups, ruled: dict[int, int]) -> list[set[int]]:
    """The groups, those in one that must-links connect. Ruled: record to the name of what must-links make of it."""
    parts: list[tuple[set[int], set[int]]] = []
    for group in groups:
        records, names = set(group), {ruled.get(each, each) for each in group}
        for part in [part for part in parts if not names.isdisjoint(part[1])]:
            records, names = records | part[0], names | part[1]
            parts.remove(part)
        parts.append((records, names))
    return [records for records, _ in parts]


def _are_met(groups: Iterable[Collection[int]], person_of: dict[int, int]) -> bool:
    """Whether records of two of the groups would be one person."""
    people = [{person_of[each] for each in group if each in person_of} for group in groups]
    return sum(map(len, people)) > len(set().union(*people))
