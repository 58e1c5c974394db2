"""Values that are pinned with the join they are chosen for stand and fall with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import update

from cdp.stewardship.confirmations import Pending
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import UnusablePinError
from cdp.stewardship.four_eyes import decide_together
from cdp.stewardship.join import join
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.proposals import Proposal, Request, require_proposal
from cdp.stewardship.rule_together import confirm_proposal, rule_together
from cdp.store import read, write
from cdp.store.schema import audit_entries, golden_pins, outbox_events, steward_actions
from tests.cdp.realtime.feeding import NOW
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, MAYBE_ANA, Desk, an_order
from tests.cdp.stewardship.test_preview import told

Ask = Callable[..., Any]
RULES = DeskRules()
# Any two records take two people.
TWO = DeskRules(four_eyes_records=2)


def decide_same(desk: Desk, pins: Mapping[str, int] | None, rules: Any = RULES, **options: Any) -> Any:
    [candidate] = desk.open_candidates()
    seen, order = [candidate.etag], an_order(**options)
    return decide_together(
        desk.feed.resolver, candidate.candidate_id, "same", order, rules, seen=seen, pins=pins
    )


def join_both(desk: Desk, pins: Mapping[str, int] | None, rules: Any = RULES, **options: Any) -> Any:
    request = Request("join", (desk.profile_of("1"), desk.profile_of("2")), pins=pins or {})
    return rule_together(desk.feed.resolver, request, an_order(**options), rules)


BOTH_WAYS = pytest.mark.parametrize("ask", [decide_same, join_both])


def shown(desk: Desk, attribute: str = "address") -> tuple[Any, str, int]:
    chosen = desk.people().golden[desk.profile_of("1")]["attributes"][attribute]
    return chosen["value"], chosen["rule"], chosen["record_id"]


def other_city(desk: Desk, ask: Ask) -> dict[str, int]:
    """The address that the rules would not choose."""
    [after] = [each for each in ask(desk, None, is_preview=True).after if each.record_ids]
    chosen = after.golden["address"]["record_id"]
    return {"address": next(each for each in after.record_ids if each != chosen)}


@BOTH_WAYS
def test_what_is_previewed_with_a_pin_is_what_comes(desk: Desk, ask: Ask) -> None:
    desk.take(ANA, MAYBE_ANA)
    before, pins = desk.people(), other_city(desk, ask)

    seen = ask(desk, pins, is_preview=True)
    untouched = desk.people() == before and desk.rows(golden_pins) == []
    done = ask(desk, pins)

    assert untouched
    assert told(seen) == told(done)
    assert shown(desk)[1:] == ("pinned", pins["address"])
    assert [row["opened_by"] for row in desk.rows(golden_pins)] == [done.action_id]
    assert desk.breaches() == []


@BOTH_WAYS
def test_the_ruling_undone_takes_its_pin_back_and_brings_it_again(desk: Desk, ask: Ask) -> None:
    desk.take(ANA, MAYBE_ANA)
    before, pins = desk.people(), other_city(desk, ask)
    done = ask(desk, pins)
    joined = desk.people()

    undone = desk.undo(done)
    parted = desk.people()
    desk.undo(undone)

    assert (parted.members, parted.golden) == (before.members, before.golden)
    assert [each.golden["address"]["rule"] for each in undone.before if each.record_ids] == ["pinned"]
    assert desk.people().golden == joined.golden
    assert desk.breaches() == []


def test_one_ruling_with_its_pin_is_one_action_one_entry_and_one_audit(desk: Desk) -> None:
    desk.take(ANA, BIA)
    events = len(desk.rows(outbox_events))
    pins = {"full_name": desk.record_id("1"), "birth_date": desk.record_id("2")}

    outcome = join_both(desk, pins)

    [action] = desk.rows(steward_actions)
    [audited] = [row for row in desk.rows(audit_entries) if row["action"] == "stewardship.join"]
    assert (action["kind"], outcome.action_id) == ("join", action["action_id"])
    assert audited["details"].count('"pins":{"birth_date":') == 1
    assert len(outcome.ledger_entry_ids) == 1
    told_of = [(row["kind"], row["subject_id"]) for row in desk.rows(outbox_events)[events:]]
    assert told_of == [*outcome.events, ("stewardship.ruled", str(outcome.action_id))]
    assert [kind for kind, _ in outcome.events] == ["profile.joined"]


@BOTH_WAYS
def test_a_pin_waits_with_its_ruling_for_the_second_person(desk: Desk, ask: Ask) -> None:
    desk.take(ANA, MAYBE_ANA)
    pins = other_city(desk, ask)

    waiting = ask(desk, pins, TWO, author="ana")
    meanwhile = desk.rows(golden_pins)
    seen = second_word(desk, waiting, is_preview=True)
    done = second_word(desk, waiting)

    assert (waiting.pins, meanwhile) == (pins, [])
    assert told(seen) == told(done)
    assert shown(desk)[1:] == ("pinned", pins["address"])
    assert desk.breaches() == []


def second_word(desk: Desk, waiting: Pending | Proposal, **options: Any) -> Outcome:
    if isinstance(waiting, Proposal):
        order = an_order(author="rui", **options)
        return confirm_proposal(desk.feed.resolver, waiting.proposal_id, order)
    outcome = decide_same(desk, None, author="rui", **options)
    assert isinstance(outcome, Outcome)
    return outcome


@pytest.mark.parametrize("own", [{}, {"full_name": "2"}])
def test_a_second_person_may_choose_otherwise(desk: Desk, own: dict[str, str]) -> None:
    desk.take(ANA, MAYBE_ANA)
    pins = other_city(desk, decide_same)
    decide_same(desk, pins, TWO, author="ana")
    chosen = {attribute: desk.record_id(key) for attribute, key in own.items()}

    decide_same(desk, chosen, TWO, author="rui")

    assert {row["attribute"]: row["record_id"] for row in desk.rows(golden_pins)} == chosen


def test_a_join_with_other_pins_waits_for_itself(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA)
    pins = {"full_name": lite_desk.record_id("1")}

    first = join_both(lite_desk, pins, TWO, author="ana")
    other = join_both(lite_desk, None, TWO, author="rui")
    done = join_both(lite_desk, pins, TWO, author="rui")

    assert first.proposal_id != other.proposal_id
    with read(lite_desk.engine) as connection:
        assert require_proposal(connection, first.proposal_id).action_id == done.action_id


@pytest.mark.parametrize(
    ("attribute", "key"), [("birth_date", "2"), ("full_name", "3"), ("display_name", "1")]
)
@pytest.mark.parametrize("records", [2, 50])
def test_what_cannot_be_pinned_refuses_the_ruling(
    lite_desk: Desk, attribute: str, key: str, records: int
) -> None:
    """Of it nothing is kept, whether it takes two people or one."""
    lite_desk.take(ANA, MAYBE_ANA, CAIO)
    before, rules = lite_desk.people(), DeskRules(four_eyes_records=records)
    pins = {attribute: lite_desk.record_id(key)}

    for ask in (decide_same, join_both):
        with pytest.raises(UnusablePinError):
            ask(lite_desk, pins, rules)

    assert lite_desk.people() == before
    assert lite_desk.rows(steward_actions) == lite_desk.rows(golden_pins) == []


@pytest.mark.parametrize("decision", ["different", "unsure"])
def test_an_answer_that_joins_nobody_pins_nothing(lite_desk: Desk, decision: str) -> None:
    lite_desk.take(ANA, MAYBE_ANA)
    [candidate] = lite_desk.open_candidates()
    pins, order = {"full_name": lite_desk.record_id("1")}, an_order()

    with pytest.raises(UnusablePinError, match="joins nobody"):
        decide_together(
            lite_desk.feed.resolver,
            candidate.candidate_id,
            decision,
            order,
            RULES,
            seen=[candidate.etag],
            pins=pins,
        )


def test_verify_finds_a_join_that_lost_one_of_its_pins(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA)
    ids = [lite_desk.profile_of(key) for key in "12"]
    pins = {"full_name": lite_desk.record_id("1"), "birth_date": lite_desk.record_id("2")}
    join(lite_desk.feed.resolver, ids, an_order(), pins=pins)

    with write(lite_desk.engine) as connection:
        of_name = golden_pins.c.attribute == "full_name"
        connection.execute(update(golden_pins).where(of_name).values(valid_to=NOW, closed_by=1))

    found = [each.message for each in lite_desk.breaches() if each.check == "rulings"]
    assert found == ["action 1 stands, and its pin is not in force"]
