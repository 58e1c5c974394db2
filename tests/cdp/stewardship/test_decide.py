"""A merge candidate is decided once, on what the steward saw, and is not asked about again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cdp.identity.resolve import resolve_all
from cdp.stewardship.candidates import Candidate
from cdp.stewardship.errors import (
    ClosedCandidateError,
    StaleCandidateError,
    UnknownCandidateError,
)
from cdp.store.schema import merge_candidates, steward_actions
from tests.cdp.realtime.feeding import NOW, a_record
from tests.cdp.stewardship.desk import ANA, BIA, MAYBE_ANA, Desk

LATER = NOW + timedelta(days=1)


def asked(desk: Desk) -> Candidate:
    """Two profiles of which the machine is not sure."""
    desk.take(ANA, MAYBE_ANA)
    [candidate] = desk.open_candidates()
    return candidate


def test_same_joins_the_profiles(desk: Desk) -> None:
    candidate = asked(desk)

    outcome = desk.decide(candidate, "same", author="maria", now=LATER)

    closed = desk.candidate(candidate.candidate_id)
    assert desk.people().members == {candidate.profile_id_l: ["1", "2"]}
    assert (closed.state, closed.closed_by, closed.closed_at) == ("same", "maria", LATER)
    assert outcome.candidates == []
    assert desk.breaches() == []


def test_different_keeps_every_pair_of_records_of_both_apart(desk: Desk) -> None:
    candidate = asked(desk)

    desk.decide(candidate, "different")
    desk.feed.ingest(a_record("3", **ANA))
    desk.feed.ingest(a_record("4", **MAYBE_ANA))

    assert desk.open_candidates() == []
    assert desk.candidate(candidate.candidate_id).state == "different"
    assert desk.breaches() == []


def test_different_holds_against_evidence_that_comes_later(desk: Desk) -> None:
    candidate = asked(desk)
    desk.decide(candidate, "different")

    desk.feed.ingest(a_record("2", day=50, **ANA))

    assert desk.groups() == [["1"], ["2"]]
    assert desk.open_candidates() == []


def test_unsure_lets_it_rest_until_a_record_is_newer(desk: Desk) -> None:
    candidate = asked(desk)
    desk.leave(candidate, now=LATER)
    desk.feed.ingest(a_record("3", **BIA), now=LATER)
    resolve_all(desk.engine, clock=lambda: LATER)
    assert desk.open_candidates() == []

    desk.feed.ingest(a_record("2", day=50, **MAYBE_ANA, gender="f"), now=LATER + timedelta(days=1))

    [again] = desk.open_candidates()
    assert again.candidate_id != candidate.candidate_id
    assert desk.candidate(candidate.candidate_id).state == "unsure"


def test_a_decision_is_an_action_of_its_candidate(lite_desk: Desk) -> None:
    candidate = asked(lite_desk)

    lite_desk.decide(candidate, "unsure")

    [action] = lite_desk.rows(steward_actions)
    assert (action["kind"], action["candidate_id"], action["decision"]) == (
        "decision",
        candidate.candidate_id,
        "unsure",
    )


def test_a_decision_on_profiles_that_changed_is_stale(desk: Desk) -> None:
    candidate = asked(desk)
    desk.feed.ingest(a_record("3", **ANA))

    with pytest.raises(StaleCandidateError):
        desk.decide(candidate, "same")

    assert desk.rows(steward_actions) == []


def test_a_second_decision_is_stale_and_the_closed_one_stays(desk: Desk) -> None:
    candidate = asked(desk)
    desk.decide(candidate, "different")

    with pytest.raises(StaleCandidateError):
        desk.decide(candidate, "same")
    with pytest.raises(ClosedCandidateError):
        desk.decide(candidate, "same", etag=desk.candidate(candidate.candidate_id).etag)


def test_an_unknown_candidate(lite_desk: Desk) -> None:
    candidate = asked(lite_desk)

    with pytest.raises(UnknownCandidateError):
        lite_desk.decide(Candidate(**{**vars(candidate), "candidate_id": 99}), "same")


def test_a_candidate_between_profiles_that_a_ruling_keeps_apart_is_withdrawn(lite_desk: Desk) -> None:
    candidate = asked(lite_desk)
    lite_desk.feed.ingest(a_record("3", **BIA))
    lite_desk.join("2", "3")
    lite_desk.split("2")

    lite_desk.join("1", "3")

    assert lite_desk.open_candidates() == []
    assert lite_desk.candidate(candidate.candidate_id).state == "withdrawn"


def test_a_preview_of_a_decision_leaves_the_candidate_open(desk: Desk) -> None:
    candidate = asked(desk)

    outcome = desk.decide(candidate, "same", is_preview=True)

    assert [each.record_ids for each in outcome.after] == [[1, 2], []]
    assert desk.open_candidates() == [candidate]
    assert desk.rows(steward_actions) == []


def test_a_batch_after_decisions_asks_nothing_again(desk: Desk) -> None:
    candidate = asked(desk)
    desk.decide(candidate, "different")
    before = desk.people(), desk.rows(merge_candidates)

    resolve_all(desk.engine, clock=lambda: NOW)

    assert (desk.people(), desk.rows(merge_candidates)) == before
