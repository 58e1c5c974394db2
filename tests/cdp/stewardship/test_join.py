"""Profiles that a steward joins are one person, whatever the evidence, until that is taken back."""

from __future__ import annotations

import pytest

from cdp.identity.profile_reads import UnknownProfileError
from cdp.identity.resolve import resolve_all
from cdp.stewardship.errors import ConstraintConflictError, OneProfileError
from cdp.stewardship.join import join
from cdp.store.schema import audit_entries, ledger_entries, outbox_events, pair_constraints, steward_actions
from tests.cdp.realtime.feeding import NOW, a_record
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, Desk, an_order


def test_joined_profiles_are_one_under_the_older_id(desk: Desk) -> None:
    old, young = desk.take(ANA, BIA)

    outcome = desk.join("2", "1")

    people = desk.people()
    assert people.members == {old: ["1", "2"]}
    assert people.answers == {old: old, young: old}
    assert [(each.profile_id, each.record_ids) for each in outcome.before] == [(old, [1]), (young, [2])]
    assert [(each.profile_id, each.state, each.record_ids) for each in outcome.after] == [
        (old, "live", [1, 2]),
        (young, "absorbed", []),
    ]
    assert desk.breaches() == []


def test_a_join_has_its_action_entry_audit_and_event(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA)

    outcome = lite_desk.join("1", "2", author="maria", reason="same card")

    [action] = lite_desk.rows(steward_actions)
    entry = lite_desk.rows(ledger_entries)[-1]
    assert (action["action_id"], action["kind"], action["author"], action["reason"]) == (
        outcome.action_id,
        "join",
        "maria",
        "same card",
    )
    assert (entry["kind"], entry["action_id"], entry["author"]) == ("join", outcome.action_id, "maria")
    assert outcome.ledger_entry_ids == [entry["ledger_entry_id"]]
    assert lite_desk.rows(audit_entries)[-1]["action"] == "stewardship.join"
    assert [each["kind"] for each in lite_desk.rows(outbox_events)][-2:] == [
        "profile.joined",
        "stewardship.ruled",
    ]


def test_all_records_of_both_profiles_are_held(lite_desk: Desk) -> None:
    lite_desk.take(ANA, ANA, BIA, BIA)

    lite_desk.join("1", "3")

    held = [
        (each["kind"], each["record_id_l"], each["record_id_r"]) for each in lite_desk.rows(pair_constraints)
    ]
    assert held == [("must", 1, 2), ("must", 1, 3), ("must", 1, 4)]


def test_a_joined_profile_stays_one_when_its_records_change_and_go(desk: Desk) -> None:
    desk.take(ANA, BIA, CAIO)
    desk.join("1", "2", "3")

    desk.feed.ingest(a_record("2", day=50, full_name="Beatriz Moura"))
    desk.feed.delete("shop", "1")

    assert desk.groups() == [["2", "3"]]
    assert desk.breaches() == []


def test_a_batch_finds_the_same_people(desk: Desk) -> None:
    desk.take(ANA, BIA, CAIO)
    desk.join("1", "3")
    before = desk.people()

    report = resolve_all(desk.engine, clock=lambda: NOW)

    assert report["changes"] is not None
    assert (
        sum(report["changes"][kind] for kind in ("create", "attach", "join", "split", "move", "detach")) == 0
    )
    assert desk.people() == before


def test_several_profiles_are_joined_at_once(lite_desk: Desk) -> None:
    ids = lite_desk.take(ANA, BIA, CAIO)

    outcome = lite_desk.join("3", "2", "1")

    assert lite_desk.people().members == {ids[0]: ["1", "2", "3"]}
    assert outcome.before[1].golden["full_name"]["value"] == "Bia Prado"


def test_a_preview_tells_all_and_changes_nothing(desk: Desk) -> None:
    old, young = desk.take(ANA, BIA)
    before = desk.people(), [desk.rows(table) for table in (steward_actions, pair_constraints, audit_entries)]

    outcome = desk.join("1", "2", is_preview=True)

    assert (outcome.is_preview, outcome.action_id, outcome.ledger_entry_ids) == (True, None, [])
    assert [(each.profile_id, each.record_ids) for each in outcome.after] == [(old, [1, 2]), (young, [])]
    assert before == (
        desk.people(),
        [desk.rows(table) for table in (steward_actions, pair_constraints, audit_entries)],
    )


def test_an_absorbed_id_stands_for_its_survivor(lite_desk: Desk) -> None:
    ids = lite_desk.take(ANA, BIA, CAIO)
    lite_desk.join("1", "2")

    join(lite_desk.feed.resolver, [ids[1], ids[2]], an_order())

    assert lite_desk.people().members == {ids[0]: ["1", "2", "3"]}


@pytest.mark.parametrize("named", [(0, 0), (0, 1), (0,)], ids=["the same twice", "one absorbed", "one alone"])
def test_one_profile_cannot_be_joined(lite_desk: Desk, named: tuple[int, ...]) -> None:
    ids = lite_desk.take(ANA, BIA, CAIO)
    lite_desk.join("1", "2")

    with pytest.raises(OneProfileError):
        join(lite_desk.feed.resolver, [ids[each] for each in named], an_order())


def test_an_unknown_profile_cannot_be_joined(lite_desk: Desk) -> None:
    [ana] = lite_desk.take(ANA)

    with pytest.raises(UnknownProfileError):
        join(lite_desk.feed.resolver, [ana, "pf_none"], an_order())


def test_a_join_against_a_split_names_the_action_to_undo(desk: Desk) -> None:
    desk.take(ANA, ANA)
    outcome = desk.split("2")

    with pytest.raises(ConstraintConflictError) as refused:
        desk.join("1", "2")

    assert refused.value.ids == (outcome.action_id,)
    assert str(refused.value) == (
        f"Records 1 and 2 are held apart by action {outcome.action_id}: withdraw that decision first."
    )
    assert desk.groups() == [["1"], ["2"]]
    assert len(desk.rows(steward_actions)) == 1


def test_a_join_by_way_of_a_third_profile_is_refused_too(lite_desk: Desk) -> None:
    lite_desk.take(ANA, ANA, CAIO)
    lite_desk.split("2")
    lite_desk.join("1", "3")

    with pytest.raises(ConstraintConflictError):
        lite_desk.join("2", "3")


def test_two_documents_of_a_kind_do_not_stop_a_steward(desk: Desk) -> None:
    cpfs = ("390.533.447-05", "529.982.247-25")
    desk.take(*({**ANA, "documents": [{"type": "cpf", "number": cpf}]} for cpf in cpfs))
    assert desk.groups() == [["1"], ["2"]]

    desk.join("1", "2")

    assert desk.groups() == [["1", "2"]]
    assert desk.breaches() == []
