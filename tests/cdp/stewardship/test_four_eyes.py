"""A join of many, of people ruled on before, or against documents takes effect when a second person confirms it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cdp.stewardship.candidates import Candidate
from cdp.stewardship.claim import claim_next, release
from cdp.stewardship.confirmations import Pending, select_all_pending, select_pending
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import SecondPersonNeededError, StaleCandidateError, UnknownConfirmationError
from cdp.stewardship.four_eyes import decide_together, why_two_for, withdraw_pending
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.queue import QueueFilter, count_queue, select_item
from cdp.store import read
from cdp.store.schema import audit_entries, decision_confirmations, steward_actions
from tests.cdp.realtime.feeding import NOW, a_record
from tests.cdp.stewardship.desk import ANA, MAYBE_ANA, Desk, an_order

RULES = DeskRules()
SMALL = replace(RULES, four_eyes_records=3)
LATER = NOW + timedelta(days=1)
TWO_DOCUMENTS = [
    ANA | {"documents": [{"type": "cpf", "number": "390.533.447-05"}]},
    ANA | {"documents": [{"type": "cpf", "number": "529.982.247-25"}]},
]


def decide(
    desk: Desk,
    candidate: Candidate,
    author: str,
    decision: str = "same",
    rules: DeskRules = SMALL,
    **options: Any,
) -> Outcome | Pending:
    order = an_order(author=author, **options)
    return decide_together(
        desk.feed.resolver, candidate.candidate_id, decision, order, rules, seen=[candidate.etag]
    )


def asked(desk: Desk) -> Candidate:
    """A candidate about three records."""
    desk.take(ANA, ANA, MAYBE_ANA)
    [candidate] = desk.open_candidates()
    return candidate


def pending_of(desk: Desk, candidate: Candidate) -> Pending | None:
    with read(desk.engine) as connection:
        return select_pending(connection, candidate.candidate_id)


def test_the_first_ones_decision_waits_and_the_second_ones_has_the_effect(desk: Desk) -> None:
    candidate = asked(desk)

    waiting = decide(desk, candidate, "ana")

    assert isinstance(waiting, Pending)
    assert (waiting.author, waiting.why) == ("ana", ["size"])
    assert desk.candidate(candidate.candidate_id) == candidate
    assert desk.rows(steward_actions) == []
    outcome = decide(desk, candidate, "rui", now=LATER)
    assert isinstance(outcome, Outcome)
    assert desk.groups() == [["1", "2", "3"]]
    [row] = desk.rows(decision_confirmations)
    assert (row["outcome"], row["ended_by"], row["action_id"]) == ("confirmed", "rui", outcome.action_id)
    assert desk.breaches() == []


def test_the_same_person_twice_is_refused(desk: Desk) -> None:
    candidate = asked(desk)
    decide(desk, candidate, "ana")

    for decision in ("same", "different", "unsure"):
        with pytest.raises(SecondPersonNeededError):
            decide(desk, candidate, "ana", decision)

    assert desk.groups() == [["1", "2"], ["3"]]


def test_what_waits_is_shown_to_others_and_not_to_its_author(desk: Desk) -> None:
    candidate = asked(desk)
    waiting = decide(desk, candidate, "ana")

    with read(desk.engine) as connection:
        item = select_item(connection, candidate.candidate_id, RULES, now=NOW)
        count = count_queue(connection, QueueFilter(awaits_confirmation=True), now=NOW)
        every = select_all_pending(connection)
    taken = [claim_next(desk.engine, RULES, author=author, now=NOW) for author in ("ana", "rui")]

    assert (item.pending, count, every) == (waiting, 1, [waiting])
    assert [each and each.candidate for each in taken] == [None, candidate]


def test_a_second_person_who_says_otherwise_overrules(desk: Desk) -> None:
    candidate = asked(desk)
    decide(desk, candidate, "ana")

    decide(desk, candidate, "rui", "different")

    [row] = desk.rows(decision_confirmations)
    assert (row["outcome"], row["action_id"]) == ("overruled", None)
    assert desk.candidate(candidate.candidate_id).state == "different"
    assert desk.breaches() == []


def test_what_waits_is_withdrawn_by_its_author(desk: Desk) -> None:
    candidate = asked(desk)
    decide(desk, candidate, "ana")

    with pytest.raises(UnknownConfirmationError):
        withdraw_pending(desk.engine, candidate.candidate_id, author="rui", now=NOW)
    withdraw_pending(desk.engine, candidate.candidate_id, author="ana", now=NOW)

    assert pending_of(desk, candidate) is None
    assert isinstance(decide(desk, candidate, "ana"), Pending)
    told = [row["action"] for row in desk.rows(audit_entries) if row["object_kind"] == "candidate"]
    assert told == ["stewardship.pending", "stewardship.pending_withdrawn", "stewardship.pending"]


def test_what_was_said_about_other_people_does_not_count(desk: Desk) -> None:
    candidate = asked(desk)
    decide(desk, candidate, "ana")
    desk.feed.ingest(a_record("4", **ANA))
    again = desk.candidate(candidate.candidate_id)
    with read(desk.engine) as connection:
        item = select_item(connection, candidate.candidate_id, RULES, now=NOW)
        count = count_queue(connection, QueueFilter(awaits_confirmation=True), now=NOW)
        assert (item.pending, count, select_all_pending(connection)) == (None, 0, [])
    for author in ("ana", "rui"):
        taken = claim_next(desk.engine, RULES, author=author, now=NOW)
        assert taken is not None
        assert taken.candidate == again
        release(desk.engine, candidate.candidate_id, author=author, now=NOW)
    with pytest.raises(StaleCandidateError):
        decide(desk, candidate, "rui")

    waiting = decide(desk, again, "rui")

    assert isinstance(waiting, Pending)
    assert [row["outcome"] for row in desk.rows(decision_confirmations)] == ["changed", None]
    audited = [row["action"] for row in desk.rows(audit_entries)]
    assert audited[-2:] == ["stewardship.pending_changed", "stewardship.pending"]


def test_people_that_a_steward_ruled_on_take_two(desk: Desk) -> None:
    desk.take(ANA, MAYBE_ANA, MAYBE_ANA | {"address": {"city": "Faro"}})
    desk.join("1", "2")
    [candidate] = desk.open_candidates()

    with read(desk.engine) as connection:
        why = why_two_for(connection, candidate, RULES)

    assert why == ("confirmed",)


def test_documents_that_contradict_take_two(desk: Desk) -> None:
    desk.take(*TWO_DOCUMENTS)
    [candidate] = desk.open_candidates()

    with read(desk.engine) as connection:
        why = why_two_for(connection, candidate, RULES)

    assert (candidate.reason, why) == ("exclusive_conflict", ("documents",))


def test_few_records_that_nobody_ruled_on_take_one(desk: Desk) -> None:
    candidate = asked(desk)

    assert isinstance(decide(desk, candidate, "ana", rules=RULES), Outcome)


@pytest.mark.parametrize("decision", ["different", "unsure"])
def test_what_joins_nobody_takes_one(lite_desk: Desk, decision: str) -> None:
    candidate = asked(lite_desk)

    assert isinstance(decide(lite_desk, candidate, "ana", decision), Outcome)


def test_a_preview_shows_what_would_come(lite_desk: Desk) -> None:
    candidate = asked(lite_desk)

    seen = decide(lite_desk, candidate, "ana", is_preview=True)

    assert isinstance(seen, Outcome)
    assert pending_of(lite_desk, candidate) is None
