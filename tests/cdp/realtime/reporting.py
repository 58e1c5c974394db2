"""Reports about identifiers, filed and withdrawn on a store that is fed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cdp.identity.identifier_reports import select_held_values
from cdp.identity.look_up import standardize_presented
from cdp.realtime.report_identifier import (
    NewReport,
    Reported,
    Reporter,
    report_identifier,
    withdraw_report,
)
from cdp.store import read
from resolution import Value
from resolution.standardize import Identifier
from tests.cdp.realtime.feeding import NOW, Feed

REPORTER = Reporter("key:test")


def report(
    feed: Feed,
    kind: str,
    value: str,
    outcome: str = "wrong_person",
    *,
    reporter: Reporter = REPORTER,
    now: datetime = NOW,
    **particulars: Any,
) -> Reported:
    identifier = standardize_presented(kind, value, "BR", as_typed=True)
    assert isinstance(identifier, Identifier), identifier
    new = NewReport(identifier, outcome, **particulars)
    return report_identifier(feed.resolver, new, reporter, now=now)


def withdraw(feed: Feed, report_id: int, *, reporter: Reporter = REPORTER, now: datetime = NOW) -> Reported:
    return withdraw_report(feed.resolver, report_id, reporter, reason=None, now=now)


def held(feed: Feed) -> frozenset[Value]:
    with read(feed.engine) as connection:
        return select_held_values(connection)
