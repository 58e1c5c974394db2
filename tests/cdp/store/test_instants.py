"""Instants keep their order and their zone on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.exc import StatementError

from cdp.store import insert_rows, read, schema, write
from cdp.store.instants import format_instant, parse_instant
from tests.cdp.store.rows import NOW, insert_like

instants = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(instants)
def test_text_gives_the_instant_back(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant


@given(instants, instants)
def test_text_order_is_time_order(first: datetime, second: datetime) -> None:
    assert (format_instant(first) < format_instant(second)) == (first < second)


@given(instants)
def test_text_has_one_width(instant: datetime) -> None:
    assert len(format_instant(instant)) == len("2026-11-20T12:00:00.000000Z")


def test_an_instant_without_zone_is_refused(store: Engine) -> None:
    naive = NOW.replace(tzinfo=None)

    with pytest.raises(StatementError, match="time zone"), write(store) as connection:
        insert_like(connection, "outbox_events", created_at=naive)


def test_a_bulk_instant_without_zone_is_refused(store: Engine) -> None:
    naive = NOW.replace(tzinfo=None)

    with pytest.raises(ValueError, match="time zone"), write(store) as connection:
        insert_rows(connection, schema.sources, [(1, "crm", "BR", None, "dmy", 50, "{}", naive)])


def test_instants_of_any_zone_come_back_in_utc_and_in_order(store: Engine) -> None:
    brasilia = timezone(timedelta(hours=-3))
    early, late = datetime(2026, 1, 1, 20, 0, tzinfo=UTC), datetime(2026, 1, 1, 18, 0, tzinfo=brasilia)
    created_at = schema.outbox_events.c.created_at

    with write(store) as connection:
        insert_like(connection, "outbox_events", event_id=1, created_at=late)
        insert_like(connection, "outbox_events", event_id=2, created_at=early)

    with read(store) as connection:
        found = list(connection.scalars(select(created_at).order_by(created_at)))
        newer = connection.scalars(select(schema.outbox_events.c.event_id).where(created_at > early)).all()
    assert found == [early, late]
    assert [each.utcoffset() for each in found] == [timedelta(0), timedelta(0)]
    assert newer == [1]
