"""Keep messages that a source sends: each once, with the record it belongs to and all that follows, in one write.

A message that comes again changes nothing; one that is refused is noted and stands in no other's way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from cdp.canonical import canonical_json
from cdp.engagement.event_effects import follow_events
from cdp.engagement.events import NewEvent, insert_events, select_known_messages
from cdp.engagement.message import Message
from cdp.engagement.people_of_messages import take_in_people
from cdp.engagement.rejected_messages import Rejection, insert_rejections
from cdp.engagement.tie_ids import Speaker, tie_ids
from cdp.errors import CdpError
from cdp.idempotency import Once
from cdp.identity.candidate_weights import weigh_candidates_of
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.realtime.ingest import Resolver, not_before_the_ledger, write_online
from cdp.realtime.known_sources import KnownSources, select_known_sources
from cdp.realtime.online_models import require_online_version
from cdp.realtime.receive import drain_what_waits
from cdp.store import read
from cdp.store.schema import outbox_events
from cdp.store.turns import writing_turn

# Others wait for a write on SQLite, and each visitor who is named in one takes some milliseconds.
MESSAGES_AT_ONCE = 50


class UnknownMessageSourceError(CdpError):
    """There is no source of this name yet."""

    reason = "unknown_source"


@dataclass(frozen=True)
class Received:
    """event_count: of messages that are kept now; repeated_count: of those that were, or came twice."""

    event_count: int
    repeated_count: int
    rejections: tuple[Rejection, ...]


@dataclass(frozen=True)
class _Sender:
    """Who sends, and what it takes to keep what they send."""

    resolver: Resolver
    known: KnownSources
    source: str
    author: str

    @property
    def source_id(self) -> int:
        return self.known[self.source][0].source_id


def receive_messages(
    resolver: Resolver,
    messages: Sequence[Message | Rejection],
    *,
    source: str,
    author: str,
    now: datetime,
    once: Once[Received] | None = None,
) -> Received:
    """In several writes where there are many, but in one with a call that is to be carried out once (see
    carry_out_once). Raises UnknownMessageSourceError."""
    with read(resolver.engine) as connection:
        known = select_known_sources(connection, [{"source": source}], allowed=None)
    if source not in known:
        raise UnknownMessageSourceError(f"There is no source {source}.", ids=[source])
    sender = _Sender(resolver, known, source, author)
    step = len(messages) if once is not None else MESSAGES_AT_ONCE
    parts = [messages[start : start + step] for start in range(0, len(messages), step or 1)] or [messages]
    received = [_write(sender, part, now=now, once=once) for part in parts]
    if len(messages) > 1:
        drain_what_waits(resolver, now)
    return Received(
        sum(each.event_count for each in received),
        sum(each.repeated_count for each in received),
        tuple(rejection for each in received for rejection in each.rejections),
    )


def _write(
    sender: _Sender, messages: Sequence[Message | Rejection], *, now: datetime, once: Once[Received] | None
) -> Received:
    def work(connection: Connection) -> Received:
        moment = not_before_the_ledger(connection, now)
        return _keep(connection, sender, messages, now=moment)

    with writing_turn(sender.resolver.engine):
        return write_online(sender.resolver, work, now=now, once=once)


def _keep(
    connection: Connection, sender: _Sender, messages: Sequence[Message | Rejection], *, now: datetime
) -> Received:
    rejections = tuple(each for each in messages if isinstance(each, Rejection))
    rejected_count = insert_rejections(connection, sender.source_id, rejections, now=now)
    sent = [each for each in messages if isinstance(each, Message)]
    new = _new(connection, sender.source_id, sent)
    event_ids, record_ids = _keep_new(connection, sender, new, now=now) if new else ([], [])
    if event_ids or rejected_count:
        told = {
            "source": sender.source,
            "event_ids": event_ids,
            "record_ids": record_ids,
            "rejected_count": rejected_count,
        }
        _tell(connection, sender, told, now=now)
    return Received(len(new), len(sent) - len(new), rejections)


def _keep_new(
    connection: Connection, sender: _Sender, new: Sequence[Message], *, now: datetime
) -> tuple[list[int], list[int]]:
    """The ids of the events, and of the records they belong to."""
    people = take_in_people(
        connection, sender.resolver, sender.known, sender.source, new, author=sender.author, now=now
    )
    events = [NewEvent(message, people.record_ids[message.record_key]) for message in new]
    event_ids = insert_events(connection, sender.source_id, events, now=now)
    follow_events(connection, list(zip(event_ids, events, strict=True)), people.births, now=now)
    version = require_online_version(connection, now=now)
    speaker = Speaker(connection, sender.resolver, sender.source_id, sender.source, version, now)
    tie_ids(speaker, new, created=people.created)
    record_ids = sorted({event.record_id for event in events})
    weigh_candidates_of(connection, record_ids)
    return event_ids, record_ids


def _new(connection: Connection, source_id: int, sent: Sequence[Message]) -> list[Message]:
    """The first of each message id that is not kept yet."""
    distinct = {message.message_id: message for message in reversed(sent)}
    known = select_known_messages(connection, source_id, distinct.keys())
    return [message for message_id, message in reversed(distinct.items()) if message_id not in known]


def _tell(connection: Connection, sender: _Sender, told: Mapping[str, object], *, now: datetime) -> None:
    """The audit entry, and what others are told. Ids only."""
    append_audit(connection, [AuditEntry(sender.author, "events.write", "events", sender.source, now, told)])
    connection.execute(
        outbox_events.insert(),
        {
            "kind": "events.received",
            "subject_id": sender.source,
            "payload": canonical_json(told),
            "created_at": now,
        },
    )
