"""The audit of one profile, or of one item of the queue: who did or looked at what, newest first. Ids, and
the values that rulings pinned, masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console import words
from api.console.access import requires
from api.console.blueprint import blueprint
from api.console.numbers import read_number
from api.console.pins import PinTold, pins_of_rulings
from api.console.reading import PURPOSE, REASONS, current_reading, note_read
from api.profiles import checked_profile_id
from api.snapshots import snapshot
from cdp.identity.profile_reads import require_profile
from cdp.staff.users import select_author_names
from cdp.stewardship.candidates import require_candidate
from cdp.stewardship.trail import TrailEntry, select_candidate_trail, select_profile_trail

ENTRIES_A_PAGE = 50


@blueprint.get("/profiles/<profile_id>/audit")
@requires("audit.read")
def profile_audit(profile_id: str) -> str | Response:
    with snapshot() as connection:
        found = require_profile(connection, checked_profile_id(profile_id))
        if found.profile_id != profile_id:
            return redirect(url_for(f"{CONSOLE}.profile_audit", profile_id=found.profile_id), 303)
        entries = select_profile_trail(
            connection,
            profile_id,
            before_audit_id=read_number(request.args.get("before")),
            limit=ENTRIES_A_PAGE + 1,
        )
        names, pinned = _names(connection, entries), _pinned(connection, entries)
    note_read(profile_id, "profile.read_audit", current_reading())
    return _page(entries, names, pinned, profile_id=profile_id)


@blueprint.get("/review/<int:candidate_id>/audit")
@requires("audit.read")
def review_audit(candidate_id: int) -> str:
    with snapshot() as connection:
        candidate = require_candidate(connection, candidate_id)
        profiles = {require_profile(connection, each).profile_id for each in candidate.profile_ids}
        entries = select_candidate_trail(
            connection,
            candidate,
            before_audit_id=read_number(request.args.get("before")),
            limit=ENTRIES_A_PAGE + 1,
        )
        names, pinned = _names(connection, entries), _pinned(connection, entries)
    for profile_id in sorted(profiles):
        note_read(profile_id, "profile.read_audit", current_reading(), candidate_id=candidate_id)
    return _page(entries, names, pinned, candidate_id=candidate_id)


def _page(
    entries: Sequence[TrailEntry],
    names: dict[str, str],
    pinned: Mapping[int, Sequence[PinTold]],
    **whose: Any,
) -> str:
    shown = entries[:ENTRIES_A_PAGE]
    return render_template(
        "console/audit.html",
        entries=shown,
        names=names,
        pinned=pinned,
        next_before=shown[-1].audit_id if len(entries) > ENTRIES_A_PAGE else None,
        told_purpose=_told_purpose,
        **whose,
    )


def _told_purpose(purpose: str) -> str:
    """Why somebody looked: a reason of the console's in the reader's language, and a ticket."""
    first, _, rest = purpose.partition(":")
    reason, _, reference = rest.partition(":")
    if first != PURPOSE or reason not in REASONS:
        return words.told_reason(purpose)
    return f"{REASONS[reason]} {reference}".strip()


def _pinned(connection: Any, entries: Sequence[TrailEntry]) -> Mapping[int, Sequence[PinTold]]:
    rulings = {each.action.action_id for each in entries if each.action}
    return pins_of_rulings(connection, rulings)


def _names(connection: Any, entries: Sequence[TrailEntry]) -> dict[str, str]:
    return select_author_names(connection, {each.actor for each in entries})
