"""One live claim a candidate: it keeps others out, runs out, is given back; what was skipped or read stays away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, insert

from cdp.stewardship.candidates import Candidate
from cdp.stewardship.claim import assign, claim, claim_next, release, renew, skip
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import (
    CandidateClaimedError,
    ClaimMissingError,
    ClosedCandidateError,
    ReadBeforeError,
    UnknownCandidateError,
)
from cdp.stewardship.four_eyes import decide_together
from cdp.stewardship.leases import select_leases_of
from cdp.stewardship.queue import QueueFilter, select_first
from cdp.store import read, write
from cdp.store.schema import candidate_leases
from tests.cdp.realtime.feeding import NOW, a_record
from tests.cdp.stewardship.desk import ANA, BIA, MAYBE_ANA, Desk, an_order

RULES = DeskRules(lease=timedelta(minutes=10), hidden=timedelta(hours=2))
SOON, LATE = NOW + timedelta(minutes=5), NOW + timedelta(minutes=11)
TWO_QUESTIONS = (ANA, MAYBE_ANA, BIA | {"address": {"city": "Faro"}}, MAYBE_ANA | {"full_name": "Bia Prado"})


def asked(desk: Desk) -> Candidate:
    desk.take(ANA, MAYBE_ANA)
    [candidate] = desk.open_candidates()
    return candidate


def taken(desk: Desk, author: str, now: object = NOW) -> int | None:
    claimed = claim_next(desk.engine, RULES, author=author, now=now)  # type: ignore[arg-type]
    return None if claimed is None else claimed.candidate.candidate_id


def test_who_claims_holds_it_until_it_runs_out(desk: Desk) -> None:
    candidate = asked(desk)

    claimed = claim(desk.engine, candidate.candidate_id, RULES, author="ana", now=NOW)

    assert claimed.candidate == candidate
    assert (claimed.lease.owner, claimed.lease.expires_at) == ("ana", NOW + RULES.lease)
    with pytest.raises(CandidateClaimedError, match="claimed by ana until 2026-11-22 10:10:00Z") as refused:
        claim(desk.engine, candidate.candidate_id, RULES, author="rui", now=SOON)
    assert (refused.value.held_by, refused.value.held_until) == ("ana", NOW + RULES.lease)
    assert claim(desk.engine, candidate.candidate_id, RULES, author="rui", now=LATE).lease.owner == "rui"
    assert desk.breaches() == []


def test_claiming_again_holds_it_longer(desk: Desk) -> None:
    candidate_id = asked(desk).candidate_id
    claim(desk.engine, candidate_id, RULES, author="ana", now=NOW)

    lease = claim(desk.engine, candidate_id, RULES, author="ana", now=SOON).lease

    assert lease.expires_at == SOON + RULES.lease
    with read(desk.engine) as connection:
        assert select_leases_of(connection, "ana", now=LATE) == [lease]


def test_a_claim_is_renewed_while_it_lives(desk: Desk) -> None:
    candidate_id = asked(desk).candidate_id
    claim(desk.engine, candidate_id, RULES, author="ana", now=NOW)

    assert renew(desk.engine, candidate_id, RULES, author="ana", now=SOON).expires_at == SOON + RULES.lease
    with pytest.raises(ClaimMissingError, match="ran out at"):
        renew(desk.engine, candidate_id, RULES, author="ana", now=SOON + RULES.lease)
    with pytest.raises(CandidateClaimedError):
        renew(desk.engine, candidate_id, RULES, author="rui", now=SOON)


def test_what_is_released_is_anybodys(desk: Desk) -> None:
    candidate_id = asked(desk).candidate_id
    claim(desk.engine, candidate_id, RULES, author="ana", now=NOW)

    assert not release(desk.engine, candidate_id, author="rui", now=SOON)
    assert release(desk.engine, candidate_id, author="ana", now=SOON)

    assert claim(desk.engine, candidate_id, RULES, author="rui", now=SOON).lease.owner == "rui"


def test_the_next_one_is_nobody_elses(desk: Desk) -> None:
    desk.take(*TWO_QUESTIONS)
    first, second = (each.candidate_id for each in desk.open_candidates())

    took = [taken(desk, "ana"), taken(desk, "rui"), taken(desk, "eva")]

    assert sorted(took[:2]) == [first, second]  # type: ignore[type-var]
    assert took[2] is None
    assert taken(desk, "eva", LATE) in (first, second)


MEANWHILE: dict[str, Callable[[Desk, int], object]] = {
    "skipped by this person": lambda desk, first: skip(desk.engine, first, RULES, author="ana", now=NOW),
    "assigned to another": lambda desk, first: assign(
        desk.engine, first, assignee="rui", due_at=None, author="lead", now=NOW
    ),
    "answered first": lambda desk, first: decide_together(
        desk.feed.resolver,
        first,
        "same",
        an_order(author="ana"),
        replace(RULES, four_eyes_records=2),
        seen=[desk.candidate(first).etag],
    ),
    "left unsure": lambda desk, first: desk.decide(desk.candidate(first), "unsure", author="ana"),
    "claimed": lambda desk, first: claim(desk.engine, first, RULES, author="rui", now=NOW),
    "decided": lambda desk, first: desk.decide(desk.candidate(first), "different", author="rui"),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_what_becomes_somebody_elses_after_the_look_is_not_taken(desk: Desk, what: str) -> None:
    desk.take(*TWO_QUESTIONS)
    with read(desk.engine) as connection:
        first = select_first(connection, QueueFilter(), "ana", RULES, sort="priority", now=NOW)
    [second] = {each.candidate_id for each in desk.open_candidates()} - {first}
    assert first is not None
    once_looked(desk.engine, lambda: MEANWHILE[what](desk, first))

    took = taken(desk, "ana")

    assert took == second
    assert desk.breaches() == []


def once_looked(engine: Engine, meanwhile: Callable[[], object]) -> None:
    """Do it once, between the first look of somebody and the write after it."""
    stages = ["look", "write"]

    def note_look(*_: object) -> None:
        if stages == ["look", "write"]:
            stages.remove("look")

    def act(*_: object) -> None:
        if stages == ["write"]:
            stages.clear()
            meanwhile()

    event.listen(engine, "after_cursor_execute", note_look)
    event.listen(engine, "checkout", act)


def test_what_is_assigned_comes_first_and_to_nobody_else(desk: Desk) -> None:
    desk.take(*TWO_QUESTIONS)
    first, second = (each.candidate_id for each in desk.open_candidates())
    for candidate_id, assignee in ((first, "rui"), (second, "ana")):
        assign(desk.engine, candidate_id, assignee=assignee, due_at=LATE, author="lead", now=NOW)

    assert taken(desk, "eva") is None
    assert (taken(desk, "ana"), taken(desk, "rui")) == (second, first)
    assert desk.candidate(first).due_at == LATE


def test_what_is_skipped_is_not_shown_for_a_while(desk: Desk) -> None:
    candidate_id = asked(desk).candidate_id
    claim(desk.engine, candidate_id, RULES, author="ana", now=NOW)

    until = skip(desk.engine, candidate_id, RULES, author="ana", now=SOON)

    assert until == SOON + RULES.hidden
    assert taken(desk, "ana", SOON) is None
    assert taken(desk, "rui", SOON) == candidate_id
    assert taken(desk, "ana", until) == candidate_id


def test_nobody_skips_what_another_one_works_on(lite_desk: Desk) -> None:
    candidate_id = asked(lite_desk).candidate_id
    claim(lite_desk.engine, candidate_id, RULES, author="ana", now=NOW)

    with pytest.raises(CandidateClaimedError):
        skip(lite_desk.engine, candidate_id, RULES, author="rui", now=SOON)


def test_a_decision_with_a_claim_needs_it_to_live(desk: Desk) -> None:
    candidate = asked(desk)
    with pytest.raises(ClaimMissingError, match="is not there"):
        desk.decide(candidate, "same", author="ana", needs_claim=True)
    claim(desk.engine, candidate.candidate_id, RULES, author="ana", now=NOW)
    with pytest.raises(ClaimMissingError, match="ran out at"):
        desk.decide(candidate, "same", author="ana", now=LATE, needs_claim=True)

    desk.decide(candidate, "same", author="ana", now=SOON, needs_claim=True)

    assert desk.candidate(candidate.candidate_id).state == "same"
    assert desk.rows(candidate_leases) == []
    assert desk.breaches() == []


def test_nobody_decides_what_another_one_has_claimed(desk: Desk) -> None:
    candidate = asked(desk)
    claim(desk.engine, candidate.candidate_id, RULES, author="ana", now=NOW)

    with pytest.raises(CandidateClaimedError):
        desk.decide(candidate, "same", author="rui", now=SOON)
    assert desk.decide(candidate, "same", author="rui", now=SOON, is_preview=True).is_preview

    desk.decide(candidate, "same", author="rui", now=LATE)
    assert desk.candidate(candidate.candidate_id).closed_by == "rui"


def test_what_one_left_unsure_goes_to_another(desk: Desk) -> None:
    candidate = asked(desk)
    desk.decide(candidate, "unsure", author="ana")
    again = desk.candidate(candidate.candidate_id)

    assert (again.state, again.unsure_count) == ("open", 1)
    assert again.etag != candidate.etag
    assert taken(desk, "ana", LATE) is None
    for attempt in (
        lambda: claim(desk.engine, candidate.candidate_id, RULES, author="ana", now=LATE),
        lambda: desk.decide(again, "same", author="ana"),
    ):
        with pytest.raises(ReadBeforeError):
            attempt()
    assert taken(desk, "rui", LATE) == candidate.candidate_id
    desk.decide(again, "unsure", author="rui", now=LATE)
    assert desk.candidate(candidate.candidate_id).state == "unsure"
    assert desk.breaches() == []


def test_who_takes_unsure_back_reads_it_again(desk: Desk) -> None:
    candidate = asked(desk)
    left = desk.decide(candidate, "unsure", author="ana")

    desk.undo(left, author="ana")

    assert desk.candidate(candidate.candidate_id) == candidate
    assert taken(desk, "ana") == candidate.candidate_id


def test_unsure_taken_back_after_the_second_reader_reopens_nothing(desk: Desk) -> None:
    candidate = asked(desk)
    left = desk.decide(candidate, "unsure", author="ana")
    desk.decide(desk.candidate(candidate.candidate_id), "same", author="rui")

    undone = desk.undo(left, author="ana")
    desk.undo(undone, author="ana")

    assert desk.candidate(candidate.candidate_id).state == "same"
    assert desk.breaches() == []


def test_one_of_two_unsure_taken_back_asks_a_third(desk: Desk) -> None:
    candidate = asked(desk)
    left = desk.decide(candidate, "unsure", author="ana")
    desk.decide(desk.candidate(candidate.candidate_id), "unsure", author="rui")

    undone = desk.undo(left, author="ana")

    assert desk.candidate(candidate.candidate_id).state == "open"
    assert (taken(desk, "rui"), taken(desk, "eva")) == (None, candidate.candidate_id)
    desk.undo(undone, author="ana")
    assert desk.candidate(candidate.candidate_id).state == "unsure"


def test_what_is_closed_or_unknown_is_not_claimed(lite_desk: Desk) -> None:
    candidate = asked(lite_desk)
    lite_desk.decide(candidate, "different")

    with pytest.raises(ClosedCandidateError):
        claim(lite_desk.engine, candidate.candidate_id, RULES, author="ana", now=NOW)
    with pytest.raises(UnknownCandidateError):
        claim(lite_desk.engine, 99, RULES, author="ana", now=NOW)


def test_a_claim_of_what_was_withdrawn_is_in_nobodys_way(lite_desk: Desk) -> None:
    candidate = asked(lite_desk)
    claim(lite_desk.engine, candidate.candidate_id, RULES, author="ana", now=NOW)

    lite_desk.feed.ingest(a_record("2", day=50, **BIA))

    with pytest.raises(ClosedCandidateError):
        lite_desk.decide(lite_desk.candidate(candidate.candidate_id), "same", author="ana")
    assert lite_desk.breaches() == []


def test_a_lease_that_was_put_in_by_hand_is_respected(lite_desk: Desk) -> None:
    candidate_id = asked(lite_desk).candidate_id
    row = {"candidate_id": candidate_id, "owner": "eva", "claimed_at": NOW, "expires_at": LATE}
    with write(lite_desk.engine) as connection:
        connection.execute(insert(candidate_leases), row)

    assert taken(lite_desk, "ana", SOON) is None
