"""A source `shop` that sends messages, to a store whose people can be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from cdp.engagement.message import Delivery, Message, RefusedMessageError, read_message
from cdp.engagement.receive_messages import Received, receive_messages
from cdp.engagement.rejected_messages import Rejection, reject
from cdp.store import read, schema
from tests.cdp.realtime.feeding import NOW
from tests.cdp.stewardship.desk import Desk

AUTHOR = "key:test"


def at(minutes: float) -> str:
    """A time before NOW, so many minutes after a fixed one."""
    return (NOW - timedelta(days=1) + timedelta(minutes=minutes)).isoformat()


def identify(message_id: str, user_id: str | None = None, **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": message_id, "userId": user_id, "traits": traits}


def track(message_id: str, user_id: str | None, event: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": message_id,
        "userId": user_id,
        "event": event,
        "properties": properties,
    }


def alias(message_id: str, previous_id: str, user_id: str) -> dict[str, Any]:
    return {"type": "alias", "messageId": message_id, "previousId": previous_id, "userId": user_id}


def visit(message_id: str, anonymous_id: str, user_id: str | None = None) -> dict[str, Any]:
    return {"type": "page", "messageId": message_id, "anonymousId": anonymous_id, "userId": user_id}


@dataclass
class Post:
    desk: Desk

    @property
    def engine(self) -> Engine:
        return self.desk.engine

    def send(self, *messages: Mapping[str, Any], source: str = "shop", now: datetime = NOW) -> Received:
        """One batch; what cannot be read is a rejection."""
        taken = [_taken(index, message, now) for index, message in enumerate(messages)]
        return receive_messages(self.desk.feed.resolver, taken, source=source, author=AUTHOR, now=now)

    def states(self, kind: str) -> dict[tuple[str, str], Any]:
        """Record key and subject to what is kept of it, where there is something to show."""
        table, records = schema.engagement_states, schema.source_records
        statement = (
            select(records.c.source_record_id, table)
            .join(records, records.c.record_id == table.c.record_id)
            .where(table.c.kind == kind)
        )
        with read(self.engine) as connection:
            return {(row.source_record_id, row.subject_id): row for row in connection.execute(statement)}

    def raw(self, key: str) -> str:
        with read(self.engine) as connection:
            return connection.scalars(
                select(schema.source_records.c.raw).where(schema.source_records.c.source_record_id == key)
            ).one()

    def count(self, table: Any) -> int:
        return len(self.desk.rows(table))


def _taken(index: int, message: Mapping[str, Any], now: datetime) -> Message | Rejection:
    try:
        return read_message(message, Delivery(now))
    except RefusedMessageError as error:
        return reject(index, message, error)
