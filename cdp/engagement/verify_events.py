"""Checks that what is kept beside the events is what they add up to, and that each was audited and told of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, select

from cdp.engagement.commerce import fold, subjects_of
from cdp.engagement.consent import ConsentWord, read_consent
from cdp.engagement.engagement_states import State, StateKey, select_states
from cdp.engagement.event_effects import CONSENT, as_state, consent_state
from cdp.engagement.events import commerce_event, counts, select_births, select_live_records
from cdp.engagement.message import ANONYMOUS, Message
from cdp.engagement.people_of_messages import TRAITS, changed_at
from cdp.engagement.traits import add_up, read_traits
from cdp.store import id_set, stream_rows
from cdp.store.schema import (
    STATE_KINDS,
    audit_entries,
    consent_assertions,
    engagement_states,
    event_subjects,
    events,
    outbox_events,
    source_records,
)

Found = tuple[str, tuple[int | str, ...]]

_RECORDS_AT_ONCE = 500


def check_events(connection: Connection) -> Iterator[Found]:
    """Every event belongs to a record of its source, tells of what is noted of it, was audited and told of."""
    audited = _named(
        connection, select(audit_entries.c.details).where(audit_entries.c.action == "events.write")
    )
    told = _named(
        connection, select(outbox_events.c.payload).where(outbox_events.c.kind == "events.received")
    )
    statement = (
        select(events, source_records.c.source_id.label("record_source_id"))
        .join(source_records, source_records.c.record_id == events.c.record_id)
        .order_by(events.c.event_id)
    )
    for rows in stream_rows(connection, statement):
        noted, asserted = _select_noted(connection, rows), _select_asserted(connection, rows)
        for row in rows:
            ids = (row.event_id, row.record_id)
            if row.source_id != row.record_source_id:
                yield f"event {row.event_id} belongs to record {row.record_id} of another source", ids
            if row.event_id not in audited:
                yield f"event {row.event_id} has no audit entry", ids
            if row.event_id not in told:
                yield f"event {row.event_id} was told to nobody", ids
            if noted.get(row.event_id, set()) != _subjects(row):
                yield f"event {row.event_id} tells of other orders, carts or lists than are noted", ids
            if asserted.get(row.event_id, {}) != {each.category: each.granted for each in _words(row)}:
                yield f"event {row.event_id} says of consent what is not noted", ids


def check_engagement(connection: Connection) -> Iterator[Found]:
    """What is kept of each record is what its events add up to."""
    listed = select(events.c.record_id).union(select(engagement_states.c.record_id))
    record_ids = sorted(connection.scalars(listed))
    for start in range(0, len(record_ids), _RECORDS_AT_ONCE):
        chunk = record_ids[start : start + _RECORDS_AT_ONCE]
        kept = select_states(connection, chunk, STATE_KINDS)
        wanted = _add_up(connection, chunk)
        for key in sorted(kept.keys() | wanted.keys()):
            if kept.get(key) != wanted.get(key):
                what = key.kind.replace("_", " ")
                yield (
                    f"{what} kept of record {key.record_id}: its events add up to something else",
                    (key.record_id,),
                )


def _add_up(connection: Connection, record_ids: Sequence[int]) -> dict[StateKey, State]:
    live, births = select_live_records(connection, record_ids), select_births(connection, record_ids)
    wanted = id_set(connection, record_ids)
    statement = (
        select(events, source_records.c.source_record_id)
        .join_from(wanted, events, events.c.record_id == wanted.c.id)
        .join(source_records, source_records.c.record_id == events.c.record_id)
        .order_by(events.c.record_id)
    )
    of_record: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(statement):
        if row.record_id in live and counts(row, births):
            of_record[row.record_id].append(row)
    return {
        StateKey(record_id, kind, subject_id): state
        for record_id, rows in of_record.items()
        for (kind, subject_id), state in _states(rows).items()
    }


def _states(rows: Sequence[Row[Any]]) -> dict[tuple[str, str], State]:
    traits = add_up((read_traits(_message(row)), row.occurred_at) for row in rows)
    states = {(TRAITS, ""): State(traits, False, changed_at(traits))}
    commerce = fold(commerce_event(row) for row in rows if row.kind == "track")
    states |= {subject: as_state(folded) for subject, folded in commerce.items()}
    words: dict[str, ConsentWord] = {}
    for row in rows:
        for word in _words(row):
            words[word.category] = word.or_later(words.get(word.category))
    return states | {(CONSENT, category): consent_state(word) for category, word in words.items()}


def _message(row: Row[Any]) -> Message:
    """As far as it says something of the person."""
    key: str = row.source_record_id
    is_anonymous = key.startswith(ANONYMOUS)
    return Message(
        message_id=row.message_id,
        kind=row.kind,
        name=row.name,
        user_id=None if is_anonymous else key,
        anonymous_id=key.removeprefix(ANONYMOUS) if is_anonymous else row.anonymous_id,
        previous_id=None,
        occurred_at=row.occurred_at,
        properties=orjson.loads(row.properties),
        context=orjson.loads(row.context),
    )


def _words(row: Row[Any]) -> list[ConsentWord]:
    return read_consent(orjson.loads(row.context), row.occurred_at)


def _subjects(row: Row[Any]) -> set[tuple[str, str]]:
    is_named = row.kind == "track" and row.name is not None
    return set(subjects_of(row.name, orjson.loads(row.properties))) if is_named else set()


def _select_noted(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, set[tuple[str, str]]]:
    wanted = id_set(connection, [row.event_id for row in rows])
    noted: dict[int, set[tuple[str, str]]] = defaultdict(set)
    statement = select(
        event_subjects.c.event_id, event_subjects.c.kind, event_subjects.c.subject_id
    ).join_from(wanted, event_subjects, event_subjects.c.event_id == wanted.c.id)
    for row in connection.execute(statement):
        noted[row.event_id].add((row.kind, row.subject_id))
    return noted


def _select_asserted(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, dict[str, bool]]:
    wanted = id_set(connection, [row.event_id for row in rows])
    asserted: dict[int, dict[str, bool]] = defaultdict(dict)
    statement = select(
        consent_assertions.c.event_id, consent_assertions.c.category, consent_assertions.c.granted
    ).join_from(wanted, consent_assertions, consent_assertions.c.event_id == wanted.c.id)
    for row in connection.execute(statement):
        asserted[row.event_id][row.category] = row.granted
    return asserted


def _named(connection: Connection, documents: Select[tuple[str]]) -> set[int]:
    """The events that audit entries or what was told name."""
    rows = chain.from_iterable(stream_rows(connection, documents))
    return {event_id for (text,) in rows for event_id in orjson.loads(text)["event_ids"]}
