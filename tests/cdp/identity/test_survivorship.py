"""Which value of an attribute survives, and why it is said to."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.survivorship import (
    ATTRIBUTE_NAMES,
    RULE_NAMES,
    MemberRecord,
    SurvivorshipError,
    choose_golden_record,
    parse_rules,
    read_rules,
    union_of_identifiers,
)
from resolution.standardize import SourceSettings, standardize_record

SHIPPED = read_rules(None)


def a_member(record_id: int = 1, **changes: Any) -> MemberRecord:
    """A record of source crm; `values` and the like as the test names them."""
    fields: dict[str, Any] = {
        "source": "crm",
        "source_record_id": f"c{record_id}",
        "source_trust": 50,
        "occurred_at": f"2026-01-{record_id:02}T00:00:00.000000Z",
        "values": {},
        "identifiers": [],
    }
    return MemberRecord(record_id=record_id, **(fields | changes))


def chosen(rules: list[str], *members: MemberRecord) -> tuple[Any, str]:
    """The gender that these rules choose, and the rule that decided."""
    golden = choose_golden_record(members, {"default": rules})["gender"]
    return golden["value"], golden["rule"]


def of_gender(record_id: int, value: str, **changes: Any) -> MemberRecord:
    return a_member(record_id, values={"gender": value}, **changes)


@pytest.mark.parametrize(
    ("rule", "members", "expected"),
    [
        ("verified", [of_gender(1, "f", verified=frozenset({"gender"})), of_gender(2, "m")], "f"),
        ("trusted", [of_gender(1, "f", source_trust=60), of_gender(2, "m")], "f"),
        ("most_frequent", [of_gender(1, "f"), of_gender(2, "f"), of_gender(3, "m")], "f"),
        ("most_complete", [of_gender(1, "Ana Braga Lima"), of_gender(2, "Ana B. Lima")], "Ana Braga Lima"),
        ("longest", [of_gender(1, "female"), of_gender(2, "f")], "female"),
        ("most_recent", [of_gender(1, "m"), of_gender(2, "f")], "f"),
    ],
    ids=RULE_NAMES,
)
def test_a_rule_keeps_the_best(rule: str, members: list[MemberRecord], expected: str) -> None:
    assert chosen([rule], *members) == (expected, rule)


def test_the_first_rule_that_leaves_one_value_decides() -> None:
    members = [of_gender(1, "f", source_trust=60), of_gender(2, "m"), of_gender(3, "m")]

    assert chosen(["verified", "trusted", "most_frequent"], *members) == ("f", "trusted")


def test_values_that_agree_need_no_rule() -> None:
    assert chosen(["most_recent"], of_gender(1, "f"), of_gender(2, "F ")) == ("F ", "only_value")


def test_where_no_rule_decides_the_record_key_does() -> None:
    same_day = "2026-01-01T00:00:00.000000Z"
    members = [of_gender(2, "m", occurred_at=same_day), of_gender(1, "f", occurred_at=same_day)]

    assert chosen(["trusted"], *members) == ("f", "record_key")


def test_a_chosen_value_tells_where_it_comes_from() -> None:
    golden = choose_golden_record([of_gender(1, "f"), of_gender(2, "f"), of_gender(3, "m")], SHIPPED)

    assert golden["gender"] == {
        "value": "f",
        "rule": "most_frequent",
        "record_id": 2,
        "source": "crm",
        "source_record_id": "c2",
        "occurred_at": "2026-01-02T00:00:00.000000Z",
        "records": 2,
    }


def test_the_address_comes_whole_from_one_record() -> None:
    older = a_member(1, values={"address": {"street": "Rua A", "city": "Santos"}})
    newer = a_member(2, values={"address": {"city": "Campinas"}})

    golden = choose_golden_record([older, newer], SHIPPED)

    assert golden["address"]["value"] == {"city": "Campinas"}


def test_a_whole_birth_date_beats_a_newer_year() -> None:
    members = [a_member(1, values={"birth_date": "1980-02-29"}), a_member(2, values={"birth_date": "1980"})]

    golden = choose_golden_record(members, SHIPPED)

    assert (golden["birth_date"]["value"], golden["birth_date"]["rule"]) == ("1980-02-29", "most_complete")


def test_free_attributes_are_chosen_key_by_key() -> None:
    members = [
        a_member(1, values={"attributes": {"shoe_size": "41", "newsletter": False}}),
        a_member(2, values={"attributes": {"shoe_size": "42"}}),
    ]

    free = choose_golden_record(members, SHIPPED)["attributes"]["value"]

    assert {name: each["value"] for name, each in free.items()} == {"shoe_size": "42", "newsletter": False}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"full_name": "João Reis", "social_name": "Joana Reis"}, ("Joana Reis", "social_name")),
        ({"full_name": "João Reis"}, ("João Reis", "full_name")),
    ],
    ids=["social name", "full name"],
)
def test_the_social_name_is_shown_first(values: dict[str, str], expected: tuple[str, str]) -> None:
    golden = choose_golden_record([a_member(values=values)], SHIPPED)

    assert (golden["display_name"]["value"], golden["display_name"]["rule"]) == expected


def test_a_pinned_value_stands_whatever_the_records_say() -> None:
    members = [of_gender(1, "m"), of_gender(2, "f"), of_gender(3, "f")]
    pins = {"gender": (members[0], "x"), "social_name": (members[1], "Ana")}

    golden = choose_golden_record(members, SHIPPED, pins)

    assert (golden["gender"]["value"], golden["gender"]["rule"]) == ("x", "pinned")
    assert (golden["gender"]["record_id"], golden["gender"]["records"]) == (1, 0)
    assert golden["display_name"]["value"] == "Ana"


def test_identifiers_are_told_once_verified_and_recent_ones_first() -> None:
    old, new = "+5511900000001", "+5511900000002"
    members = [
        a_member(1, identifiers=[("phone", old, True), ("email", "a@example.com", False)]),
        a_member(2, identifiers=[("phone", new, False), ("phone", old, False)]),
    ]

    told = union_of_identifiers(members)

    assert [(each["type"], each["value"]) for each in told] == [
        ("email", "a@example.com"),
        ("phone", old),
        ("phone", new),
    ]
    assert told[1] == {
        "type": "phone",
        "value": old,
        "verified": True,
        "record_ids": [1, 2],
        "last_seen_at": "2026-01-02T00:00:00.000000Z",
    }


@pytest.mark.parametrize(
    ("dialled", "other"),
    [
        pytest.param("+554532782153", "+5545932782153", id="landline given a 9"),
        pytest.param("+5511976543210", "+551176543210", id="old account without its 9"),
    ],
)
def test_the_form_to_dial_stands_before_the_other_form_of_the_line(dialled: str, other: str) -> None:
    members = [
        a_member(1, identifiers=[("phone", dialled, False)]),
        a_member(2, identifiers=[("phone", other, True), ("phone", "+5511900000001", False)]),
    ]

    told = union_of_identifiers(members)

    assert [(each["value"], each.get("superseded")) for each in told] == [
        ("+5511900000001", None),
        (dialled, None),
        (other, True),
    ]


def test_a_lone_form_is_not_superseded() -> None:
    [told] = union_of_identifiers([a_member(1, identifiers=[("phone", "+5545932782153", False)])])

    assert "superseded" not in told


@st.composite
def some_members(draw: st.DrawFn) -> list[MemberRecord]:
    texts = st.sampled_from(["Ana", "ana ", "Ana Lima", "Ana B. Lima", "Bia", ""])
    return [
        a_member(
            record_id,
            source_trust=draw(st.sampled_from([50, 80])),
            occurred_at=draw(st.sampled_from(["2026-01-01T00Z", "2026-01-02T00Z"])),
            values={"full_name": draw(texts), "attributes": {"size": draw(texts)}},
            identifiers=[("phone", draw(st.sampled_from(["1", "2"])), draw(st.booleans()))],
            verified=draw(st.sampled_from([frozenset(), frozenset({"full_name"})])),
        )
        for record_id in range(1, draw(st.integers(2, 6)))
    ]


@given(some_members(), st.randoms(use_true_random=False))
def test_the_order_of_the_records_changes_nothing(members: list[MemberRecord], dice: random.Random) -> None:
    shuffled = dice.sample(members, len(members))

    assert choose_golden_record(shuffled, SHIPPED) == choose_golden_record(members, SHIPPED)
    assert union_of_identifiers(shuffled) == union_of_identifiers(members)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules = 1", "needs a table"),
        ("[rules]\ngender = 'most_recent'", "needs a table"),
        ("[rules", "is not TOML"),
        ("[rules]\ndefault = ['newest']", "newest"),
        ("[rules]\ngender = ['most_recent']", "default"),
        (
            "[rules]\ndefault = ['longest']\nfullname = ['longest']",
            "rules for fullname; there are full_name, ",
        ),
        ("[rules]\ndefault = ['longest']\nemails = ['longest']", "emails"),
    ],
    ids=[
        "no table",
        "no list",
        "no TOML",
        "unknown rule",
        "no default",
        "misspelled attribute",
        "no attribute",
    ],
)
def test_a_file_that_says_something_else_is_refused(text: str, told: str) -> None:
    with pytest.raises(SurvivorshipError, match=told):
        parse_rules(text, "mine.toml")


def test_the_attributes_that_rules_may_name_are_those_of_records() -> None:
    record = {
        "full_name": "Ana Lucia Reis Filho",
        "given_name": "Ana Lucia",
        "family_name": "Reis",
        "social_name": "Lu",
        "birth_date": "1980-02-29",
        "gender": "f",
        "address": {"city": "Lisboa", "country": "PT"},
        "attributes": {"size": "m"},
    }

    said = standardize_record(record, SourceSettings()).values

    assert said.keys() == set(ATTRIBUTE_NAMES)
    assert SHIPPED.keys() <= {*ATTRIBUTE_NAMES, "default"}


def test_rules_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[rules]\ndefault = ['longest']\n", "utf-8")

    assert read_rules(path) == {"default": ["longest"]}


def test_a_file_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(SurvivorshipError, match=r"mine\.toml"):
        read_rules(tmp_path / "mine.toml")
