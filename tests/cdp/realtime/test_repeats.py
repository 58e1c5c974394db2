"""Which of equal records stands for the others, when it comes, changes and goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from cdp.identity.models import insert_model, replace_activation
from cdp.identity.resolve import resolve_all
from cdp.store import write
from tests.cdp.realtime.feeding import NOW, Feed, Findings, a_record, findings
from tests.resolution.builders import prior_model

SWITCHBOARD = ["+551130001000"]
NAMES = [
    "Ana",
    "Bia",
    "Caio",
    "Davi",
    "Eva",
    "Fabio",
    "Gil",
    "Helena",
    "Ivo",
    "Joana",
    "Karla",
    "Lia",
    "Marcos",
    "Nuno",
]
# No rule proposes a pair of these: their phone is everybody's, and they give neither a name nor a postal code.
UNBLOCKED: dict[str, Any] = {
    "phones": SWITCHBOARD,
    "birth_date": "1980-02-29",
    "address": {"street": "Rua das Flores, 10", "city": "Recife"},
}


@pytest.fixture
def feed(sqlite_store: Engine) -> Feed:
    """The shipped model in force, and a phone that everybody gives."""
    feed = Feed(sqlite_store)
    model = replace(prior_model(), version=1)
    with write(sqlite_store) as connection:
        insert_model(connection, model, label="people", report={}, seed=0, record_count=0, now=NOW)
        replace_activation(connection, 1, author="test", reason="shipped", now=NOW)
    feed.ingest(*(a_record(name, full_name=f"{name} Reis", phones=SWITCHBOARD) for name in NAMES))
    return feed


def hanging(found: Findings) -> set[tuple[str, str]]:
    return {(one[1], other[1]) for one, other, _, origin in found.edges if origin == "repeat"}


def test_records_without_keys_hang_on_the_first_of_them(feed: Feed) -> None:
    feed.ingest(*(a_record(key, **UNBLOCKED) for key in ("m", "n", "o")))
    feed.ingest(a_record("b", **UNBLOCKED))
    preceded = findings(feed.engine)

    feed.delete("shop", "b")

    again = findings(feed.engine)
    assert hanging(preceded) == {("b", "m"), ("b", "n"), ("b", "o")}
    assert hanging(again) == {("m", "n"), ("m", "o")}
    resolve_all(feed.engine, clock=lambda: NOW)
    assert findings(feed.engine) == again
