"""Keep messages that a source sends: each once, with the record it belongs to and all that follows, in one write.

A message that comes again changes nothing; one that is refused is noted and stands in no other's way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from cdp.canonical import canonical_json
from cdp.engagement.event_effects import follow_events
from cdp.engagement.events import NewEvent, insert_events, select_known_messages
from cdp.engagement.message import Message
from cdp.engagement.people_of_messages import People, take_in_people
from cdp.engagement.rejected_messages import Rejection, insert_rejections
from cdp.engagement.tie_ids import Speaker, tie_ids
from cdp.errors import CdpError
from cdp.idempotency import Once
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.realtime.ingest import Resolver, not_before_the_ledger, write_online
from cdp.realtime.known_sources import KnownSources, select_known_sources
from cdp.realtime.online_models import require_online_version
from cdp.realtime.receive import drain_what_waits
from cdp.store import read
from cdp.store.schema import outbox_events
from cdp.store.turns import writing_turn


class UnknownMessageSourceError(CdpError):
    """There is no source of this name yet."""

    reason = "unknown_source"


@dataclass(frozen=True)
class Received:
    """event_count: of messages that are kept now; repeated_count: of those that were, or came twice."""

    event_count: int
    repeated_count: int
    rejections: tuple[Rejection, ...]


def receive_messages(
    resolver: Resolver,
    messages: Sequence[Message | Rejection],
    *,
    source: str,
    author: str,
    now: datetime,
    once: Once[Received] | None = None,
) -> Received:
    """Raises UnknownMessageSourceError. Once: see carry_out_once."""
    with read(resolver.engine) as connection:
        known = select_known_sources(connection, [{"source": source}], allowed=None)
    if source not in known:
        raise UnknownMessageSourceError(f"There is no source {source}.", ids=[source])

    def work(connection: Connection) -> Received:
        return _keep(connection, resolver, known, messages, source=source, author=author, now=now)

    with writing_turn(resolver.engine):
        received = write_online(resolver, work, now=now, once=once)
    if received.event_count > 1:
        drain_what_waits(resolver, now)
    return received


def _keep(
    connection: Connection,
    resolver: Resolver,
    known: KnownSources,
    messages: Sequence[Message | Rejection],
    *,
    source: str,
    author: str,
    now: datetime,
) -> Received:
    moment = not_before_the_ledger(connection, now)
    source_id = known[source][0].source_id
    rejections = tuple(each for each in messages if isinstance(each, Rejection))
    rejected_count = insert_rejections(connection, source_id, rejections, now=moment)
    sent = [each for each in messages if isinstance(each, Message)]
    new = _new(connection, source_id, sent)
    event_ids: list[int] = []
    record_ids: set[int] = set()
    if new:
        people = take_in_people(connection, resolver, known, source, new, author=author, now=moment)
        events = [NewEvent(message, people.record_ids[message.record_key]) for message in new]
        event_ids = insert_events(connection, source_id, events, now=moment)
        follow_events(connection, list(zip(event_ids, events, strict=True)), people.births, now=moment)
        _tie(connection, resolver, known, source, new, people, moment)
        record_ids = {event.record_id for event in events}
    if event_ids or rejected_count:
        _tell(connection, source, event_ids, record_ids, rejected_count, author=author, now=moment)
    return Received(len(new), len(sent) - len(new), rejections)


def _new(connection: Connection, source_id: int, sent: Sequence[Message]) -> list[Message]:
    """The first of each message id that is not kept yet."""
    distinct = {message.message_id: message for message in reversed(sent)}
    known = select_known_messages(connection, source_id, distinct.keys())
    return [message for message_id, message in reversed(distinct.items()) if message_id not in known]


def _tie(
    connection: Connection,
    resolver: Resolver,
    known: KnownSources,
    source: str,
    new: Sequence[Message],
    people: People,
    moment: datetime,
) -> None:
    version = require_online_version(connection, now=moment)
    source_id = known[source][0].source_id
    speaker = Speaker(connection, resolver, source_id, source, version, moment)
    tie_ids(speaker, new, created=people.created)


def _tell(
    connection: Connection,
    source: str,
    event_ids: Sequence[int],
    record_ids: set[int],
    rejected_count: int,
    *,
    author: str,
    now: datetime,
) -> None:
    """The audit entry, and what others are told. Ids only."""
    told = {
        "source": source,
        "event_ids": list(event_ids),
        "record_ids": sorted(record_ids),
        "rejected_count": rejected_count,
    }
    append_audit(connection, [AuditEntry(author, "events.write", "events", source, now, told)])
    connection.execute(
        outbox_events.insert(),
        {
            "kind": "events.received",
            "subject_id": source,
            "payload": canonical_json(told),
            "created_at": now,
        },
    )
