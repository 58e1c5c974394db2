"""Ids of one source that were named together: a user, and an anonymous id or a former id of theirs.

Grain: one row per pair, with when it was seen first, whatever the order of arrival.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select, update

from cdp.engagement.message import Message, anonymous_key
from cdp.store import id_set, insert_rows
from cdp.store.schema import id_sightings as sightings

ANONYMOUS, ALIAS = "anonymous", "alias"


class User(NamedTuple):
    """A user, and which kind of ids of theirs is meant."""

    kind: str
    user_id: str


class Pair(NamedTuple):
    """kind: 'anonymous', other_id is a visitor's; 'alias', a former one of the user's."""

    kind: str
    other_id: str
    user_id: str

    @property
    def record_keys(self) -> tuple[str, str]:
        other = anonymous_key(self.other_id) if self.kind == ANONYMOUS else self.other_id
        return other, self.user_id

    @property
    def user(self) -> User:
        return User(self.kind, self.user_id)


def pairs_of(message: Message) -> list[Pair]:
    """What a message names together. A former id may have been a visitor's: then that counts as seen with the user."""
    if message.user_id is None:
        return []
    pairs = []
    if message.anonymous_id is not None:
        pairs.append(Pair(ANONYMOUS, message.anonymous_id, message.user_id))
    if message.previous_id is not None:
        pairs.append(Pair(ANONYMOUS, message.previous_id, message.user_id))
        if message.previous_id != message.user_id:
            pairs.append(Pair(ALIAS, message.previous_id, message.user_id))
    return pairs


def note_sightings(
    connection: Connection, source_id: int, seen: Mapping[Pair, datetime], known: Mapping[Pair, datetime]
) -> None:
    """Keep the pairs, with the earlier time. Known: those that are kept already, with theirs."""
    new = [(source_id, *pair, seen_at) for pair, seen_at in seen.items() if pair not in known]
    names = ("source_id", "kind", "other_id", "user_id", "seen_at")
    insert_rows(connection, sightings, sorted(new), columns=names)
    for pair, seen_at in seen.items():
        if pair in known and seen_at < known[pair]:
            connection.execute(update(sightings).where(*_is(source_id, pair)).values(seen_at=seen_at))


def select_of_others(
    connection: Connection, source_id: int, other_ids: Collection[str]
) -> dict[Pair, tuple[datetime, int | None]]:
    """Every pair of these anonymous or former ids: when it was seen, and the action that holds it, if any."""
    if not other_ids:
        return {}
    wanted = id_set(connection, sorted(other_ids))
    statement = (
        select(
            sightings.c.kind,
            sightings.c.other_id,
            sightings.c.user_id,
            sightings.c.seen_at,
            sightings.c.action_id,
        )
        .join_from(wanted, sightings, sightings.c.other_id == wanted.c.id)
        .where(sightings.c.source_id == source_id)
    )
    rows = connection.execute(statement)
    return {Pair(row.kind, row.other_id, row.user_id): (row.seen_at, row.action_id) for row in rows}


def select_first(connection: Connection, source_id: int, user: User, *, at_most: int) -> set[str]:
    """The ids of the kind that a user was seen with first."""
    statement = (
        select(sightings.c.other_id)
        .where(*_of_user(source_id, user))
        .order_by(sightings.c.seen_at, sightings.c.other_id)
        .limit(at_most)
    )
    return set(connection.scalars(statement))


def select_held(connection: Connection, source_id: int, user: User) -> dict[Pair, int]:
    """The ids of the kind that are held to be a user's, each with its action."""
    statement = select(sightings.c.other_id, sightings.c.action_id).where(
        *_of_user(source_id, user), sightings.c.action_id.is_not(None)
    )
    return {
        Pair(user.kind, other_id, user.user_id): action_id
        for other_id, action_id in connection.execute(statement).all()
    }


def set_action(connection: Connection, source_id: int, pair: Pair, action_id: int | None) -> None:
    connection.execute(update(sightings).where(*_is(source_id, pair)).values(action_id=action_id))


def _is(source_id: int, pair: Pair) -> tuple[ColumnElement[bool], ...]:
    return (
        sightings.c.source_id == source_id,
        sightings.c.kind == pair.kind,
        sightings.c.other_id == pair.other_id,
        sightings.c.user_id == pair.user_id,
    )


def _of_user(source_id: int, user: User) -> tuple[ColumnElement[bool], ...]:
    return (
        sightings.c.source_id == source_id,
        sightings.c.kind == user.kind,
        sightings.c.user_id == user.user_id,
    )
