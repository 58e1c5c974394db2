"""Who holds the identifiers a channel presents."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, update

from cdp.identity import look_up as look_up_module
from cdp.identity.look_up import Found, Identifier, Refusal, look_up, standardize_presented
from cdp.store import read, schema, write
from tests.builders import BuiltProfile, StoreBuilder, a_record

RUI = a_record(source_record_id="c-2", full_name="Rui Reis", emails=["rui@example.com"])
NOBODY = Found(None, {})


@pytest.fixture
def people(store: Engine) -> StoreBuilder:
    return StoreBuilder(store)


def find(people: StoreBuilder, *presented: tuple[str, str], sources: list[str] | None = None) -> Found:
    identifiers = [standardize_presented(kind, value, "BR") for kind, value in presented]
    assert all(isinstance(each, Identifier) for each in identifiers)
    with read(people.engine) as connection:
        return look_up(connection, identifiers, sources=sources)  # type: ignore[arg-type]


def test_a_value_finds_the_profile_of_its_records(people: StoreBuilder) -> None:
    ana = people.add_profile(a_record(), a_record(source_record_id="c-2"))

    assert find(people, ("phone", "(11) 98765-4321")) == Found(ana.profile_id, {})
    assert find(people, ("email", "ANA@example.com ")) == Found(ana.profile_id, {})


def test_a_value_that_nobody_holds_finds_nobody(people: StoreBuilder) -> None:
    people.add_profile(a_record())

    assert find(people, ("email", "rui@example.com")) == NOBODY


def test_a_phone_is_found_without_its_ninth_digit(people: StoreBuilder) -> None:
    ana = people.add_profile(a_record(phones=None))
    people.add_identifier(ana.record_ids[0], "phone", "+551187654321", "551187654321")

    assert find(people, ("phone", "11 98765-4321")).profile_id == ana.profile_id


@pytest.mark.parametrize(
    ("held", "presented"),
    [
        (["45 3278-2153"], "5545932782153"),
        (["5545932782153"], "45 3278-2153"),
        (["45 3278-2153", "5545932782153"], "45 3278-2153"),
        (["45 3278-2153", "5545932782153"], "+55 45 93278-2153"),
        (["11 97654-3210"], "551176543210"),
        (["551176543210"], "11 97654-3210"),
        (["551187654321"], "11 98765-4321"),
        (["11 98765-4321"], "551187654321"),
    ],
    ids=lambda value: " and ".join(value) if isinstance(value, list) else value,
)
def test_either_form_of_a_line_finds_its_person(
    held: list[str], presented: str, people: StoreBuilder
) -> None:
    ana = people.add_profile(a_record(phones=held))

    assert find(people, ("phone", presented)) == Found(ana.profile_id, {})


def take_claims(people: StoreBuilder, source: str) -> None:
    """Let the source be one where the public types."""
    with write(people.engine) as connection:
        connection.execute(
            update(schema.sources).where(schema.sources.c.name == source).values(settings='{"claims":true}')
        )


@pytest.fixture
def ana_and_a_signup(people: StoreBuilder) -> tuple[BuiltProfile, BuiltProfile]:
    """Ana in crm, and a form that somebody sent with her e-mail and phone, and a phone of their own."""
    ana = people.add_profile(a_record())
    signup = people.add_profile(
        a_record(
            source="newsletter",
            full_name=None,
            birth_date=None,
            phones=["11 98765-4321", "21 99876-1234"],
        )
    )
    take_claims(people, "newsletter")
    return ana, signup


@pytest.mark.parametrize(
    "presented",
    [
        [("email", "ana@example.com")],
        [("phone", "11 98765-4321")],
        [("email", "ana@example.com"), ("phone", "11 98765-4321")],
        [("email", "ana@example.com"), ("phone", "31 98888-1234")],
    ],
    ids=lambda presented: " and ".join(kind for kind, _ in presented),
)
def test_a_claim_makes_nobody_ambiguous(
    presented: list[tuple[str, str]],
    people: StoreBuilder,
    ana_and_a_signup: tuple[BuiltProfile, BuiltProfile],
) -> None:
    ana, _ = ana_and_a_signup

    assert find(people, *presented) == Found(ana.profile_id, {})


def test_what_is_only_claimed_finds_who_claims_it(
    people: StoreBuilder, ana_and_a_signup: tuple[BuiltProfile, BuiltProfile]
) -> None:
    _, signup = ana_and_a_signup

    assert find(people, ("phone", "21 99876-1234")) == Found(signup.profile_id, {})


def test_what_two_merely_claim_names_them_both(people: StoreBuilder) -> None:
    first = people.add_profile(a_record(source="newsletter", phones=None))
    second = people.add_profile(a_record(source="newsletter", source_record_id="c-2", phones=None))
    take_claims(people, "newsletter")

    found = find(people, ("email", "ana@example.com"))

    assert found == Found(None, {first.profile_id: (0,), second.profile_id: (0,)})


def test_what_a_form_verified_is_no_claim(people: StoreBuilder) -> None:
    ana = people.add_profile(a_record(phones=None))
    signup = people.add_profile(a_record(source="newsletter", phones=None, verified=["emails"]))
    take_claims(people, "newsletter")

    found = find(people, ("email", "ana@example.com"))

    assert found == Found(None, {ana.profile_id: (0,), signup.profile_id: (0,)})


def test_the_exact_phone_comes_before_its_variants(people: StoreBuilder) -> None:
    old = people.add_profile(a_record(phones=None, emails=["old@example.com"]))
    people.add_identifier(old.record_ids[0], "phone", "+551187654321", "551187654321")
    new = people.add_profile(a_record(source_record_id="c-2"))

    assert find(people, ("phone", "11 98765-4321")) == Found(new.profile_id, {})


def test_a_generic_value_finds_nobody_by_any_way(people: StoreBuilder) -> None:
    ana = people.add_profile(a_record())
    people.add_identifier(ana.record_ids[0], "phone", "+551187654321", "551187654321")
    people.share("phone", "+5511987654321", "generic")
    people.share("phone", "+551187654321", "generic")

    assert find(people, ("phone", "11 98765-4321")) == NOBODY


def test_a_generic_value_does_not_hide_what_a_proper_one_finds(people: StoreBuilder) -> None:
    ana = people.add_profile(a_record())
    people.share("phone", "+5511987654321", "generic")

    found = find(people, ("phone", "11 98765-4321"), ("email", "ana@example.com"))

    assert found == Found(ana.profile_id, {})


def test_a_shared_value_of_several_names_them_all(people: StoreBuilder) -> None:
    ana = people.add_profile(a_record())
    rui = people.add_profile(
        a_record(source_record_id="c-2", full_name="Rui Reis", emails=["rui@example.com"])
    )
    people.share("phone", "+5511987654321", "shared")

    found = find(people, ("phone", "11 98765-4321"))

    assert found == Found(None, {ana.profile_id: (0,), rui.profile_id: (0,)})


def test_a_second_identifier_tells_who_of_a_household_it_is(people: StoreBuilder) -> None:
    people.add_profile(a_record())
    rui = people.add_profile(
        a_record(source_record_id="c-2", full_name="Rui Reis", emails=["rui@example.com"])
    )

    found = find(people, ("phone", "11 98765-4321"), ("email", "rui@example.com"))

    assert found == Found(rui.profile_id, {})


def test_identifiers_of_two_people_name_both(people: StoreBuilder) -> None:
    ana = people.add_profile(a_record(phones=None))
    rui = people.add_profile(a_record(source_record_id="c-2", emails=None))

    found = find(people, ("email", "ana@example.com"), ("phone", "11 98765-4321"))

    assert found == Found(None, {ana.profile_id: (0,), rui.profile_id: (1,)})


def test_an_identifier_that_nobody_holds_does_not_count_against_another(people: StoreBuilder) -> None:
    ana = people.add_profile(a_record())

    found = find(people, ("email", "ana@example.com"), ("email", "never@example.com"))

    assert found == Found(ana.profile_id, {})


def test_a_profile_of_other_sources_is_not_there(people: StoreBuilder) -> None:
    ana = people.add_profile(a_record())

    assert find(people, ("email", "ana@example.com"), sources=["shop"]) == NOBODY
    assert find(people, ("email", "ana@example.com"), sources=["crm"]).profile_id == ana.profile_id


def test_of_very_many_holders_the_first_twenty_are_named(people: StoreBuilder) -> None:
    for number in range(25):
        people.add_profile(a_record(source_record_id=f"c-{number}"))

    assert len(find(people, ("phone", "11 98765-4321")).candidates) == 20


def test_a_value_of_very_many_holders_leaves_room_for_another_value(people: StoreBuilder) -> None:
    for number in range(look_up_module._HOLDERS_AT_MOST + 1):
        people.add_profile(a_record(source_record_id=f"n-{number}", emails=None))
    rui = people.add_profile(RUI)

    found = find(people, ("phone", "11 98765-4321"), ("email", "rui@example.com"))

    assert found == Found(rui.profile_id, {})


def test_a_profile_of_a_bound_source_is_found_behind_very_many_of_others(people: StoreBuilder) -> None:
    for number in range(look_up_module._HOLDERS_AT_MOST + 1):
        people.add_profile(a_record(source_record_id=f"c-{number}"))
    last = people.add_profile(a_record(source="shop"))

    assert find(people, ("phone", "11 98765-4321"), sources=["shop"]) == Found(last.profile_id, {})


@pytest.mark.parametrize(
    ("kind", "value", "region"),
    [
        ("phone", "11 98765-4321", "ZZ"),
        ("phone", "00000000000", "BR"),
        ("shoe", "42", "BR"),
        ("email", "x", "BR"),
    ],
    ids=["region", "junk", "kind", "value"],
)
def test_what_cannot_be_an_identifier_is_refused(kind: str, value: str, region: str) -> None:
    assert isinstance(standardize_presented(kind, value, region), Refusal)


def test_a_region_reads_a_number_its_own_way() -> None:
    identifier = standardize_presented("phone", "912 345 678", "PT")

    assert isinstance(identifier, Identifier)
    assert identifier.value == "+351912345678"
