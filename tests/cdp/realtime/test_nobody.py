"""A record with neither a name nor an identifier is resolved with nobody, whatever else it says, on either way in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cdp.identity.models import insert_model, replace_activation
from cdp.identity.resolve import resolve_all
from cdp.identity.verify import verify_store
from cdp.store import write
from tests.cdp.realtime.feeding import NOW, Feed, a_record, findings
from tests.resolution.builders import prior_model

HOME = {
    "street": "Rua das Flores, 10",
    "city": "Recife",
    "region": "PE",
    "postal_code": "50050-230",
    "country": "BR",
}
NOBODY: dict[str, Any] = {"birth_date": "1980-02-29", "address": HOME}
ANA: dict[str, Any] = {"full_name": "Ana Reis", "emails": ["ana@example.com"], **NOBODY}


@pytest.fixture(params=["small, sqlite", "small, postgresql", "shipped, sqlite"])
def feed(request: pytest.FixtureRequest) -> Feed:
    """With the small model in force, or with the shipped one."""
    name, database = request.param.split(", ")
    feed = Feed(request.getfixturevalue(f"{database}_store"))
    if name == "shipped":
        model = replace(prior_model(), version=1)
        with write(feed.engine) as connection:
            insert_model(connection, model, label="people", report={}, seed=0, record_count=0, now=NOW)
            replace_activation(connection, 1, author="test", reason="shipped", now=NOW)
    return feed


def people(feed: Feed) -> list[list[str]]:
    return [[key for _, key in keys] for keys in findings(feed.engine).people]


@pytest.mark.parametrize(
    "values",
    [
        NOBODY,
        {"birth_date": "1980-02-29", "address": {"city": "Recife"}},
        {"birth_date": "1980-02-29", "emails": ["nao@tem.com"], "gender": "f"},
        {"birth_date": "1980-02-29", "documents": [{"type": "cnpj", "number": "11.222.333/0001-81"}]},
        {"attributes": {"occupation": "dentist", "mother_name": "Clara Reis"}, **NOBODY},
    ],
    ids=["date and address", "date and city", "junk", "a company's number", "what else may be said"],
)
def test_equal_records_that_name_nobody_stay_apart(feed: Feed, values: dict[str, Any]) -> None:
    feed.ingest(a_record("1", **values), a_record("2", **values))
    feed.ingest(a_record("3", source="web", **values))
    one_by_one = findings(feed.engine)

    resolve_all(feed.engine, clock=lambda: NOW)

    assert people(feed) == [["1"], ["2"], ["3"]]
    assert (one_by_one.edges, one_by_one.keys, one_by_one.candidates) == (set(), set(), [])
    assert findings(feed.engine) == one_by_one
    assert verify_store(feed.engine).breaches == []


@pytest.mark.parametrize("order", [("ana", "nobody"), ("nobody", "ana")], ids="-".join)
def test_who_names_nobody_joins_no_one_of_that_date_and_address(feed: Feed, order: tuple[str, ...]) -> None:
    raws = {"ana": a_record("ana", **ANA), "nobody": a_record("nobody", **NOBODY)}

    for each in order:
        feed.ingest(raws[each])

    one_by_one = findings(feed.engine)
    assert people(feed) == [["ana"], ["nobody"]]
    assert one_by_one.candidates == []
    resolve_all(feed.engine, clock=lambda: NOW)
    assert findings(feed.engine) == one_by_one


def test_who_gives_a_name_later_is_resolved_by_all_they_say(feed: Feed) -> None:
    feed.ingest(a_record("1", **ANA), a_record("2", **NOBODY))

    feed.ingest(a_record("2", day=50, full_name="Ana Reis", **NOBODY))
    named = people(feed)
    feed.ingest(a_record("2", day=60, **NOBODY))

    assert (named, people(feed)) == ([["1", "2"]], [["1"], ["2"]])
    assert verify_store(feed.engine).breaches == []
