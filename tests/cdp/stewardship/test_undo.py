"""What is taken back is as if it had never been: ids, memberships and golden values, in any nesting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cdp.identity.resolve import resolve_all
from cdp.stewardship.errors import (
    AlreadyUndoneError,
    ConstraintConflictError,
    NothingToUndoError,
    RuledOnSinceError,
    UnknownActionError,
    UnknownEntryError,
)
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.undo import undo_action
from cdp.store.schema import (
    ledger_entries,
    memberships,
    merge_candidates,
    outbox_events,
    pair_constraints,
    steward_actions,
)
from tests.cdp.realtime.feeding import NOW, a_record
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, MAYBE_ANA, Desk, People, an_order

EVA = {"full_name": "Eva Moura", "birth_date": "1990-03-03", "emails": ["eva@example.com"]}
DAVI = {"full_name": "Davi Moura", "birth_date": "1970-05-05", "emails": ["davi@example.com"]}
# One person by the third, who says what both of the others say.
BRIDGED = (
    {"full_name": "Ana Reis", "birth_date": "1980-02-29"},
    {"full_name": "Ana Lima", "emails": ["ana@example.com"]},
    ANA | {"address": {}},
)
LATER = NOW + timedelta(days=1)
LATEST = LATER + timedelta(days=1)


def in_force(desk: Desk) -> set[tuple[str, int, int]]:
    return {
        (row["kind"], row["record_id_l"], row["record_id_r"])
        for row in desk.rows(pair_constraints)
        if row["valid_to"] is None
    }


def decide_first(desk: Desk, decision: str) -> Outcome:
    return desk.decide(desk.open_candidates()[0], decision)


# Records 1, 2: Ana; 3: Bia; 4: Caio; 5: perhaps Ana. What each step rules.
STEPS: dict[str, Callable[[Desk], Outcome]] = {
    "join": lambda desk: desk.join("1", "3"),
    "join of others": lambda desk: desk.join("3", "4"),
    "join of several": lambda desk: desk.join("4", "3", "1"),
    "split": lambda desk: desk.split("2"),
    "same": lambda desk: decide_first(desk, "same"),
    "different": lambda desk: decide_first(desk, "different"),
    "unsure": lambda desk: decide_first(desk, "unsure"),
    "unsure of two": lambda desk: desk.leave(desk.open_candidates()[0]),
}
NESTINGS = {
    "a join of a join": ("join", lambda desk: desk.join("3", "4")),
    "a split of a join": ("join", lambda desk: desk.split("1")),
    "a split of the other part of a join": ("join", lambda desk: desk.split("3", "2")),
    "a join of a split": ("split", lambda desk: desk.join("2", "4")),
    "a split after a split": ("join of several", lambda desk: desk.split("1", "2")),
    "a join after a decision": ("same", lambda desk: desk.join("5", "4")),
    "a split after a decision": ("same", lambda desk: desk.split("5", "2")),
    "a decision after a join": ("join of others", lambda desk: decide_first(desk, "same")),
    "a join after a difference": ("different", lambda desk: desk.join("5", "4")),
    "a decision after a split": ("split", lambda desk: decide_first(desk, "different")),
}


def known_before(desk: Desk, before: People) -> People:
    """The people now, without the ids that were not given out then: none of them is anybody's any more."""
    now = desk.people()
    new = now.answers.keys() - before.answers.keys()
    assert new.isdisjoint(now.members)
    return replace(now, answers={each: leads for each, leads in now.answers.items() if each not in new})


def five_people(desk: Desk) -> None:
    desk.take(ANA, ANA, BIA, CAIO, MAYBE_ANA)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_ruling_and_its_undo_leave_all_as_it_was(desk: Desk, step: Callable[[Desk], Outcome]) -> None:
    five_people(desk)
    before, constraints = desk.people(), in_force(desk)
    asked = [each.candidate_id for each in desk.open_candidates()]

    desk.undo(step(desk))

    assert known_before(desk, before) == before
    assert in_force(desk) == constraints
    assert len(desk.open_candidates()) == len(asked)
    assert desk.breaches() == []


@pytest.mark.parametrize(("outer", "inner"), NESTINGS.values(), ids=NESTINGS)
def test_nested_rulings_are_taken_back_one_by_one(
    lite_desk: Desk, outer: str, inner: Callable[[Desk], Outcome]
) -> None:
    five_people(lite_desk)
    states = [lite_desk.people()]
    outcomes = []
    for step in (STEPS[outer], inner):
        outcomes.append(step(lite_desk))
        states.append(lite_desk.people())

    lite_desk.undo(outcomes[1])
    assert known_before(lite_desk, states[1]) == states[1]
    lite_desk.undo(outcomes[0])
    assert known_before(lite_desk, states[0]) == states[0]

    assert in_force(lite_desk) == set()
    assert lite_desk.breaches() == []


@pytest.mark.parametrize(("outer", "inner"), NESTINGS.values(), ids=NESTINGS)
def test_undos_of_undos_bring_the_rulings_back(
    lite_desk: Desk, outer: str, inner: Callable[[Desk], Outcome]
) -> None:
    five_people(lite_desk)
    outcomes = [step(lite_desk) for step in (STEPS[outer], inner)]
    ruled, constraints = lite_desk.people(), in_force(lite_desk)
    undone = [lite_desk.undo(outcome) for outcome in reversed(outcomes)]

    for undo in reversed(undone):
        lite_desk.undo(undo)

    assert known_before(lite_desk, ruled) == ruled
    assert in_force(lite_desk) == constraints
    assert lite_desk.breaches() == []


def test_ids_come_back_where_the_records_alone_could_not_tell(desk: Desk) -> None:
    ana, caio, bia, _ = desk.take(ANA, CAIO, BIA, BIA)
    desk.join("1", "2")
    desk.feed.delete("shop", "1", now=LATER)
    before = desk.people()
    assert before.members == {ana: ["2"], bia: ["3", "4"]}

    desk.undo(desk.join("2", "3"))

    assert desk.people() == before
    assert desk.people().answers[caio] == ana
    assert desk.breaches() == []


def test_ids_that_were_absorbed_before_lead_where_they_led(desk: Desk) -> None:
    """An undone join gave the absorbed id more records of another profile than it has of its own."""
    _, caio, eva, bia, _ = desk.take(ANA, CAIO, EVA, BIA, BIA)
    desk.undo(desk.join("3", "4"))
    desk.join("2", "3")
    before = desk.people()
    assert (before.answers[eva], before.answers[bia]) == (caio, bia)

    ruling = desk.join("1", "2")
    ruled = desk.people()
    undo = desk.undo(ruling)

    assert desk.people() == before
    desk.undo(undo)
    assert desk.people() == ruled
    desk.undo(ruling)
    assert desk.people() == before
    assert desk.breaches() == []


def test_disjoint_rulings_are_taken_back_in_any_order(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA, CAIO, {"full_name": "Davi Moura"})
    before = lite_desk.people()
    first, second = lite_desk.join("1", "2"), lite_desk.join("3", "4")

    lite_desk.undo(first)
    lite_desk.undo(second)

    assert lite_desk.people() == before


def test_a_ruling_that_a_later_one_builds_on_waits_for_its_undo(desk: Desk) -> None:
    desk.take(ANA, BIA, CAIO)
    before = desk.people()
    first, second = desk.join("1", "2"), desk.join("2", "3")

    with pytest.raises(RuledOnSinceError) as refused:
        desk.undo(first)

    assert refused.value.ids == (second.action_id,)
    desk.undo(second)
    desk.undo(first)
    assert desk.people() == before


def test_a_ruling_that_stands_again_is_as_late_as_the_undo_that_let_it(desk: Desk) -> None:
    desk.take(ANA, BIA, CAIO)
    before = desk.people()
    first = desk.join("1", "2")
    undone = desk.undo(first)
    second = desk.join("2", "3")
    between = desk.people()
    desk.undo(undone)

    with pytest.raises(RuledOnSinceError) as refused:
        desk.undo(second)

    assert refused.value.ids == (first.action_id,)
    desk.undo(first)
    assert known_before(desk, between) == between
    desk.undo(second)
    assert known_before(desk, before) == before


def test_ids_come_back_from_a_join_that_stood_again_over_others(desk: Desk) -> None:
    """It moved other records than the first time."""
    desk.take(ANA, BIA, CAIO, {"full_name": "Davi Moura"})
    earlier = desk.join("1", "2")
    outer = desk.join("1", "3", "4")
    undone = desk.undo(outer)
    desk.undo(earlier)
    desk.join("3", "2")
    desk.join("2", "4")
    before = desk.people()

    desk.undo(undone)
    assert desk.groups() == [["1", "2", "3", "4"]]
    desk.undo(outer)

    assert known_before(desk, before) == before


def test_a_join_that_was_split_since_waits_for_the_split(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA, CAIO)
    joined = lite_desk.join("1", "2", "3")
    cut = lite_desk.split("1")

    with pytest.raises(RuledOnSinceError) as refused:
        lite_desk.undo(joined)

    assert refused.value.ids == (cut.action_id,)


def test_an_action_is_undone_once(desk: Desk) -> None:
    desk.take(ANA, BIA)
    joined = desk.join("1", "2")
    undone = desk.undo(joined)

    with pytest.raises(AlreadyUndoneError) as refused:
        desk.undo(joined)

    assert refused.value.ids == (undone.action_id,)
    assert len(desk.rows(steward_actions)) == 2


def test_an_undo_that_fell_does_not_rise_over_another(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA)
    joined = lite_desk.join("1", "2")
    again = lite_desk.undo(lite_desk.undo(joined))
    lite_desk.undo(joined)

    with pytest.raises(AlreadyUndoneError):
        lite_desk.undo(again)


def test_a_ruling_does_not_stand_again_against_a_later_one(desk: Desk) -> None:
    desk.take(ANA, MAYBE_ANA)
    undone = desk.undo(desk.join("1", "2"))
    decided = decide_first(desk, "different")

    with pytest.raises(ConstraintConflictError) as refused:
        desk.undo(undone)

    assert refused.value.ids == (decided.action_id,)
    assert desk.groups() == [["1"], ["2"]]


def test_the_ledger_says_what_was_taken_back(desk: Desk) -> None:
    desk.take(ANA, BIA)
    joined = desk.join("1", "2")
    undone = desk.undo(joined)

    marks = {row["ledger_entry_id"]: row["undone_by"] for row in desk.rows(ledger_entries)}
    assert marks[joined.ledger_entry_ids[0]] == undone.ledger_entry_ids[0]
    again = desk.undo(undone)
    marks = {row["ledger_entry_id"]: row["undone_by"] for row in desk.rows(ledger_entries)}
    assert marks[joined.ledger_entry_ids[0]] is None
    assert marks[undone.ledger_entry_ids[0]] == again.ledger_entry_ids[0]


def test_an_undo_emits_the_compensating_events(lite_desk: Desk) -> None:
    ana, bia = lite_desk.take(ANA, BIA)

    lite_desk.undo(lite_desk.join("1", "2"))

    told = [(row["kind"], row["subject_id"]) for row in lite_desk.rows(outbox_events)][-3:]
    assert told == [("profile.split", ana), ("profile.created", bia), ("stewardship.ruled", "2")]


def test_a_decision_undone_is_asked_again(desk: Desk) -> None:
    desk.take(ANA, MAYBE_ANA)
    [candidate] = desk.open_candidates()

    desk.undo(desk.decide(candidate, "different"))

    [again] = desk.open_candidates()
    assert (again.candidate_id, again.closed_at, again.closed_by) == (candidate.candidate_id, None, None)


def test_a_decision_undone_is_not_asked_again_when_nobody_proposes_it(desk: Desk) -> None:
    desk.take(ANA, MAYBE_ANA)
    [candidate] = desk.open_candidates()
    decided = desk.leave(candidate)
    desk.feed.ingest(a_record("2", day=50, **BIA))

    desk.undo(decided)

    assert desk.open_candidates() == []
    assert desk.candidate(candidate.candidate_id).state == "withdrawn"
    assert desk.breaches() == []


def test_a_decision_undone_after_its_record_is_gone_stays_closed(lite_desk: Desk) -> None:
    lite_desk.take(ANA, MAYBE_ANA)
    decided = decide_first(lite_desk, "different")
    lite_desk.feed.delete("shop", "2", now=LATER)

    lite_desk.undo(decided, now=LATEST)

    assert lite_desk.open_candidates() == []
    assert lite_desk.breaches() == []


def test_two_rulings_that_say_the_same_are_taken_back_one_by_one(lite_desk: Desk) -> None:
    lite_desk.take(ANA, {"full_name": "Ana Reis"}, BIA)
    entry_id = lite_desk.rows(ledger_entries)[1]["ledger_entry_id"]
    cut = lite_desk.split("2")
    lite_desk.undo_entry(entry_id)

    lite_desk.undo(cut)

    assert lite_desk.groups() == [["1"], ["2"], ["3"]]
    assert lite_desk.breaches() == []


def test_a_join_stays_cut_while_one_of_two_splits_stands(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA)
    joined = lite_desk.join("1", "2")
    cut = lite_desk.split("2")
    undone = lite_desk.undo(cut)
    cut_again = lite_desk.split("2")
    lite_desk.undo(undone)

    lite_desk.undo(cut_again)

    assert lite_desk.groups() == [["1"], ["2"]]
    lite_desk.undo(cut)
    assert lite_desk.groups() == [["1", "2"]]
    lite_desk.undo(joined)
    assert lite_desk.groups() == [["1"], ["2"]]


def test_a_join_that_stands_again_stays_cut_by_a_split_that_stands(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA, CAIO)
    joined = lite_desk.join("1", "2", "3")
    cut_undone = lite_desk.undo(lite_desk.split("1"))
    join_undone = lite_desk.undo(joined)
    lite_desk.undo(cut_undone)

    lite_desk.undo(join_undone)

    assert lite_desk.groups() == [["1"], ["2", "3"]]
    assert lite_desk.breaches() == []


def test_an_undo_is_previewed(desk: Desk) -> None:
    ana, bia = desk.take(ANA, BIA)
    joined = desk.join("1", "2")
    before = desk.people()

    outcome = desk.undo(joined, is_preview=True)

    assert [(each.profile_id, each.record_ids) for each in outcome.after] == [(ana, [1]), (bia, [2])]
    assert desk.people() == before
    assert desk.rows(steward_actions)[0]["undone_by"] is None


def test_an_undo_of_nothing(lite_desk: Desk) -> None:
    with pytest.raises(UnknownActionError):
        undo_action(lite_desk.feed.resolver, 7, an_order())
    with pytest.raises(UnknownEntryError):
        lite_desk.undo_entry(7)


# -------------------------------------------------------------------------- joined by a steward, then by evidence


def joined_and_alike(desk: Desk) -> Outcome:
    """Ana and Bia are held together when Bia's record turns out to say what Ana's does."""
    desk.take(ANA, BIA, CAIO)
    joined = desk.join("1", "2")
    desk.feed.ingest(a_record("2", day=50, **ANA))
    return joined


def test_a_join_undone_is_not_done_again_by_the_machine(desk: Desk) -> None:
    ana, bia, _ = desk.take(ANA, BIA, CAIO)
    joined = desk.join("1", "2")
    desk.feed.ingest(a_record("2", day=50, **ANA))

    undone = desk.undo(joined)
    desk.feed.ingest(a_record("2", day=51, **{**ANA, "emails": []}))
    resolve_all(desk.engine, clock=lambda: NOW)

    assert (desk.profile_of("1"), desk.profile_of("2")) == (ana, bia)
    assert in_force(desk) == {("cannot", 1, 2)}
    assert [row["opened_by"] for row in desk.rows(pair_constraints)] == [1, undone.action_id]
    assert desk.breaches() == []


def test_a_decision_undone_is_not_done_again_by_the_machine(lite_desk: Desk) -> None:
    ana, maybe_ana = lite_desk.take(ANA, MAYBE_ANA)
    decided = decide_first(lite_desk, "same")
    lite_desk.feed.ingest(a_record("2", day=50, **ANA))

    lite_desk.undo(decided)

    assert lite_desk.people().members == {ana: ["1"], maybe_ana: ["2"]}
    assert lite_desk.breaches() == []


def test_what_an_undo_keeps_apart_falls_and_rises_with_it(desk: Desk) -> None:
    undone = desk.undo(joined_and_alike(desk))
    apart = desk.people()

    again = desk.undo(undone)

    assert in_force(desk) == {("must", 1, 2)}
    assert desk.groups() == [["1", "2"], ["3"]]
    assert desk.breaches() == []
    desk.undo(again)
    assert in_force(desk) == {("cannot", 1, 2)}
    assert desk.people() == apart
    assert desk.breaches() == []


def test_a_join_undone_without_evidence_for_it_leaves_the_question_open(lite_desk: Desk) -> None:
    lite_desk.take(ANA, MAYBE_ANA)

    lite_desk.undo(lite_desk.join("1", "2"))

    assert in_force(lite_desk) == set()
    assert len(lite_desk.open_candidates()) == 1


def test_an_undo_keeps_nobody_apart_whom_another_ruling_holds_together(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA, CAIO)
    lite_desk.join("1", "2")
    wider = lite_desk.join("2", "3")
    lite_desk.feed.ingest(a_record("3", day=50, **ANA))

    lite_desk.undo(wider)

    assert lite_desk.groups() == [["1", "2"], ["3"]]
    assert in_force(lite_desk) == {("must", 1, 2), ("cannot", 1, 3), ("cannot", 2, 3)}
    assert lite_desk.breaches() == []


def test_an_undo_keeps_nobody_apart_whom_the_ruling_let_the_machine_bring_together(lite_desk: Desk) -> None:
    """Parted from the one it was with, a record goes to another by evidence; the split said nothing of these two."""
    lite_desk.take(ANA, ANA, ANA)
    before = lite_desk.people()
    first, second = lite_desk.split("1"), lite_desk.split("2")
    lite_desk.undo(first)
    third = lite_desk.split("1")
    went_on = lite_desk.groups()
    lite_desk.undo(second)

    lite_desk.undo(third)

    assert went_on == [["1", "3"], ["2"]]
    assert in_force(lite_desk) == set()
    assert known_before(lite_desk, before) == before
    assert lite_desk.breaches() == []


def met_by_another_undo(desk: Desk) -> list[Outcome]:
    """Two that a steward joined, and the one between them who was held elsewhere and is not any more. What was done."""
    desk.take(*BRIDGED)
    cut = desk.split("3")
    desk.take(BIA, CAIO, EVA, DAVI, keys="4567")
    held = desk.join("3", "4", "5", "6", "7")
    free = desk.undo(cut)
    joined = desk.join("1", "2")
    return [cut, held, free, joined, desk.undo(held)]


def test_an_undone_join_parts_whom_the_end_of_another_ruling_lets_meet(desk: Desk) -> None:
    _, _, _, joined, _ = met_by_another_undo(desk)
    assert desk.groups()[0] == ["1", "2", "3"]

    desk.undo(joined)

    assert desk.profile_of("1") != desk.profile_of("2")
    assert in_force(desk) == {("cannot", 1, 2)}
    assert desk.breaches() == []


def test_rulings_undone_crosswise_leave_nothing_once_they_are_undone_from_the_last(lite_desk: Desk) -> None:
    done = met_by_another_undo(lite_desk)
    done.append(lite_desk.undo(done[3]))

    for outcome in reversed(done):
        lite_desk.undo(outcome)

    assert in_force(lite_desk) == set()
    assert lite_desk.groups() == [["1", "2", "3"], ["4"], ["5"], ["6"], ["7"]]
    assert lite_desk.breaches() == []


def test_an_undo_that_keeps_apart_is_previewed(lite_desk: Desk) -> None:
    joined = joined_and_alike(lite_desk)
    before = lite_desk.people()

    outcome = lite_desk.undo(joined, is_preview=True)

    assert [each.record_ids for each in outcome.after] == [[1], [2]]
    assert lite_desk.people() == before
    assert in_force(lite_desk) == {("must", 1, 2)}


# ---------------------------------------------------------------------------------------------------- the machine


def last_entry(desk: Desk, kind: str) -> int:
    return int([row["ledger_entry_id"] for row in desk.rows(ledger_entries) if row["kind"] == kind][-1])


def test_a_record_that_the_machine_attached_is_taken_out_and_stays_out(desk: Desk) -> None:
    [ana, _] = desk.take(ANA, ANA)

    outcome = desk.undo_entry(last_entry(desk, "attach"))
    desk.feed.ingest(a_record("2", day=50, **ANA))
    resolve_all(desk.engine, clock=lambda: NOW)

    assert desk.groups() == [["1"], ["2"]]
    assert desk.profile_of("1") == ana
    assert desk.rows(ledger_entries)[1]["undone_by"] == outcome.ledger_entry_ids[0]
    assert desk.breaches() == []


def test_profiles_that_the_machine_joined_get_their_ids_back(desk: Desk) -> None:
    old, young = desk.take(
        {"full_name": "Ana Reis", "birth_date": "1980-02-29"},
        {"full_name": "Ana Lima", "emails": ["ana@example.com"]},
    )
    desk.feed.ingest(a_record("3", **{**ANA, "address": {}}))
    assert len(desk.groups()) == 1

    desk.undo_entry(last_entry(desk, "join"))

    people = desk.people()
    assert (people.answers[old], people.answers[young]) == (old, young)
    assert in_force(desk) == {("cannot", 1, 2)}
    assert "2" in people.members[young]
    assert desk.breaches() == []


def test_what_the_machine_parted_is_held_together(desk: Desk) -> None:
    [ana, _] = desk.take(ANA, ANA)
    desk.feed.ingest(a_record("2", day=50, **BIA))
    assert len(desk.groups()) == 2

    desk.undo_entry(last_entry(desk, "split"))

    assert desk.people().members == {ana: ["1", "2"]}
    assert desk.breaches() == []


def test_an_undo_of_the_machine_can_be_undone(desk: Desk) -> None:
    desk.take(ANA, ANA)
    before = desk.people()
    entry_id = last_entry(desk, "attach")

    desk.undo(desk.undo_entry(entry_id))

    assert known_before(desk, before) == before
    assert desk.rows(ledger_entries)[1]["undone_by"] is None
    desk.undo_entry(entry_id)
    assert len(desk.groups()) == 2


def test_an_entry_of_the_machine_is_undone_once(lite_desk: Desk) -> None:
    lite_desk.take(ANA, ANA)
    entry_id = last_entry(lite_desk, "attach")
    undone = lite_desk.undo_entry(entry_id)

    with pytest.raises(AlreadyUndoneError) as refused:
        lite_desk.undo_entry(entry_id)

    assert refused.value.ids == (undone.action_id,)


def test_an_entry_of_a_steward_is_their_action(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA)
    joined = lite_desk.join("1", "2")

    lite_desk.undo_entry(joined.ledger_entry_ids[0])

    assert lite_desk.rows(steward_actions)[0]["undone_by"] == 2
    assert in_force(lite_desk) == set()


@pytest.mark.parametrize("kind", ["create", "detach"])
def test_what_brought_nobody_together_is_not_undone(lite_desk: Desk, kind: str) -> None:
    lite_desk.take(ANA, ANA, BIA)
    lite_desk.feed.delete("shop", "2", now=LATER)

    with pytest.raises(NothingToUndoError):
        lite_desk.undo_entry(last_entry(lite_desk, kind))


def test_an_undo_of_the_machine_against_a_steward_is_refused(lite_desk: Desk) -> None:
    lite_desk.take(ANA, ANA, BIA)
    joined = lite_desk.join("1", "3")

    with pytest.raises(ConstraintConflictError) as refused:
        lite_desk.undo_entry(last_entry(lite_desk, "attach"))

    assert refused.value.ids == (joined.action_id,)


def test_constraints_and_memberships_are_dated(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA)
    joined = lite_desk.join("1", "2", now=LATER)

    lite_desk.undo(joined, now=LATEST)

    [row] = lite_desk.rows(pair_constraints)
    assert (row["valid_from"], row["valid_to"], row["opened_by"], row["closed_by"]) == (LATER, LATEST, 1, 2)
    assert lite_desk.rows(memberships)[-1]["valid_from"] == LATEST


def test_candidates_of_a_decision_keep_their_history(lite_desk: Desk) -> None:
    lite_desk.take(ANA, MAYBE_ANA)
    [candidate] = lite_desk.open_candidates()
    undone = lite_desk.undo(lite_desk.decide(candidate, "same"))

    lite_desk.undo(undone)

    [row] = lite_desk.rows(merge_candidates)
    assert (row["candidate_id"], row["state"]) == (candidate.candidate_id, "same")
