"""Golden records made from the store, in chunks of any size, and whether those stored are still true."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from sqlalchemy import Engine, update

from cdp.identity.golden import open_memberships, select_survivorship, stream_golden, stream_members
from cdp.identity.snapshot import find_differing_golden
from cdp.store import read, schema, write
from tests.cdp.identity.resolving import (
    ANA,
    ANA_AGAIN,
    BRUNO,
    CLARA,
    a_record,
    add_records,
    profile_of,
    resolve,
    rows,
)


@pytest.fixture
def resolved(people_store: Engine) -> Engine:
    """Ana of a1 and a2, Bruno without any identifier, Clara; Ana's phone and birth date are verified."""
    add_records(
        people_store,
        a_record("a1", ANA, verified=["phones", "birth_date"]),
        a_record("b1", {**BRUNO, "phones": []}),
        a_record("a2", {**ANA_AGAIN, "birth_date": "1980-02-28"}, occurred_at="2026-05-01T00:00:00Z"),
        a_record("c1", CLARA),
    )
    resolve(people_store)
    return people_store


def test_members_come_with_their_own_identifiers(resolved: Engine) -> None:
    with read(resolved) as connection:
        assigned = open_memberships().subquery("assigned")
        streamed = stream_members(connection, assigned, select_survivorship(connection))
        members = dict(streamed)

    kinds = {
        member.source_record_id: [kind for kind, _, _ in member.identifiers]
        for found in members.values()
        for member in found
    }
    assert kinds == {"a1": ["phone"], "a2": ["email", "phone"], "b1": [], "c1": ["email"]}


def test_a_value_that_its_record_says_is_verified_survives(resolved: Engine) -> None:
    ana = next(row for row in rows(resolved, "profiles") if row["profile_id"] == profile_of(resolved, "a1"))

    birth_date = ana["golden"]["attributes"]["birth_date"]
    assert (birth_date["value"], birth_date["rule"]) == ("1980-02-29", "verified")
    phone = next(each for each in ana["golden"]["identifiers"] if each["type"] == "phone")
    assert (phone["verified"], phone["record_ids"]) == (True, [1, 3])


def test_stored_text_is_canonical(resolved: Engine) -> None:
    with read(resolved) as connection:
        assigned = open_memberships().subquery("assigned")
        texts = [text for _, _, text in stream_golden(connection, assigned, select_survivorship(connection))]

    assert texts == [
        json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        for text in texts
    ]


def test_a_golden_record_that_differs_is_found_among_all(resolved: Engine) -> None:
    clara = profile_of(resolved, "c1")
    with write(resolved) as connection:
        connection.execute(
            update(schema.profiles).where(schema.profiles.c.profile_id == clara).values(golden="{}")
        )

    with read(resolved) as connection:
        found = list(find_differing_golden(connection, select_survivorship(connection)))

    assert found == [clara]


def test_another_trust_gives_another_digest(resolved: Engine) -> None:
    with read(resolved) as connection:
        before = select_survivorship(connection).digest()
    with write(resolved) as connection:
        connection.execute(update(schema.sources).values(trust=99))

    with read(resolved) as connection:
        assert select_survivorship(connection).digest() != before


def test_a_standardized_record_in_any_order_of_keys_gives_the_same_members(resolved: Engine) -> None:
    before = read_values(resolved)
    with write(resolved) as connection:
        for row in rows(resolved, "source_records"):
            turned = json.dumps(dict(reversed(row["standardized"].items())))
            connection.execute(
                update(schema.source_records)
                .where(schema.source_records.c.record_id == row["record_id"])
                .values(standardized=turned)
            )

    assert read_values(resolved) == before
    assert {"full_name", "birth_date"} <= before["a1"].keys()


def read_values(store: Engine) -> dict[str, Mapping[str, object]]:
    """The values of every member by the key of its record."""
    with read(store) as connection:
        assigned = open_memberships().subquery("assigned")
        streamed = stream_members(connection, assigned, select_survivorship(connection))
        return {member.source_record_id: member.values for _, found in streamed for member in found}


def test_members_tell_when_they_occurred_as_text_in_utc(resolved: Engine) -> None:
    with read(resolved) as connection:
        assigned = open_memberships().subquery("assigned")
        streamed = stream_members(connection, assigned, select_survivorship(connection))
        moments = {member.source_record_id: member.occurred_at for _, found in streamed for member in found}

    assert (moments["a1"], moments["a2"]) == ("2026-01-01T00:00:00.000000Z", "2026-05-01T00:00:00.000000Z")
