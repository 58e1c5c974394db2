"""The records that messages belong to: made or changed by what they say of the person, and resolved.

A record is of one user, or of one visitor whom nobody named. It says what all its messages together say, whatever the
order in which they came.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from cdp.engagement.engagement_states import State, StateKey, replace_states, select_states
from cdp.engagement.events import select_births
from cdp.engagement.message import Message
from cdp.engagement.traits import empty_state, merge, read_traits, record_values
from cdp.intake.shape import check_record
from cdp.realtime.incoming import IncomingRecord, take_record
from cdp.realtime.ingest import Resolver, take_in
from cdp.realtime.known_sources import KnownSources
from cdp.store.instants import parse_instant
from cdp.store.quick import quick
from cdp.store.schema import source_records
from cdp.store.sets import set_values, text_set

TRAITS = "traits"


@dataclass(frozen=True)
class People:
    """record_ids: by key of the record. created: keys of records that were not there, or deleted. births: since when
    events count for records that were deleted once."""

    record_ids: Mapping[str, int]
    created: Collection[str]
    births: Mapping[int, datetime]


@dataclass(frozen=True)
class _Change:
    """What messages make of a record. incoming: None where it stays as it is."""

    state: dict[str, Any]
    incoming: IncomingRecord | None
    is_new: bool


def take_in_people(
    connection: Connection,
    resolver: Resolver,
    known: KnownSources,
    source: str,
    messages: Sequence[Message],
    *,
    author: str,
    now: datetime,
) -> People:
    by_key: dict[str, list[Message]] = {}
    for message in messages:
        by_key.setdefault(message.record_key, []).append(message)
    stored = _select_stored(connection, known[source][0].source_id, by_key)
    record_ids = {key: row.record_id for key, row in stored.items()}
    births = select_births(connection, record_ids.values())
    states = select_states(connection, record_ids.values(), [TRAITS])
    changes: dict[str, _Change] = {}
    for key, said in by_key.items():
        row = stored.get(key)
        since = births.get(row.record_id) if row is not None else None
        counting = [each for each in said if since is None or (now > since and each.occurred_at > since)]
        before = states.get(StateKey(row.record_id, TRAITS, "")) if row is not None else None
        change = _change(known, source, key, counting, row, before, now=now) if counting else None
        if change is not None:
            changes[key] = change
    incoming = {key: each.incoming for key, each in changes.items() if each.incoming is not None}
    if incoming:
        answers = take_in(connection, resolver, list(incoming.values()), author=author, now=now)
        record_ids |= {key: answer.record_id for key, answer in zip(incoming, answers, strict=True)}
    replace_states(
        connection,
        {
            StateKey(record_ids[key], TRAITS, ""): State(each.state, False, changed_at(each.state))
            for key, each in changes.items()
        },
    )
    return People(record_ids, [key for key, each in changes.items() if each.is_new], births)


def changed_at(state: Mapping[str, Any]) -> datetime:
    """When the newest of what a state holds was said."""
    return parse_instant(max([at for at, _ in state["values"].values()], default=state["first_at"]))


def _change(
    known: KnownSources,
    source: str,
    key: str,
    messages: Sequence[Message],
    row: Any | None,
    before: State | None,
    *,
    now: datetime,
) -> _Change | None:
    """None where the messages say nothing new of the person."""
    state = empty_state() if before is None else copy.deepcopy(dict(before.document))
    for message in messages:
        merge(state, read_traits(message), message.occurred_at)
    if before is not None and state == before.document:
        return None
    values = record_values(state, source, key)
    if row is None or row.deleted_at is not None:
        return _Change(state, take_record(values, known, now=now), is_new=True)
    of_messages = [_hash(values)]
    if before is not None:
        of_messages.append(_hash(record_values(before.document, source, key)))
    is_ours = row.raw_hash in of_messages
    # What came another way under this key stands until messages tell who this is, and tell it later.
    if row.raw_hash == of_messages[0] or not (is_ours or state["values"]):
        return _Change(state, None, is_new=False)
    incoming = replace(take_record(values, known, now=now), replaces_any=is_ours)
    return _Change(state, incoming, is_new=False)


def _hash(values: Mapping[str, object]) -> str:
    return check_record(values, default_source=None).raw_hash


def _select_stored(connection: Connection, source_id: int, keys: Collection[str]) -> dict[str, Any]:
    bound = set_values(connection, "keys", keys)
    found = _stored(connection.dialect.name).fetch(connection, source_id=source_id, **bound)
    return {row.source_record_id: row for row in found}


@quick
def _stored(dialect: str) -> Select[Any]:
    keys = text_set(dialect, "keys")
    return select(
        source_records.c.record_id,
        source_records.c.source_record_id,
        source_records.c.raw_hash,
        source_records.c.deleted_at,
    ).where(
        source_records.c.source_id == bindparam("source_id"),
        source_records.c.source_record_id.in_(select(keys.c.id)),
    )
