"""A person's events, newest first: those of the records that are theirs now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select

from cdp.engagement.events import select_births
from cdp.store.schema import events, memberships, source_records
from cdp.store.schema import sources as sources_table


class Position(NamedTuple):
    """A page begins after it, whether there is an event or not."""

    occurred_at: datetime
    event_id: int


@dataclass(frozen=True)
class TimelineEvent:
    """properties, context: as they were sent."""

    event_id: int
    kind: str
    name: str | None
    occurred_at: datetime
    received_at: datetime
    source: str
    record_id: int
    properties: Mapping[str, Any]
    context: Mapping[str, Any]


def select_timeline(
    connection: Connection,
    profile_id: str,
    *,
    before: Position | None = None,
    limit: int,
    sources: Collection[str] | None = None,
) -> list[TimelineEvent]:
    """From what comes before that position; of equal times the one received last first. Sources: what the caller is
    bound to, None for all."""
    record_ids = _select_members(connection, profile_id, sources)
    if not record_ids:
        return []
    conditions = [events.c.record_id.in_(record_ids), *_since_birth(connection, record_ids)]
    if before is not None:
        conditions.append(_comes_before(before))
    # The index holds what this needs, so that only the events of the page are read whole.
    chosen = (
        select(events.c.event_id)
        .where(*conditions)
        .order_by(events.c.occurred_at.desc(), events.c.event_id.desc())
        .limit(limit)
    )
    statement = (
        select(events, sources_table.c.name.label("source"))
        .join(sources_table, sources_table.c.source_id == events.c.source_id)
        .where(events.c.event_id.in_(connection.scalars(chosen).all()))
        .order_by(events.c.occurred_at.desc(), events.c.event_id.desc())
    )
    return [
        TimelineEvent(
            event_id=row.event_id,
            kind=row.kind,
            name=row.name,
            occurred_at=row.occurred_at,
            received_at=row.received_at,
            source=row.source,
            record_id=row.record_id,
            properties=orjson.loads(row.properties),
            context=orjson.loads(row.context),
        )
        for row in connection.execute(statement)
    ]


def _select_members(
    connection: Connection, profile_id: str, sources: Collection[str] | None
) -> Sequence[int]:
    """Those with events: of a big profile most have none."""
    has_events = exists().where(events.c.record_id == memberships.c.record_id)
    statement = select(memberships.c.record_id).where(
        memberships.c.profile_id == profile_id, memberships.c.valid_to.is_(None), has_events
    )
    if sources is not None:
        statement = (
            statement.join(source_records, source_records.c.record_id == memberships.c.record_id)
            .join(sources_table, sources_table.c.source_id == source_records.c.source_id)
            .where(sources_table.c.name.in_(sorted(sources)))
        )
    return connection.scalars(statement.order_by(memberships.c.record_id)).all()


def _since_birth(connection: Connection, record_ids: Sequence[int]) -> list[ColumnElement[bool]]:
    """Of records that were deleted once, what came after that."""
    return [
        or_(
            events.c.record_id != record_id,
            and_(events.c.occurred_at > since, events.c.received_at > since),
        )
        for record_id, since in select_births(connection, record_ids).items()
    ]


def _comes_before(place: Position) -> ColumnElement[bool]:
    moment, event_id = place
    return or_(
        events.c.occurred_at < moment, and_(events.c.occurred_at == moment, events.c.event_id < event_id)
    )
