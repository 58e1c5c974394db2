"""Which ids of a source are held to be one person, and what stewards may say of it."""

from __future__ import annotations

import itertools

import pytest

from cdp.engagement import tie_ids
from cdp.stewardship.errors import RuledOnSinceError
from cdp.stewardship.undo import undo_action
from cdp.store import schema
from tests.cdp.engagement.posting import Post, alias, at, identify, track, visit
from tests.cdp.stewardship.desk import an_order


def test_a_visitor_who_is_named_is_that_user(post: Post) -> None:
    post.send(visit("m-1", "a-1"))
    post.send(identify("m-2", "u-1", name="Ana Reis") | {"anonymousId": "a-1"})

    assert post.desk.groups() == [["anonymous:a-1", "u-1"]]


def test_in_whatever_order_it_becomes_known(lite_post: Post) -> None:
    for number, order in enumerate(
        itertools.permutations([("a", None), ("a", "u"), ("b", "u"), ("b", None)])
    ):
        for place, (visitor, user) in enumerate(order):
            lite_post.send(visit(f"m-{number}-{place}", f"{visitor}-{number}", user and f"{user}-{number}"))

        group = next(each for each in lite_post.desk.groups() if f"u-{number}" in each)
        assert group == [f"anonymous:a-{number}", f"anonymous:b-{number}", f"u-{number}"]


def test_a_shared_device_joins_nobody(post: Post) -> None:
    post.send(visit("m-1", "a-1"), visit("m-2", "a-1", "u-1"))
    tied = post.desk.groups()

    post.send(visit("m-3", "a-1", "u-2"))

    assert tied == [["anonymous:a-1", "u-1"]]
    assert post.desk.groups() == [["anonymous:a-1"], ["u-1"], ["u-2"]]


def test_a_shared_device_joins_nobody_in_whatever_order(lite_post: Post) -> None:
    for number, order in enumerate(itertools.permutations([None, "u", "v"])):
        lite_post.send(
            *(
                visit(f"m-{number}-{place}", f"a-{number}", user and f"{user}-{number}")
                for place, user in enumerate(order)
            )
        )

    assert {len(group) for group in lite_post.desk.groups()} == {1}


def test_the_ids_of_two_sources_are_not_each_others(post: Post) -> None:
    post.send(visit("m-1", "a-1"))
    post.send(visit("m-2", "a-1", "u-1"), source="web")

    assert post.desk.groups() == [["anonymous:a-1"], ["u-1"]]


def test_an_alias_makes_one_person_of_two_ids(post: Post) -> None:
    post.send(identify("m-1", "old", name="Ana Reis"), identify("m-2", "new", name="Caio Lima"))
    post.send(alias("m-3", "old", "new"))

    [action] = post.desk.rows(schema.steward_actions)
    assert post.desk.groups() == [["new", "old"]]
    assert (action["author"], action["reason"], action["kind"]) == ("source:shop", "alias", "join")


def test_an_alias_of_a_visitor_is_that_user(post: Post) -> None:
    post.send(visit("m-1", "a-1"))
    post.send(alias("m-2", "a-1", "u-1"))

    assert post.desk.groups() == [["anonymous:a-1", "u-1"]]


def test_an_alias_that_comes_before_its_ids_holds_when_they_come(post: Post) -> None:
    post.send(alias("m-1", "old", "new"))
    post.send(identify("m-2", "old", name="Ana Reis"))

    assert post.desk.groups() == [["new", "old"]]


def test_two_documents_are_two_people_whatever_a_source_says(post: Post) -> None:
    post.send(identify("m-1", "old", cpf="390.533.447-05"), identify("m-2", "new", cpf="529.982.247-25"))

    post.send(alias("m-3", "old", "new"))

    assert post.desk.groups() == [["new"], ["old"]]


def test_a_steward_takes_an_alias_back_and_it_stays_so(post: Post) -> None:
    post.send(identify("m-1", "old", name="Ana Reis"), alias("m-2", "old", "new"))
    post.send(visit("m-3", "a-1"), visit("m-4", "a-1", "new"))
    alias_action = next(row for row in post.desk.rows(schema.steward_actions) if row["reason"] == "alias")

    undo_action(post.desk.feed.resolver, alias_action["action_id"], an_order())
    post.send(alias("m-5", "old", "new"))

    assert post.desk.groups() == [["anonymous:a-1", "new"], ["old"]]


def test_what_a_steward_built_on_an_alias_is_taken_back_first(post: Post) -> None:
    post.send(identify("m-1", "old", name="Ana Reis"), alias("m-2", "old", "new"))
    post.send(identify("m-3", "u-9", name="Bia Prado"))
    post.desk.join("new", "u-9")
    [alias_action] = [row for row in post.desk.rows(schema.steward_actions) if row["reason"] == "alias"]

    with pytest.raises(RuledOnSinceError):
        undo_action(post.desk.feed.resolver, alias_action["action_id"], an_order())


def test_what_a_steward_holds_apart_no_source_ties(post: Post) -> None:
    post.send(visit("m-1", "a-1"), visit("m-2", "a-1", "u-1"))
    post.desk.split("anonymous:a-1")

    post.send(visit("m-3", "a-1", "u-1"), visit("m-4", "a-1"), alias("m-5", "a-1", "u-1"))

    assert post.desk.groups() == [["anonymous:a-1"], ["u-1"]]


def test_a_device_that_turns_out_to_be_shared_leaves_a_stewards_join_alone(post: Post) -> None:
    post.send(visit("m-1", "a-1"), visit("m-2", "a-1", "u-1"), identify("m-3", "u-9", name="Bia Prado"))
    post.desk.join("u-1", "u-9")

    post.send(visit("m-4", "a-1", "u-2"))

    assert post.desk.groups() == [["anonymous:a-1", "u-1", "u-9"], ["u-2"]]


def test_a_login_of_everybody_gathers_no_crowd(lite_post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tie_ids, "IDS_AT_MOST", 2)
    visitors = [f"a-{number}" for number in range(4)]
    lite_post.send(*(visit(f"m-{each}", each) for each in visitors))

    for minute, visitor in reversed(list(enumerate(visitors))):
        lite_post.send(visit(f"n-{visitor}", visitor, "guest") | {"timestamp": at(minute)})

    assert lite_post.desk.groups() == [
        ["anonymous:a-0", "anonymous:a-1", "guest"],
        ["anonymous:a-2"],
        ["anonymous:a-3"],
    ]


def test_a_former_id_of_two_users_is_neithers(post: Post) -> None:
    post.send(identify("m-1", "old", name="Ana Reis"), alias("m-2", "old", "u-1"))
    tied = post.desk.groups()

    post.send(alias("m-3", "old", "u-2"))

    assert tied == [["old", "u-1"]]
    assert post.desk.groups() == [["old"], ["u-1"], ["u-2"]]


def test_a_former_id_of_two_users_is_neithers_in_whatever_order(lite_post: Post) -> None:
    for number, order in enumerate(itertools.permutations(range(3))):
        said = [
            identify(f"m-{number}", f"old-{number}"),
            alias(f"n-{number}", f"old-{number}", f"u-{number}"),
            alias(f"o-{number}", f"old-{number}", f"v-{number}"),
        ]
        for place in order:
            lite_post.send(said[place])

    assert {len(group) for group in lite_post.desk.groups()} == {1}


def test_a_shared_device_joins_nobody_by_aliases_of_it(post: Post) -> None:
    post.send(visit("m-1", "SD"), visit("m-2", "SD", "u-1"), visit("m-3", "SD", "u-2"))

    received = post.send(
        *(
            alias(f"n-{user}-{previous}", previous, user)
            for user in ("u-1", "u-2")
            for previous in ("SD", "anonymous:SD")
        )
    )

    assert [each.code for each in received.rejections] == ["reserved", "reserved"]
    assert post.desk.groups() == [["anonymous:SD"], ["u-1"], ["u-2"]]


def test_a_placeholder_that_everybody_was_makes_nobody_one(post: Post) -> None:
    people = [f"u-{number}" for number in range(6)]
    post.send(*(identify(f"m-{user}", user) for user in people))

    received = post.send(*(alias(f"n-{user}", "undefined", user) for user in people))
    post.send(track("m-1", "undefined", "Signed Up"))

    assert {each.code for each in received.rejections} == {"placeholder"}
    assert post.desk.groups() == [[user] for user in people]


def test_a_user_who_was_everybody_gathers_no_crowd(lite_post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tie_ids, "IDS_AT_MOST", 2)
    former = [f"old-{number}" for number in range(4)]
    lite_post.send(*(identify(f"m-{each}", each) for each in former))

    for minute, each in reversed(list(enumerate(former))):
        lite_post.send(alias(f"n-{each}", each, "guest") | {"timestamp": at(minute)})

    assert lite_post.desk.groups() == [["guest", "old-0", "old-1"], ["old-2"], ["old-3"]]


def test_events_follow_their_records_when_profiles_part(post: Post) -> None:
    post.send(track("m-1", "old", "Signed Up"), track("m-2", "new", "Signed Up"), alias("m-3", "old", "new"))
    together = post.desk.groups()
    post.desk.split("old")

    events = {row["message_id"]: row["record_id"] for row in post.desk.rows(schema.events)}
    assert together == [["new", "old"]]
    assert events["m-1"] == post.desk.record_id("old")
    assert events["m-2"] == events["m-3"] == post.desk.record_id("new")
