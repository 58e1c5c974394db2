"""Events: what was sent, as it was sent, each once.

Grain: one row per message of a source. Events hang on records, never on profiles; those from before their record was
deleted count no more, should the record come back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, bindparam, func, or_, select

from cdp.engagement.commerce import CART, CLOSING, CommerceEvent, Subject, subjects_of
from cdp.engagement.message import Message
from cdp.store import id_set, insert_rows, reserve_ids
from cdp.store.quick import quick
from cdp.store.schema import (
    engagement_states,
    event_subjects,
    events,
    ledger_entries,
    ledger_moves,
    source_records,
)
from cdp.store.sets import number_set, set_values, text_set

Row = Any


@dataclass(frozen=True)
class NewEvent:
    """A message that is not kept yet, and the record it belongs to."""

    message: Message
    record_id: int


def select_known_messages(connection: Connection, source_id: int, message_ids: Collection[str]) -> set[str]:
    """Those of the ids that there is an event of."""
    if not message_ids:
        return set()
    bound = set_values(connection, "ids", message_ids)
    found = _known(connection.dialect.name).tuples(connection, source_id=source_id, **bound)
    return {message_id for (message_id,) in found}


def insert_events(
    connection: Connection, source_id: int, new: Sequence[NewEvent], *, now: datetime
) -> list[int]:
    """Returns their ids, in order."""
    event_ids = list(reserve_ids(connection, events.c.event_id, len(new)))
    rows = [
        (
            event_id,
            source_id,
            each.message.message_id,
            each.message.kind,
            each.message.name,
            each.message.occurred_at,
            now,
            each.record_id,
            each.message.anonymous_id if each.message.user_id is not None else None,
            _json(each.message.properties),
            _json(each.message.context),
        )
        for event_id, each in zip(event_ids, new, strict=True)
    ]
    insert_rows(connection, events, rows, columns=[column.name for column in events.c])
    return event_ids


def insert_subjects(connection: Connection, new: Iterable[tuple[int, NewEvent]]) -> dict[int, set[Subject]]:
    """Note what each event, given with its id, tells of; returns record to the subjects told of."""
    rows = []
    told: dict[int, set[Subject]] = {}
    for event_id, each in new:
        message = each.message
        if message.kind != "track" or message.name is None:
            continue
        for subject in subjects_of(message.name, message.properties):
            rows.append((each.record_id, *subject, event_id))
            told.setdefault(each.record_id, set()).add(subject)
    names = ("record_id", "kind", "subject_id", "event_id")
    insert_rows(connection, event_subjects, rows, columns=names)
    return told


def select_subject_events(
    connection: Connection,
    record_ids: Collection[int],
    subjects: Collection[Subject] | None = None,
    *,
    of_closed_carts: bool = True,
) -> dict[tuple[int, Subject], list[CommerceEvent]]:
    """The events of each record and subject; subjects: those wanted, None for all. of_closed_carts: also those from
    before the last order of the record."""
    if not record_ids or (subjects is not None and not subjects):
        return {}
    wanted = id_set(connection, sorted(record_ids))
    statement = (
        select(
            event_subjects.c.record_id,
            event_subjects.c.kind,
            event_subjects.c.subject_id,
            events.c.message_id,
            events.c.occurred_at,
            events.c.received_at,
            events.c.name,
            events.c.properties,
        )
        .join_from(wanted, event_subjects, event_subjects.c.record_id == wanted.c.id)
        .join(events, events.c.event_id == event_subjects.c.event_id)
    )
    if subjects is not None:
        statement = statement.where(
            event_subjects.c.kind.in_(sorted({kind for kind, _ in subjects})),
            event_subjects.c.subject_id.in_(sorted({subject_id for _, subject_id in subjects})),
        )
    if not of_closed_carts:
        closing = engagement_states.alias("closing")
        statement = statement.outerjoin(
            closing, (closing.c.record_id == event_subjects.c.record_id) & (closing.c.kind == CLOSING)
        ).where(
            or_(
                event_subjects.c.kind != CART,
                closing.c.changed_at.is_(None),
                events.c.occurred_at > closing.c.changed_at,
            )
        )
    born = select_births(connection, record_ids)
    found: dict[tuple[int, Subject], list[CommerceEvent]] = {}
    for row in connection.execute(statement):
        subject = row.kind, row.subject_id
        if (subjects is None or subject in subjects) and counts(row, born):
            found.setdefault((row.record_id, subject), []).append(commerce_event(row))
    return found


def commerce_event(row: Row) -> CommerceEvent:
    return CommerceEvent(row.message_id, row.occurred_at, row.name, orjson.loads(row.properties))


def select_births(connection: Connection, record_ids: Collection[int]) -> dict[int, datetime]:
    """Of records that were deleted once: when, for the last time."""
    if not record_ids:
        return {}
    bound = set_values(connection, "ids", sorted(record_ids))
    return dict(_births(connection.dialect.name).tuples(connection, **bound))


def counts(row: Row, born: Mapping[int, datetime]) -> bool:
    """Whether an event tells of its record as it is now. What was received or happened before its deletion does not."""
    since = born.get(row.record_id)
    return since is None or (row.occurred_at > since and row.received_at > since)


def select_live_records(connection: Connection, record_ids: Collection[int]) -> set[int]:
    wanted = id_set(connection, sorted(record_ids))
    live = (
        select(source_records.c.record_id)
        .join_from(wanted, source_records, source_records.c.record_id == wanted.c.id)
        .where(source_records.c.deleted_at.is_(None))
    )
    return set(connection.scalars(live)) if record_ids else set()


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


@quick
def _known(dialect: str) -> Select[Any]:
    ids = text_set(dialect, "ids")
    return select(events.c.message_id).where(
        events.c.source_id == bindparam("source_id"), events.c.message_id.in_(select(ids.c.id))
    )


@quick
def _births(dialect: str) -> Select[Any]:
    ids = number_set(dialect, "ids")
    return (
        select(ledger_moves.c.record_id, func.max(ledger_entries.c.recorded_at).label("gone_at"))
        .join_from(ids, ledger_moves, ledger_moves.c.record_id == ids.c.id)
        .join(ledger_entries, ledger_entries.c.ledger_entry_id == ledger_moves.c.ledger_entry_id)
        .where(ledger_moves.c.to_profile_id.is_(None))
        .group_by(ledger_moves.c.record_id)
    )
