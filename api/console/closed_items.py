"""What became of an item that somebody else decided, or that is not asked any more, meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import format_datetime, gettext

from api.console import words
from api.snapshots import snapshot
from cdp.staff.users import select_author_names
from cdp.stewardship.actions import Action, select_last_decision
from cdp.stewardship.candidates import OPEN, Candidate, require_candidate
from cdp.stewardship.errors import UnknownCandidateError
from cdp.store import StoreError


@dataclass(frozen=True)
class Closed:
    """The page that says so; who did what and when; the decision that may be taken back."""

    state: str
    told: str
    action_id: int | None = None


def find_closed(view_args: Mapping[str, Any] | None) -> Closed | None:
    """Of the item that an address names; None while it is open, or where it names none."""
    candidate_id = (view_args or {}).get("candidate_id")
    if candidate_id is None:
        return None
    try:
        with snapshot() as connection:
            candidate = require_candidate(connection, candidate_id)
    except (UnknownCandidateError, StoreError):
        return None
    return None if candidate.state == OPEN else tell_closed(candidate)


def tell_closed(candidate: Candidate) -> Closed:
    with snapshot() as connection:
        decided = select_last_decision(connection, candidate.candidate_id)
        author = decided.author if decided else candidate.closed_by or ""
        name = select_author_names(connection, {author}).get(author, author)
    when = format_datetime(candidate.closed_at, "short")
    if decided is None or candidate.state == "withdrawn":
        return Closed("candidate_withdrawn", gettext("It was withdrawn on %(when)s.", when=when))
    return Closed("candidate_closed", _told(decided, name, when), decided.action_id)


def _told(decided: Action, name: str, when: str) -> str:
    told: str = gettext(
        "%(name)s answered on %(when)s: %(answer)s, because of: %(reason)s",
        name=name,
        when=when,
        answer=words.STATES[decided.decision or ""],
        reason=words.told_reason(decided.reason),
    )
    return told
