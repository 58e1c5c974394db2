"""Instants are the same numbers of days in the database and here."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, literal, select

from cdp.store import Instant, read
from cdp.store.days import days_of, days_since_epoch


@pytest.mark.parametrize(
    "instant",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 22, 10, 0, 0, 250_000, tzinfo=UTC),
        datetime(1931, 2, 28, 23, 59, 59, tzinfo=UTC),
    ],
    ids=str,
)
def test_days_in_the_database_are_days_here(store: Engine, instant: datetime) -> None:
    with read(store) as connection:
        days = connection.scalar(select(days_of(literal(instant, Instant))))

    assert days == pytest.approx(days_since_epoch(instant), abs=2e-8)
