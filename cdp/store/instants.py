"""The column type of instants: UTC, to the microsecond, in an order both databases keep.

SQLite has no time type, so an instant is text of one fixed width, `2026-11-20T12:00:00.000000Z`, whose
alphabetical order is the order in time. PostgreSQL keeps `timestamp with time zone`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

_WHOLE_SECONDS = len("2026-11-20T12:00:00+00:00")


def format_instant(instant: datetime) -> str:
    """Fixed-width text. Raises ValueError for a time without zone: it names no instant."""
    if instant.tzinfo is None:
        raise ValueError(f"An instant needs a time zone, and {instant.isoformat()} has none.")
    text = instant.astimezone(UTC).isoformat()
    # Asking for microseconds takes twice the time of writing them where there are none.
    return f"{text[:26]}Z" if len(text) > _WHOLE_SECONDS else f"{text[:19]}.000000Z"


def parse_instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class Instant(TypeDecorator[datetime]):
    """Takes aware datetimes of any zone, gives them back in UTC, refuses naive ones with ValueError."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        if value is None:
            return None
        if dialect.name != "postgresql":
            return format_instant(value)
        if value.tzinfo is None:
            raise ValueError(f"An instant needs a time zone, and {value.isoformat()} has none.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return parse_instant(value) if isinstance(value, str) else value.astimezone(UTC)


class InstantText(TypeDecorator[str]):
    """What format_instant gives, for reading many instants only to write them as text."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> str | None:
        return format_instant(value) if isinstance(value, datetime) else value
