"""Golden records made from the store, in chunks of any size, and whether those stored are still true."""

from __future__ import annotations

import json

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
