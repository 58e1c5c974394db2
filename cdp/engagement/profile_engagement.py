"""What a person bought, left in a cart, wished for and allows: the states of their records, put together.

What one record's events add up to is kept; where several records of a source are one person's, what they tell of the
same order, cart or list is added up from their events together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Select, bindparam, func, or_, select

from cdp.engagement.commerce import CART, CLOSING, ORDER, WISH_LIST, CommerceEvent, Subject, fold_subject
from cdp.engagement.consent import ConsentWord, most_restrictive
from cdp.engagement.engagement_states import State
from cdp.engagement.event_effects import CONSENT, word_of
from cdp.engagement.events import select_subject_events
from cdp.store import id_set
from cdp.store.quick import QuickStatement
from cdp.store.schema import engagement_states as states
from cdp.store.schema import memberships, source_records, sources


@dataclass(frozen=True)
class Size:
    """How much of it a view shows."""

    carts: int
    orders: int
    wish_lists: int
    items: int


@dataclass(frozen=True)
class Engagement:
    """carts, orders, wish_lists: documents, the newest first, each with its id and source."""

    consents: Sequence[ConsentWord]
    carts: Sequence[Mapping[str, Any]] = ()
    orders: Sequence[Mapping[str, Any]] = ()
    wish_lists: Sequence[Mapping[str, Any]] = ()


NOTHING_DONE = Engagement(())


class _Held(NamedTuple):
    """A state, and whose it is."""

    record_id: int
    source: str
    subject: Subject
    state: State


_ID_OF = {ORDER: "order_id", CART: "cart_id", WISH_LIST: "wish_list_id"}


def select_engagement(connection: Connection, profile_id: str, size: Size | None) -> Engagement:
    """Size: None where a view shows consents alone."""
    kinds = (CONSENT,) if size is None else (CONSENT, CART, CLOSING, WISH_LIST)
    standing = _select(connection, _standing(kinds), profile_id)
    consents = most_restrictive(
        word_of(each.subject[1], each.state, each.source) for each in standing if each.subject[0] == CONSENT
    )
    if size is None:
        return Engagement(consents)
    held = [each for each in standing if each.subject[0] != CONSENT]
    if size.orders:
        held += _select(connection, _newest_orders(size.orders), profile_id)
    shown = _together(connection, profile_id, held) if held else {}
    return Engagement(
        consents,
        _documents(shown, CART, size.carts, size.items),
        _documents(shown, ORDER, size.orders, size.items),
        _documents(shown, WISH_LIST, size.wish_lists, size.items),
    )


def select_consents_of(connection: Connection, record_ids: Collection[int]) -> dict[int, list[ConsentWord]]:
    """By record, its newest word of each category; records without one are left out."""
    if not record_ids:
        return {}
    wanted = id_set(connection, sorted(record_ids))
    rows = connection.execute(
        select(states.c.record_id, states.c.subject_id, states.c.state, states.c.changed_at, sources.c.name)
        .join_from(wanted, states, states.c.record_id == wanted.c.id)
        .join(source_records, source_records.c.record_id == states.c.record_id)
        .join(sources, sources.c.source_id == source_records.c.source_id)
        .where(states.c.kind == CONSENT)
        .order_by(states.c.record_id, states.c.subject_id)
    )
    found: dict[int, list[ConsentWord]] = {}
    for row in rows:
        state = State(orjson.loads(row.state), True, row.changed_at)
        found.setdefault(row.record_id, []).append(word_of(row.subject_id, state, row.name))
    return found


def _together(
    connection: Connection, profile_id: str, held: Sequence[_Held]
) -> dict[tuple[str, Subject], State]:
    """By source and subject. What several records of a source may tell of is added up anew."""
    members: dict[str, list[int]] = {}
    for row in _MEMBERS.fetch(connection, profile_id=profile_id):
        members.setdefault(row.name, []).append(row.record_id)
    shown = {
        (each.source, each.subject): each.state for each in held if len(members.get(each.source, ())) == 1
    }
    for source, record_ids in members.items():
        mine = [each for each in held if each.source == source]
        if len(record_ids) > 1 and mine:
            folded = _fold_together(connection, record_ids, mine)
            shown |= {(source, subject): state for subject, state in folded.items()}
    return shown


def _fold_together(
    connection: Connection, record_ids: Sequence[int], held: Sequence[_Held]
) -> dict[Subject, State]:
    closings = [each.state.changed_at for each in held if each.subject[0] == CLOSING]
    closed_at: datetime | None = max(closings, default=None)
    wanted = {each.subject for each in held if each.subject[0] != CLOSING}
    events: dict[Subject, list[CommerceEvent]] = {}
    for (_, subject), found in select_subject_events(
        connection, record_ids, wanted, of_closed_carts=False
    ).items():
        events.setdefault(subject, []).extend(found)
    folded = {
        subject: fold_subject(subject[0], found, closed_at=closed_at) for subject, found in events.items()
    }
    return {subject: State(each.document, each.is_open, each.changed_at) for subject, each in folded.items()}


def _documents(
    shown: Mapping[tuple[str, Subject], State], kind: str, at_most: int, items: int
) -> list[dict[str, Any]]:
    chosen = [
        (state.changed_at, subject[1], source, state)
        for (source, subject), state in shown.items()
        if subject[0] == kind and state.is_open
    ]
    chosen.sort(key=lambda each: each[:3], reverse=True)
    return [
        {
            **state.document,
            _ID_OF[kind]: subject_id or None,
            "source": source,
            "items": state.document["items"][:items],
        }
        for _, subject_id, source, state in chosen[:at_most]
    ]


def _select(connection: Connection, statement: QuickStatement, profile_id: str) -> list[_Held]:
    return [
        _Held(
            row.record_id,
            row.name,
            (row.kind, row.subject_id),
            State(orjson.loads(row.state), True, row.changed_at),
        )
        for row in statement.fetch(connection, profile_id=profile_id)
    ]


@lru_cache
def _standing(kinds: tuple[str, ...]) -> QuickStatement:
    return QuickStatement(
        _of_profile().where(or_(*(states.c.kind == kind for kind in kinds)), states.c.is_open)
    )


@lru_cache
def _newest_orders(at_most: int) -> QuickStatement:
    """Each by one of the records that tell of it: what they tell together is added up anew."""
    changed_at = func.max(states.c.changed_at)
    newest = (
        _of_members(select(source_records.c.source_id, states.c.subject_id, changed_at.label("changed_at")))
        .where(states.c.kind == ORDER)
        .group_by(source_records.c.source_id, states.c.subject_id)
        .order_by(changed_at.desc(), states.c.subject_id.desc(), source_records.c.source_id)
        .limit(at_most)
        .subquery("newest")
    )
    return QuickStatement(
        _of_profile()
        .join(
            newest,
            (newest.c.source_id == source_records.c.source_id)
            & (newest.c.subject_id == states.c.subject_id)
            & (newest.c.changed_at == states.c.changed_at),
        )
        .where(states.c.kind == ORDER)
    )


def _of_profile() -> Select[Any]:
    return _of_members(
        select(
            states.c.record_id,
            sources.c.name,
            states.c.kind,
            states.c.subject_id,
            states.c.state,
            states.c.changed_at,
        )
    )


def _of_members(wanted: Select[Any]) -> Select[Any]:
    return (
        wanted.select_from(memberships)
        .join(states, states.c.record_id == memberships.c.record_id)
        .join(source_records, source_records.c.record_id == memberships.c.record_id)
        .join(sources, sources.c.source_id == source_records.c.source_id)
        .where(memberships.c.profile_id == bindparam("profile_id"), memberships.c.valid_to.is_(None))
    )


_MEMBERS = QuickStatement(
    select(memberships.c.record_id, sources.c.name)
    .join(source_records, source_records.c.record_id == memberships.c.record_id)
    .join(sources, sources.c.source_id == source_records.c.source_id)
    .where(memberships.c.profile_id == bindparam("profile_id"), memberships.c.valid_to.is_(None))
)
