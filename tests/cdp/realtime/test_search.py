"""Whom a partial record could be of: as the model that resolves records has it, and nothing of it kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

import resolution.search
from cdp.realtime.incoming import RefusedRecordError
from cdp.realtime.search import NothingToSearchByError, Search, Sought, search_profiles
from cdp.store import read
from tests.cdp.realtime.feeding import NOW, Feed, Limits, a_record, random_records

ANA = {"full_name": "Ana Reis", "birth_date": "1980-02-29", "emails": ["ana@example.com"]}
LISBOA = {"city": "Lisboa"}
EVERYTHING = -50.0
NAMES = ("Ana", "Bia", "Caio", "Davi", "Eva", "Fabio")


@pytest.fixture
def feed(sqlite_store: Engine) -> Feed:
    return Feed(sqlite_store)


def search(feed: Feed, values: dict[str, Any], **options: Any) -> Search:
    asked = {"language": "en", "limit": 10, "minimum_weight": EVERYTHING, **options}
    with read(feed.engine) as connection:
        return search_profiles(connection, feed.resolver.models, Sought(values, "BR", NOW), **asked)


def test_every_record_that_names_somebody_finds_its_own_profile_first(feed: Feed) -> None:
    naming = {"full_name", "emails", "documents"}
    records = [
        record
        for record in random_records(seed=3, count=60)
        if "birth_date" in record and not naming.isdisjoint(record)
    ]
    written = feed.ingest(*records)
    standing = [
        (record, answer.profile_id)
        for record, answer in zip(records, written, strict=True)
        if answer.outcome != "superseded"
    ]

    found = [(search(feed, record).profiles, profile_id) for record, profile_id in standing]

    assert len(found) > 20
    for profiles, profile_id in found:
        heaviest = [each for each in profiles if each.match_weight >= profiles[0].match_weight - 1e-9]
        assert profile_id in [each.profile_id for each in heaviest]


def test_the_mean_is_over_all_records_also_those_that_no_block_proposes(feed: Feed) -> None:
    [first] = feed.ingest(a_record("1", **ANA, address=LISBOA))
    feed.ingest(a_record("2", source="web", emails=["ana@example.com"], birth_date="1980-02-29"))
    feed.ingest(
        a_record("3", source="web", emails=["ana@example.com"], birth_date="1980-02-29", address=LISBOA)
    )

    [found] = search(feed, {"full_name": "Ana Reis", "address": {"city": "Porto"}}).profiles

    assert (found.profile_id, found.record_count) == (first.profile_id, 3)
    assert found.record_id == first.record_id
    alone = {1: found.match_weight}
    # Of the two others, one has nothing in common to compare, and one a different city.
    prior = found.pair.prior_match_weight
    city = next(each.match_weight for each in found.pair.comparisons if each.comparison == "city")
    expected = (alone[1] + prior + (prior + city)) / 3
    assert found.mean_match_weight == pytest.approx(expected)


def test_equal_records_of_a_profile_are_found_though_one_stands_for_all(feed: Feed) -> None:
    feed.ingest(*(a_record(str(number), **ANA) for number in range(3)))

    [found] = search(feed, ANA).profiles

    assert found.record_count == 3
    assert found.mean_match_weight == pytest.approx(found.match_weight)


def test_a_block_above_its_cap_proposes_nobody(sqlite_store: Engine) -> None:
    feed = Feed(sqlite_store, Limits(cap=2))
    feed.ingest(
        *(a_record(str(day), full_name="Ana Reis", birth_date=f"1980-02-{10 + day}") for day in range(3))
    )

    assert search(feed, {"full_name": "Ana Reis"}).profiles == []
    assert len(search(feed, {"full_name": "Ana Reis", "birth_date": "1980-02-11"}).profiles) == 1


def test_a_generic_value_points_at_nobody(feed: Feed) -> None:
    feed.ingest(
        *(
            a_record(
                name, full_name=f"{name} Moura", emails=["grupo7@example.com"], birth_date=f"19{year}-01-01"
            )
            for year, name in enumerate(NAMES, start=40)
        )
    )
    feed.drain()

    assert search(feed, {"emails": ["grupo7@example.com"]}).profiles == []


def test_only_so_many_profiles_are_looked_at_whole(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.ingest(*(a_record(name, full_name=f"{name} Moura", address=LISBOA) for name in NAMES))
    monkeypatch.setattr(resolution.search, "CLUSTERS_AT_MOST", 3)

    found = search(feed, {"full_name": "Caio Lima", "address": LISBOA}).profiles

    assert len(found) == 3
    assert found[0].match_weight > found[1].match_weight == found[2].match_weight


def test_without_a_minimum_it_is_the_weight_that_stewards_are_asked_from(feed: Feed) -> None:
    feed.ingest(
        a_record("1", full_name="Ana Reis", address=LISBOA),
        a_record("2", full_name="Rui Costa", address=LISBOA),
    )
    asked = {"full_name": "Ana Reis", "address": LISBOA}

    usual = search(feed, asked, minimum_weight=None).profiles
    everything = search(feed, asked).profiles

    assert [each.match_weight > -2 for each in everything] == [True, False]
    assert usual == everything[:1]


def test_whoever_asks_for_no_one_is_told_why(feed: Feed) -> None:
    with pytest.raises(NothingToSearchByError) as caught:
        search(feed, {"phones": ["000"]})

    assert [each.field for each in caught.value.refusals] == ["/phones/0"]


def test_what_is_no_part_of_a_record_is_refused(feed: Feed) -> None:
    with pytest.raises(RefusedRecordError) as caught:
        search(feed, {"full_name": ["Ana"]})

    assert (caught.value.code, caught.value.pointer) == ("wrong_type", "/full_name")


def test_a_record_that_names_nobody_is_found_by_none(feed: Feed) -> None:
    nobody = a_record("1", birth_date="1980-02-29", address={"city": "Lisboa"})
    feed.ingest(nobody)

    assert search(feed, nobody).profiles == []
