"""Messages are kept once, with the record they belong to and all that follows, whatever the order of arrival."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from cdp.engagement.message import RefusedMessageError
from cdp.engagement.receive_messages import UnknownMessageSourceError, receive_messages
from cdp.engagement.rejected_messages import reject
from cdp.store import schema, write
from tests.cdp.engagement.posting import AUTHOR, Post, at, identify, track, visit
from tests.cdp.realtime.feeding import NOW
from tests.cdp.stewardship.desk import ANA as ANA_AS_RECORD
from tests.cdp.stewardship.desk import MAYBE_ANA

ANA = {"email": "ana@example.com", "name": "Ana Reis", "birthday": "1980-02-29"}


def test_an_identify_makes_a_record_of_the_user(post: Post) -> None:
    post.send(identify("m-1", "u-1", **ANA, plan="gold"))

    record = json.loads(post.raw("u-1"))
    assert record["emails"] == ["ana@example.com"]
    assert record["full_name"] == "Ana Reis"
    assert record["birth_date"] == "1980-02-29"
    assert record["attributes"] == {"plan": "gold"}


def test_a_message_that_comes_again_changes_nothing(post: Post) -> None:
    batch = [
        identify("m-1", "u-1", **ANA),
        track("m-2", "u-1", "Product Added", product_id="p"),
        visit("m-3", "a-1", "u-1"),
        visit("m-4", "a-1"),
    ]
    refused = {"type": "track", "messageId": "m-5", "userId": "u-1"}
    first = post.send(*batch, refused)
    tables = schema.metadata.sorted_tables
    before = {table.name: post.desk.rows(table) for table in tables}

    again = post.send(*batch, refused, now=NOW + timedelta(hours=1))

    assert (first.event_count, first.repeated_count) == (4, 0)
    assert (again.event_count, again.repeated_count, len(again.rejections)) == (0, 4, 1)
    assert {table.name: post.desk.rows(table) for table in tables} == before


def test_a_message_that_comes_twice_at_once_is_kept_once(post: Post) -> None:
    received = post.send(visit("m-1", "a-1"), visit("m-1", "a-1"))

    assert (received.event_count, received.repeated_count) == (1, 1)
    assert post.count(schema.events) == 1


def test_two_sources_may_use_one_message_id(post: Post) -> None:
    post.send(visit("m-1", "a-1"))
    post.send(visit("m-1", "a-1"), source="web")

    assert post.count(schema.events) == 2


def test_a_message_without_id_is_known_by_what_it_says(post: Post) -> None:
    said = {"type": "track", "userId": "u-1", "event": "Signed Up", "timestamp": at(1)}

    post.send(said)
    again = post.send(said | {"sentAt": at(2)})

    assert again.repeated_count == 1
    assert post.count(schema.events) == 1


@pytest.mark.parametrize(
    ("said", "count"),
    [({}, 2), ({"timestamp": at(1)}, 1), ({"originalTimestamp": at(1)}, 1), ({"sentAt": at(1)}, 1)],
    ids=["nothing", "when it happened", "when it happened, by its other name", "when it was sent"],
)
def test_what_is_said_twice_counts_twice_unless_it_says_when(
    lite_post: Post, said: dict[str, Any], count: int
) -> None:
    added = {"type": "track", "userId": "u-1", "event": "Product Added", "properties": {"product_id": "p-1"}}

    lite_post.send(added | said)
    lite_post.send(added | said)
    lite_post.send({"type": "page", "userId": "u-1"} | said)

    [cart] = lite_post.states("cart").values()
    assert json.loads(cart.state)["item_count"] == count
    assert lite_post.count(schema.events) == count + 1


def test_a_refused_message_is_noted_without_what_it_said_and_stops_no_other(post: Post) -> None:
    received = post.send(
        {"type": "identify", "messageId": "m-1", "traits": {"email": "secret@example.com"}},
        visit("m-2", "a-1"),
    )

    [noted] = post.desk.rows(schema.rejected_messages)
    assert received.event_count == 1
    assert [(each.index, each.code, each.pointer) for each in received.rejections] == [
        (0, "missing", "/userId")
    ]
    assert noted["message_id"] == "m-1"
    assert "secret" not in str(noted)


RANDOM = "ajs-next-1763806800000-3f2a1b4c-9d8e-4f70-8123-456789012345"


@pytest.mark.parametrize(
    ("message_id", "kept"),
    [("ana@example.com", "***com"), ("11987654321", "***321"), ("m-1", "m-1"), (RANDOM, RANDOM)],
)
def test_a_refused_message_is_noted_by_an_id_that_names_nobody(
    lite_post: Post, message_id: str, kept: str
) -> None:
    received = lite_post.send({"type": "page", "messageId": message_id})

    [noted] = lite_post.desk.rows(schema.rejected_messages)
    assert [each.message_id for each in received.rejections] == [message_id]
    assert noted["message_id"] == kept


@pytest.mark.parametrize(
    ("pointer", "kept"),
    [
        ("/traits/ana@example.com", "/traits/***"),
        ("/properties/products/3/Ana Reis", "/properties/***/3/***"),
        ("/properties/11987654321", "/properties/***"),
        ("/ana@example.com", "/***"),
        ("/userId", "/userId"),
        ("", ""),
    ],
)
def test_where_a_message_is_refused_is_noted_without_the_names_that_senders_give(
    lite_post: Post, pointer: str, kept: str
) -> None:
    refused = reject(0, {"messageId": "m-1"}, RefusedMessageError("malformed", "A text holds NUL.", pointer))
    receive_messages(lite_post.desk.feed.resolver, [refused], source="shop", author=AUTHOR, now=NOW)

    [noted] = lite_post.desk.rows(schema.rejected_messages)
    assert noted["pointer"] == kept


def test_later_traits_stand_whatever_the_order_of_arrival(lite_post: Post) -> None:
    said = [
        identify("m-1", "u-1", email="old@example.com", plan="free") | {"timestamp": at(1)},
        identify("m-2", "u-1", email="ana@example.com", name="Ana Reis") | {"timestamp": at(2)},
        identify("m-3", "u-1", plan="gold", name=None, company="Acme") | {"timestamp": at(3)},
    ]
    records = set()
    for number, order in enumerate(itertools.permutations(said)):
        user = f"u-{number}"
        for message in order:
            lite_post.send(message | {"userId": user, "messageId": f"{message['messageId']}-{number}"})
        records.add(lite_post.raw(user).replace(user, "U"))

    [record] = map(json.loads, records)
    assert record["emails"] == ["ana@example.com"]
    assert record["attributes"] == {"company": "Acme", "plan": "gold"}
    assert "full_name" not in record


def test_messages_of_a_batch_end_as_they_would_one_by_one(post: Post) -> None:
    said = [
        identify("m-1", "u-1", **ANA) | {"timestamp": at(3)},
        identify("m-2", "u-1", phone="11 98765-4321") | {"timestamp": at(1)},
        visit("m-3", "a-1", "u-1"),
    ]
    post.send(*said)
    for message in reversed(said):
        post.send(message | {"userId": "u-2", "messageId": f"{message['messageId']}-2"})

    together, apart = (json.loads(post.raw(key)) for key in ("u-1", "u-2"))
    assert together | {"source_record_id": ""} == apart | {"source_record_id": ""}


def test_an_event_of_a_user_alone_makes_a_record_that_joins_nobody(post: Post) -> None:
    post.send(track("m-1", "u-1", "Signed Up"), track("m-2", "u-2", "Signed Up"))

    assert post.desk.groups() == [["u-1"], ["u-2"]]


def test_identified_people_are_resolved_with_the_records_of_other_sources(post: Post) -> None:
    post.desk.take({"full_name": "Ana Reis", "birth_date": "1980-02-29", "emails": ["ana@example.com"]})

    post.send(identify("m-1", "u-1", **ANA), source="web")

    assert post.desk.groups() == [["1", "u-1"]]


def test_consents_are_noted_with_their_time_and_the_newest_stands(post: Post) -> None:
    def says(message_id: str, minute: int, **preferences: Any) -> dict[str, Any]:
        context = {"consent": {"categoryPreferences": preferences}}
        return visit(message_id, "a-1", "u-1") | {"timestamp": at(minute), "context": context}

    post.send(says("m-2", 2, Advertising=False, Analytics=True))
    post.send(says("m-1", 1, Advertising=True), says("m-3", 3, Analytics="perhaps"))

    kept = {subject: json.loads(row.state)["granted"] for (_, subject), row in post.states("consent").items()}
    assert kept == {"Advertising": False, "Analytics": True}
    assert post.count(schema.consent_assertions) == 3


def test_what_came_before_a_deletion_counts_no_more(post: Post) -> None:
    post.send(
        identify("m-1", "u-1", **ANA) | {"timestamp": at(1)},
        track("m-2", "u-1", "Product Added", product_id="p") | {"timestamp": at(2)},
    )
    post.desk.feed.delete("shop", "u-1")
    later = NOW + timedelta(hours=2)

    post.send(identify("m-3", "u-1", phone="11 98765-4321") | {"timestamp": at(3)}, now=later)
    gone = post.desk.groups()
    post.send(identify("m-4", "u-1", name="Bia Prado"), now=later)

    assert gone == []
    assert post.desk.groups() == [["u-1"]]
    assert "emails" not in json.loads(post.raw("u-1"))
    assert post.states("cart") == {}
    assert post.count(schema.events) == 4


def test_what_came_another_way_stands_until_a_later_message_tells_who_it_is(post: Post) -> None:
    [profile_id] = post.desk.take({"full_name": "Ana Reis", "emails": ["ana@example.com"]})

    post.send(track("m-1", "1", "Signed Up"))
    untouched = json.loads(post.raw("1"))
    post.send(identify("m-2", "1", name="Ana Lima"))

    assert untouched["full_name"] == "Ana Reis"
    assert json.loads(post.raw("1"))["full_name"] == "Ana Lima"
    assert post.desk.profile_of("1") == profile_id


def test_a_source_that_there_is_not_is_named(post: Post) -> None:
    with pytest.raises(UnknownMessageSourceError, match="kiosk"):
        post.send(visit("m-1", "a-1"), source="kiosk")


BREAKS: dict[str, Any] = {
    "events": delete(schema.audit_entries).where(schema.audit_entries.c.action == "events.write"),
    "engagement": update(schema.engagement_states).values(state="{}"),
    "noted subjects": delete(schema.event_subjects),
    "noted consents": delete(schema.consent_assertions),
    "a state too many": insert(schema.engagement_states).values(
        record_id=1, kind="order", subject_id="o-9", state="{}", is_open=True, changed_at=NOW
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_verify_sees_what_does_not_add_up(sqlite_store: Any, broken: str) -> None:
    from tests.cdp.stewardship.desk import Desk

    post = Post(Desk(sqlite_store))
    context = {"consent": {"categoryPreferences": {"Advertising": True}}}
    post.send(track("m-1", "u-1", "Product Added", product_id="p") | {"context": context})

    with write(post.engine) as connection:
        connection.execute(BREAKS[broken])

    assert {each.check for each in post.desk.breaches(partition=False)} & {"events", "engagement"}


def test_an_order_raises_what_a_candidate_about_its_profile_is_worth(post: Post) -> None:
    post.desk.take(ANA_AS_RECORD, MAYBE_ANA)
    [before] = post.desk.open_candidates()

    post.send(track("m1", "1", "Order Completed", order_id="o1", total=10, currency="BRL"))

    [after] = post.desk.open_candidates()
    assert (before.worth, after.worth) == (1, 6)
