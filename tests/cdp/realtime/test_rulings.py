"""What stewards ruled holds when records change and go, one record at a time as in a batch."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from cdp.identity.resolve import resolve_all
from cdp.identity.verify import verify_store
from cdp.store import write
from cdp.store.schema import pair_constraints
from tests.cdp.realtime.feeding import NOW, Feed, Limits, a_record, findings

ANA = {"full_name": "Ana Reis", "birth_date": "1980-02-29", "emails": ["ana@example.com"]}
BIA = {"full_name": "Bia Prado", "birth_date": "1981-01-01", "emails": ["bia@example.com"]}
CAIO = {"full_name": "Caio Lima", "birth_date": "1982-01-02", "emails": ["caio@example.com"]}
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def feed(store: Engine) -> Feed:
    return Feed(store)


def rule(feed: Feed, kind: str, *pairs: tuple[int, int]) -> None:
    rows = [
        {
            "kind": kind,
            "record_id_l": left,
            "record_id_r": right,
            "author": "s",
            "reason": "r",
            "valid_from": NOW,
        }
        for left, right in pairs
    ]
    with write(feed.engine) as connection:
        connection.execute(pair_constraints.insert(), rows)


def a_busy_customer(feed: Feed) -> None:
    """Records 1 to 8 say the same; 9 and 10 are of somebody else with the same e-mail and say more."""
    feed.ingest(*(a_record(str(number), **ANA) for number in range(1, 9)))
    other = {"full_name": "Eva Moura", "emails": ["ana@example.com"], "birth_date": "1990-03-03"}
    feed.ingest(a_record("a", **other), a_record("b", **other, address={"city": "Porto"}))
    assert people(feed) == [["1", "2", "3", "4", "5", "6", "7", "8"], ["a", "b"]]


def people(feed: Feed) -> list[list[str]]:
    return [[key for _, key in keys] for keys in findings(feed.engine).people]


def test_a_record_that_only_a_ruling_held_stays_when_the_other_goes(feed: Feed) -> None:
    feed.ingest(a_record("1", **ANA), a_record("2", **BIA))
    rule(feed, "must", (1, 2))
    resolve_all(feed.engine, clock=lambda: NOW)
    feed.ingest(a_record("3", **CAIO))

    feed.delete("shop", "1", now=LATER)

    assert people(feed) == [["2"], ["3"]]
    assert verify_store(feed.engine).breaches == []


def test_what_a_deleted_record_held_together_stays_together(feed: Feed) -> None:
    feed.ingest(a_record("1", **ANA), a_record("2", **BIA), a_record("3", **CAIO))
    rule(feed, "must", (1, 2), (1, 3))
    resolve_all(feed.engine, clock=lambda: NOW)

    feed.delete("shop", "1", now=LATER)
    assert people(feed) == [["2", "3"]]
    feed.ingest(a_record("2", day=50, **{**BIA, "full_name": "Beatriz Prado"}))

    assert people(feed) == [["2", "3"]]
    assert verify_store(feed.engine).breaches == []
    assert resolve_all(feed.engine, clock=lambda: LATER)["changes"] is not None
    assert people(feed) == [["2", "3"]]


def test_a_ruling_holds_again_for_a_record_that_comes_back(feed: Feed) -> None:
    feed.ingest(a_record("1", **ANA), a_record("2", source="web", **ANA))
    rule(feed, "cannot", (1, 2))
    resolve_all(feed.engine, clock=lambda: NOW)
    feed.delete("shop", "1", now=LATER)

    again = a_record("1", **ANA) | {"occurred_at": (LATER + timedelta(hours=1)).isoformat()}
    feed.ingest(again, now=LATER + timedelta(hours=2))

    assert people(feed) == [["1"], ["2"]]
    assert verify_store(feed.engine).breaches == []


@pytest.mark.parametrize(
    ("kind", "pairs"),
    [
        ("must", [(1, other) for other in (*range(2, 9), 11)]),
        ("cannot", [(one, other) for one in (1, 2, 3) for other in range(4, 9)]),
    ],
    ids=["joined with somebody", "split"],
)
def test_rulings_about_many_equal_records_fill_no_block(
    store: Engine, kind: str, pairs: list[tuple[int, int]]
) -> None:
    feed = Feed(store, Limits(cap=5))
    a_busy_customer(feed)
    feed.ingest(a_record("c", **CAIO))
    before = findings(feed.engine).edges

    rule(feed, kind, *pairs)
    resolve_all(feed.engine, clock=lambda: NOW)
    again = findings(feed.engine)
    feed.ingest(a_record("d", **BIA))
    feed.delete("shop", "d", now=LATER)

    assert ["a", "b"] in people(feed)
    assert len([edge for edge in again.edges if edge[3] != "repeat"]) <= len(before)
    assert findings(feed.engine) == again
    assert verify_store(feed.engine).breaches == []


def test_equal_records_of_a_ruling_stay_together_when_the_one_they_hung_on_goes(feed: Feed) -> None:
    feed.ingest(a_record("1", **ANA))
    feed.ingest(*(a_record(str(number), **BIA) for number in range(2, 5)), a_record("5", **CAIO))
    rule(feed, "must", (1, 2), (1, 3), (1, 4), (1, 5))
    resolve_all(feed.engine, clock=lambda: NOW)

    feed.delete("shop", "1", now=LATER)

    assert people(feed) == [["2", "3", "4", "5"]]
    assert verify_store(feed.engine).breaches == []
