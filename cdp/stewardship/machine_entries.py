"""What a ledger entry brought together or parted, and what keeps the machine from doing its own ones again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection

from cdp.stewardship.entries import Entry, Move, select_records_before
from cdp.stewardship.errors import NothingToUndoError
from cdp.stewardship.members import select_profiles_of
from cdp.stewardship.pairs import Pair, between, star


def select_opposite(
    connection: Connection, entry: Entry, moves: Sequence[Move]
) -> tuple[set[Pair], set[Pair]]:
    """The must-links and cannot-links that hold the opposite of what an entry did.

    Profiles that it brought together are kept from each other, as their records were then; a record that came with
    them from nowhere goes where its evidence leads. What it parted is held together. Raises NothingToUndoError,
    TooManyPairsError.
    """
    if entry.kind == "split":
        return _held_together(connection, entry, moves), set()
    groups = select_brought_together(connection, entry, moves)
    if not groups:
        raise NothingToUndoError(
            f"Ledger entry {entry.ledger_entry_id} brought nobody together: split the profile instead.",
            ids=[entry.ledger_entry_id],
        )
    return set(), between(groups)


def select_brought_together(
    connection: Connection, entry: Entry, moves: Sequence[Move]
) -> list[Collection[int]]:
    """The profiles of which an entry made one, as their records were then; none where it brought nobody together."""
    if entry.kind not in ("attach", "join", "move"):
        return []
    there = select_records_before(connection, entry.profile_id, entry.ledger_entry_id)
    groups = [group for group in [there, *_came_from(moves)] if group]
    return [*groups] if len(groups) > 1 else []


def _came_from(moves: Iterable[Move]) -> list[set[int]]:
    """The records that moved, by the profile they came from; those from nowhere only when there are no others."""
    came: dict[str | None, set[int]] = defaultdict(set)
    for move in moves:
        came[move.from_profile_id].add(move.record_id)
    known = [came[profile_id] for profile_id in sorted(each for each in came if each is not None)]
    return known or list(came.values())


def _held_together(connection: Connection, entry: Entry, moves: Iterable[Move]) -> set[Pair]:
    """Of a profile that parted: the records that went and those that stayed, as far as they are there still."""
    went = {move.record_id for move in moves if move.from_profile_id is not None}
    stayed = {
        record_id
        for profile_id in {move.from_profile_id for move in moves if move.from_profile_id is not None}
        for record_id in select_records_before(connection, profile_id, entry.ledger_entry_id + 1)
    }
    return star(sorted(select_profiles_of(connection, went | stayed)))
