"""What messages say of the person becomes a record, in any order, and always one that can be taken in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp.engagement.message import Delivery, RefusedMessageError, read_message
from cdp.engagement.traits import ATTRIBUTES_AT_MOST, Said, add_up, read_traits, record_values
from cdp.intake.shape import check_record

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def said_by(**message: Any) -> Said:
    return read_traits(read_message({"type": "identify", "userId": "u-1", **message}, Delivery(START)))


def record_of(*said: Said) -> dict[str, Any]:
    state = add_up((each, START + timedelta(minutes=minute)) for minute, each in enumerate(said))
    return record_values(state, "web", "u-1")


def test_reserved_traits_become_fields_and_others_attributes() -> None:
    traits = {
        "email": "ana@example.com",
        "phone": 5511987654321,
        "firstName": "Ana",
        "lastName": "Reis",
        "birthday": "1980-02-29",
        "gender": "f",
        "cpf": "390.533.447-05",
        "address": {"street": "Rua A, 10", "state": "SP", "postalCode": "01310-100", "planet": "Earth"},
        "age": 46,
        "company": {"id": 7, "name": "Acme"},
    }

    assert record_of(said_by(traits=traits)) == {
        "source": "web",
        "source_record_id": "u-1",
        "occurred_at": "2026-11-20T12:00:00.000000Z",
        "emails": ["ana@example.com"],
        "phones": ["5511987654321"],
        "given_name": "Ana",
        "family_name": "Reis",
        "birth_date": "1980-02-29",
        "gender": "f",
        "documents": [{"type": "cpf", "number": "390.533.447-05"}],
        "address": {"street": "Rua A, 10", "region": "SP", "postal_code": "01310-100"},
        "attributes": {"age": 46, "company": "Acme"},
    }


def test_ids_of_the_context_and_the_device_are_the_persons() -> None:
    context = {
        "externalIds": [
            {"id": "ana@example.com", "type": "email", "collection": "users", "encoding": "none"},
            {"id": "998877", "type": "loyalty:clube"},
            {"id": "@ana.reis", "type": "handle:instagram"},
            {"id": "5f4d", "type": "email", "encoding": "sha256"},
            {"id": "acme", "type": "email", "collection": "accounts"},
            {"id": "x", "type": "shoe"},
            {"id": "y", "type": "loyalty:"},
            "z",
        ],
        "device": {"id": "d-1", "advertisingId": "ad-1", "model": "m"},
        "traits": {"plan": "gold"},
    }

    record = record_of(said_by(anonymousId="a-1", context=context, type="page"))

    assert record["emails"] == ["ana@example.com"]
    assert record["loyalty_ids"] == [{"program": "clube", "number": "998877"}]
    assert record["handles"] == [{"network": "instagram", "handle": "@ana.reis"}]
    assert sorted(record["device_ids"]) == ["a-1", "ad-1", "d-1"]
    assert record["attributes"] == {"plan": "gold"}


@pytest.mark.parametrize(
    "traits",
    [
        {"email": {"a": 1}},
        {"firstName": ["Ana"]},
        {"name": True},
        {"address": []},
        {"address": {"street": {}}},
        {"cpf": [None]},
        {"x" * 101: 1},
        {"": 1},
        {"deep": [[[[[[[[[[1]]]]]]]]]]},
        {"name": "x" * 5000},
    ],
)
def test_a_value_that_its_field_cannot_hold_is_left_to_the_event(traits: Any) -> None:
    assert set(record_of(said_by(traits=traits))) - {"attributes"} == {
        "source",
        "source_record_id",
        "occurred_at",
    }


def test_a_sender_of_ever_new_traits_fills_no_record_over() -> None:
    said = [said_by(traits={f"t{number}-{each}": "x" * 300 for each in range(60)}) for number in range(20)]
    said.append(said_by(traits={"email": "ana@example.com"}))

    record = record_of(*said)

    assert record["emails"] == ["ana@example.com"]
    assert 0 < len(record["attributes"]) <= ATTRIBUTES_AT_MOST
    check_record(record, default_source=None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["email", "phone", "name", "firstName", "address", "cpf", "company", "plan", "x"])
traits = st.dictionaries(names | st.text(max_size=8), json_values, max_size=6)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "traits": traits | json_values,
        "device": json_values | st.fixed_dictionaries({"id": json_values}),
        "externalIds": st.lists(
            st.fixed_dictionaries(
                {"id": json_values, "type": st.sampled_from(["email", "loyalty:a", "cpf", "x"])}
            ),
            max_size=3,
        )
        | json_values,
    },
)
messages = st.fixed_dictionaries(
    {"type": st.just("identify"), "userId": st.just("u-1"), "traits": traits, "context": contexts},
    optional={"anonymousId": st.sampled_from(["a-1", "a-2"])},
)


def usable(listed: list[dict[str, Any]]) -> list[tuple[Said, datetime]]:
    found = []
    for minute, message in listed:  # type: ignore[misc]
        try:
            read = read_message(message, Delivery(START + timedelta(days=1)))
        except RefusedMessageError:
            continue
        found.append((read_traits(read), START + timedelta(minutes=minute)))  # type: ignore[arg-type]
    return found


@settings(max_examples=200, deadline=None)
@given(
    listed=st.lists(st.tuples(st.integers(0, 3), messages), min_size=1, max_size=5),
    data=st.data(),
)
def test_any_messages_in_any_order_make_one_record_that_can_be_taken_in(
    listed: Any, data: st.DataObject
) -> None:
    said = usable(listed)
    if not said:
        return
    shuffled = data.draw(st.permutations(said + data.draw(st.lists(st.sampled_from(said), max_size=3))))

    state = add_up(said)

    assert add_up(shuffled) == state
    check_record(record_values(state, "web", "u-1"), default_source=None)
