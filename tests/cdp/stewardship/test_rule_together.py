"""A join, a split or taking apart that is risky takes effect when a second person confirms it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import (
    EndedProposalError,
    OneProfileError,
    SecondPersonNeededError,
    StaleProposalError,
    UnknownProposalError,
    UnusableSplitError,
)
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.proposals import Proposal, Request, select_open
from cdp.stewardship.rule_together import confirm_proposal, is_current, refuse_proposal, rule_together
from cdp.stewardship.take_apart import RECORDS
from cdp.store import read
from cdp.store.schema import audit_entries, ruling_proposals, steward_actions
from tests.cdp.realtime.feeding import NOW, a_record
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, Desk, an_order

RULES = DeskRules()
SMALL = replace(RULES, four_eyes_records=3)
CPF = {"documents": [{"type": "cpf", "number": "390.533.447-05"}]}
OTHER_CPF = {"documents": [{"type": "cpf", "number": "529.982.247-25"}]}


def ruled(desk: Desk, request: Request, author: str, rules: DeskRules = SMALL, **options: Any) -> Any:
    return rule_together(desk.feed.resolver, request, an_order(author=author, **options), rules)


def joining(desk: Desk, *keys: str) -> Request:
    return Request("join", tuple(desk.profile_of(key) for key in keys))


def splitting(desk: Desk, key: str) -> Request:
    return Request("split", (desk.profile_of(key),), record_ids=(desk.record_id(key),))


def parting(desk: Desk, key: str) -> Request:
    return Request("take_apart", (desk.profile_of(key),), into=RECORDS)


def confirmed(desk: Desk, proposal: Proposal, author: str, **options: Any) -> Outcome:
    order = an_order(author=author, **options)
    return confirm_proposal(desk.feed.resolver, proposal.proposal_id, order)


REQUESTS = {
    "join": lambda desk: joining(desk, "1", "4"),
    "split": lambda desk: splitting(desk, "3"),
    "take_apart": lambda desk: parting(desk, "1"),
}
COMES_TO = {
    "join": [["1", "2", "3", "4"]],
    "split": [["1", "2"], ["3"], ["4"]],
    "take_apart": [["1"], ["2"], ["3"], ["4"]],
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_the_first_ones_ruling_waits_and_the_second_ones_word_has_the_effect(desk: Desk, kind: str) -> None:
    desk.take(ANA, ANA, ANA, BIA)
    before = desk.people()

    waiting = ruled(desk, REQUESTS[kind](desk), "ana")

    assert isinstance(waiting, Proposal)
    assert (waiting.kind, waiting.author, waiting.why) == (kind, "ana", ["size"])
    assert (desk.people(), desk.rows(steward_actions)) == (before, [])
    outcome = confirmed(desk, waiting, "rui")
    assert desk.groups() == COMES_TO[kind]
    [row] = desk.rows(ruling_proposals)
    assert (row["outcome"], row["ended_by"], row["action_id"]) == ("confirmed", "rui", outcome.action_id)
    desk.undo(outcome)
    assert desk.groups() == [["1", "2", "3"], ["4"]]
    assert desk.breaches() == []


def test_the_same_person_twice_is_refused(desk: Desk) -> None:
    desk.take(ANA, ANA, ANA)
    waiting = ruled(desk, splitting(desk, "3"), "ana")

    with pytest.raises(SecondPersonNeededError):
        ruled(desk, splitting(desk, "3"), "ana")
    with pytest.raises(SecondPersonNeededError):
        confirmed(desk, waiting, "ana")

    assert desk.groups() == [["1", "2", "3"]]
    assert len(desk.rows(ruling_proposals)) == 1


def test_a_second_person_who_asks_for_the_same_confirms_it(desk: Desk) -> None:
    desk.take(ANA, ANA, BIA)
    ruled(desk, joining(desk, "1", "3"), "ana")

    outcome = ruled(desk, joining(desk, "3", "2"), "rui")

    assert isinstance(outcome, Outcome)
    assert desk.groups() == [["1", "2", "3"]]
    assert [row["outcome"] for row in desk.rows(ruling_proposals)] == ["confirmed"]


def test_what_was_asked_of_other_records_is_confirmed_by_nobody(desk: Desk) -> None:
    desk.take(ANA, ANA, ANA)
    waiting = ruled(desk, splitting(desk, "3"), "ana")
    desk.feed.ingest(a_record("4", **ANA))
    with read(desk.engine) as connection:
        [listed] = select_open(connection, limit=10)
        assert not is_current(connection, listed)

    with pytest.raises(StaleProposalError):
        confirmed(desk, waiting, "rui")
    with pytest.raises(EndedProposalError):
        confirmed(desk, waiting, "rui")

    assert desk.groups() == [["1", "2", "3", "4"]]
    assert [row["outcome"] for row in desk.rows(ruling_proposals)] == ["changed"]
    audited = [(row["actor"], row["action"], row["object_id"]) for row in desk.rows(audit_entries)]
    assert audited.count(("rui", "stewardship.proposal_changed", str(waiting.proposal_id))) == 1
    assert desk.breaches() == []


def test_asked_anew_of_other_records_it_waits_anew(desk: Desk) -> None:
    desk.take(ANA, ANA, ANA)
    ruled(desk, splitting(desk, "3"), "ana")
    desk.feed.ingest(a_record("4", **ANA))

    again = ruled(desk, splitting(desk, "3"), "rui")

    assert isinstance(again, Proposal)
    assert [row["outcome"] for row in desk.rows(ruling_proposals)] == ["changed", None]
    audited = [row["action"] for row in desk.rows(audit_entries)]
    assert audited[-2:] == ["stewardship.proposal_changed", "stewardship.proposed"]


@pytest.mark.parametrize(("author", "outcome"), [("ana", "withdrawn"), ("rui", "refused")])
def test_it_is_withdrawn_by_its_author_and_refused_by_others(
    lite_desk: Desk, author: str, outcome: str
) -> None:
    lite_desk.take(ANA, ANA, ANA)
    waiting = ruled(lite_desk, splitting(lite_desk, "3"), "ana")

    ended = [
        refuse_proposal(lite_desk.engine, waiting.proposal_id, author=author, reason="no", now=NOW)
        for _ in range(2)
    ]

    assert [each.outcome for each in ended] == [outcome, outcome]
    with pytest.raises(EndedProposalError):
        refuse_proposal(lite_desk.engine, waiting.proposal_id, author="eva", reason="no", now=NOW)
    with pytest.raises(EndedProposalError):
        confirmed(lite_desk, waiting, "eva")
    told = [row["action"] for row in lite_desk.rows(audit_entries) if row["object_kind"] == "proposal"]
    assert told == ["stewardship.proposed", f"stewardship.proposal_{outcome}"]


def test_what_a_steward_confirmed_takes_two(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA, CAIO)
    lite_desk.join("1", "2")

    waiting = [
        ruled(lite_desk, request, "ana", RULES)
        for request in (joining(lite_desk, "1", "3"), splitting(lite_desk, "2"), parting(lite_desk, "1"))
    ]

    assert [each.why for each in waiting] == [["confirmed"]] * 3


def test_documents_that_contradict_take_two_to_join_and_one_to_part(lite_desk: Desk) -> None:
    lite_desk.take(ANA | CPF, BIA | OTHER_CPF, CAIO | CPF)

    waiting = ruled(lite_desk, joining(lite_desk, "1", "2"), "ana", RULES)
    alike = ruled(lite_desk, joining(lite_desk, "1", "3"), "ana", RULES)

    assert waiting.why == ["documents"]
    assert isinstance(alike, Outcome)


def test_what_is_not_risky_takes_one(lite_desk: Desk) -> None:
    lite_desk.take(ANA, ANA, BIA)

    assert isinstance(ruled(lite_desk, splitting(lite_desk, "2"), "ana", RULES), Outcome)
    assert lite_desk.rows(ruling_proposals) == []


def test_what_nobody_could_confirm_does_not_wait(lite_desk: Desk) -> None:
    lite_desk.take(ANA, ANA, ANA)
    everybody = tuple(lite_desk.record_id(key) for key in "123")

    with pytest.raises(OneProfileError):
        ruled(lite_desk, joining(lite_desk, "1", "2"), "ana")
    with pytest.raises(UnusableSplitError):
        ruled(lite_desk, Request("split", (lite_desk.profile_of("1"),), record_ids=everybody), "ana")
    with pytest.raises(UnknownProposalError):
        confirm_proposal(lite_desk.feed.resolver, 7, an_order())

    assert lite_desk.rows(ruling_proposals) == []


def test_a_preview_shows_what_would_come_and_needs_nobody_else(lite_desk: Desk) -> None:
    lite_desk.take(ANA, ANA, ANA)
    request = splitting(lite_desk, "3")
    first = ruled(lite_desk, request, "ana", is_preview=True)
    waiting = ruled(lite_desk, request, "ana")

    seen = confirmed(lite_desk, waiting, "ana", is_preview=True)

    assert isinstance(first, Outcome)
    assert seen.is_preview
    assert seen.after == first.after
    assert lite_desk.groups() == [["1", "2", "3"]]
