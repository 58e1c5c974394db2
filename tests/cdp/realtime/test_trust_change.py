"""Another trust of a source counts for the next record of a profile, and for all of them at the next resolution."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, select

from cdp.identity.register_source import change_source
from cdp.identity.resolve import resolve_all
from cdp.identity.verify import verify_store
from cdp.store import read
from cdp.store.schema import profiles
from tests.cdp.realtime.feeding import NOW, Feed, a_record

ANA = {"emails": ["ana@example.com"], "birth_date": "1980-02-29"}
BIA = {"emails": ["bia@example.com"], "birth_date": "1971-11-05"}


@pytest.fixture
def feed(store: Engine) -> Feed:
    """Two people of whom the shop says less than the web, and then the shop is trusted more."""
    feed = Feed(store)
    for key, facts, short, long in (
        ("a", ANA, "Ana Reis", "Ana Lima Reis"),
        ("b", BIA, "Bia Reis", "Bia Lima Reis"),
    ):
        feed.ingest(a_record(key, full_name=short, **facts))
        feed.ingest(a_record(key, source="web", full_name=long, **facts))
    change_source(store, "shop", trust=90, claims=None, actor="test", now=NOW)
    return feed


def names(store: Engine) -> list[str]:
    with read(store) as connection:
        texts = connection.scalars(select(profiles.c.golden).where(profiles.c.state == "live"))
        return sorted(json.loads(text)["attributes"]["full_name"]["value"] for text in texts)


def test_until_then_verify_tells_which_golden_records_differ(feed: Feed) -> None:
    found = {breach.check for breach in verify_store(feed.engine, partition=False).breaches}

    assert names(feed.engine) == ["Ana Lima Reis", "Bia Lima Reis"]
    assert found == {"golden"}


def test_a_record_that_comes_makes_the_golden_record_of_its_profile_anew(feed: Feed) -> None:
    feed.ingest(a_record("a2", full_name="Ana Reis", gender="f", **ANA))

    assert names(feed.engine) == ["Ana Reis", "Bia Lima Reis"]


def test_a_resolution_makes_them_all_anew(feed: Feed) -> None:
    resolve_all(feed.engine, clock=lambda: NOW)

    assert names(feed.engine) == ["Ana Reis", "Bia Reis"]
    assert verify_store(feed.engine).breaches == []
