"""Instants as sources tell them: ISO 8601 texts, with a time zone or without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

# Clocks of channels run ahead by minutes, and a time without zone by hours.
FUTURE_AT_MOST = timedelta(days=1)


class InstantOutOfRangeError(ValueError):
    """A time that could be one and lies where no record is from."""


def format_instant(instant: datetime) -> str:
    """The shortest exact form in UTC: `2026-11-20T12:00:00Z`."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_instant(text: str, time_zone: tzinfo) -> datetime:
    """An ISO 8601 date or time as an instant. Raises ValueError for what is none, and
    InstantOutOfRangeError for what lies before 1900 or after 9999."""
    moment = datetime.fromisoformat(text.strip())
    try:
        instant = (moment if moment.tzinfo else moment.replace(tzinfo=time_zone)).astimezone(UTC)
    except OverflowError as error:
        raise InstantOutOfRangeError(text) from error
    if instant.year < 1900:
        raise InstantOutOfRangeError(text)
    return instant
