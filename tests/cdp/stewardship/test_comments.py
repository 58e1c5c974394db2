"""What stewards write about candidates and profiles, by whom and when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cdp.identity.profile_reads import UnknownProfileError
from cdp.stewardship.comments import (
    UnusableCommentError,
    comment_on_candidate,
    comment_on_profile,
    select_comments,
)
from cdp.stewardship.errors import UnknownCandidateError
from cdp.store import read
from cdp.store.schema import audit_entries
from tests.cdp.realtime.feeding import NOW
from tests.cdp.stewardship.desk import ANA, BIA, MAYBE_ANA, Desk

LATER = NOW + timedelta(hours=1)


def test_comments_of_a_candidate_are_told_in_order(desk: Desk) -> None:
    desk.take(ANA, MAYBE_ANA)

    first = comment_on_candidate(desk.engine, 1, " ask her \n", author="ana", now=NOW)
    second = comment_on_candidate(desk.engine, 1, "she says no", author="rui", now=LATER)

    with read(desk.engine) as connection:
        assert select_comments(connection, candidate_id=1) == [first, second]
    assert (first.body, first.author, second.written_at) == ("ask her", "ana", LATER)
    told = [row for row in desk.rows(audit_entries) if row["action"] == "stewardship.comment"]
    assert [(row["object_kind"], row["object_id"]) for row in told] == [("candidate", "1")] * 2
    assert "ask her" not in str(told)
    assert desk.breaches() == []


def test_a_comment_on_an_absorbed_profile_is_its_survivors(desk: Desk) -> None:
    first, second = desk.take(ANA, BIA)
    desk.join("1", "2")

    comment = comment_on_profile(desk.engine, second, "twins?", author="ana", now=NOW)

    assert comment.profile_id == first
    with read(desk.engine) as connection:
        assert select_comments(connection, profile_id=first) == [comment]
        assert select_comments(connection, profile_id=second) == []


@pytest.mark.parametrize("body", ["", "  ", "x" * 2001])
def test_a_comment_says_something_and_not_too_much(lite_desk: Desk, body: str) -> None:
    lite_desk.take(ANA, MAYBE_ANA)

    with pytest.raises(UnusableCommentError):
        comment_on_candidate(lite_desk.engine, 1, body, author="ana", now=NOW)


def test_a_comment_about_nothing(lite_desk: Desk) -> None:
    with pytest.raises(UnknownCandidateError):
        comment_on_candidate(lite_desk.engine, 9, "a", author="ana", now=NOW)
    with pytest.raises(UnknownProfileError):
        comment_on_profile(lite_desk.engine, "pf_none", "a", author="ana", now=NOW)
