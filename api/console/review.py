"""One item of the queue: the records side by side, why and how, what a yes would do, and the four answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from flask import redirect, render_template, request, session, url_for
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console import words
from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.charts import waterfall
from api.console.closed_items import tell_closed
from api.console.comparison import shown_column, shown_rows
from api.console.effects import effects_of
from api.console.languages import evidence_language
from api.console.layout import tell
from api.console.pins import offer_pins, pin_fields, read_pins
from api.console.queue import to_next
from api.console.reading import current_reading, note_read, shown
from api.console.rulings import make_order, note_outcome, shown_states
from api.console.states import PageError
from api.rulings import REASON_LIMIT
from api.service import current_service
from api.snapshots import snapshot
from cdp.identity.explain import ProfileExplanation, explain_profile
from cdp.identity.profile_reads import Profile, require_profile
from cdp.staff.users import select_author_names, select_users
from cdp.stewardship.candidates import OPEN, Candidate, require_candidate
from cdp.stewardship.claim import assign, claim, release, skip
from cdp.stewardship.comments import comment_on_candidate, select_comments
from cdp.stewardship.compare import Between, compare_sides
from cdp.stewardship.compare_reads import select_sides
from cdp.stewardship.confirmations import Pending
from cdp.stewardship.desk_rules import desk_rules
from cdp.stewardship.four_eyes import chosen_pins, decide_together, withdraw_pending
from cdp.stewardship.members import Member, select_members
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.queue import QueueItem, select_item
from cdp.stewardship.reason_telling import explain_candidate

_ = lazy_gettext

# The pair that was proposed, and others of the two profiles beside it.
COLUMNS_AT_MOST = 6
JOINS_TOLD_UP_TO = 50
_ONLY_DIFFERENCES = "only_differences"


@blueprint.get("/review/<int:candidate_id>")
@requires("queue.read")
def review(candidate_id: int) -> str:
    service = current_service()
    now, reading = service.clock(), current_reading()
    with snapshot() as connection:
        candidate = require_candidate(connection, candidate_id)
        item = select_item(connection, candidate_id, desk_rules(service.settings), now=now)
        profiles = _profiles(connection, candidate)
        members = select_members(connection, set(candidate.profile_ids))
        sides = select_sides(connection, _columns(candidate, members))
        pair = candidate.record_id_l, candidate.record_id_r
        explained = explain_candidate(connection, candidate, language=evidence_language())
        how = [_how(connection, each) for each in profiles]
        comments = select_comments(connection, candidate_id=candidate_id)
        people = {each for each in (candidate.closed_by, candidate.assignee) if each}
        people |= {each.author for each in comments} | ({item.pending.author} if item.pending else set())
        people |= {item.lease.owner} if item.lease else set()
        people |= {each.author for told in how if told for each in told.joins}
        names = select_author_names(connection, people)
        users = select_users(connection)
    for profile in profiles:
        note_read(profile.profile_id, "profile.read_candidate", reading, candidate_id=candidate_id)
    compared = compare_sides(sides, between=_sides_of(candidate, members))
    return render_template(
        "console/review.html",
        item=item,
        candidate=candidate,
        is_open=candidate.state == OPEN,
        closed=None if candidate.state == OPEN else tell_closed(candidate),
        is_mine=_is_mine(item),
        profiles=[(each, *shown(each, reading)) for each in profiles],
        columns=[shown_column(each, reading, pair=pair) for each in sides],
        rows=shown_rows(compared, reading, only_differences=bool(session.get(_ONLY_DIFFERENCES))),
        left_out=sum(each.record_count for each in profiles) - len(sides),
        only_differences=bool(session.get(_ONLY_DIFFERENCES)),
        explained=explained,
        chart=waterfall(explained.pair) if explained.pair else None,
        how=list(zip(profiles, how, strict=True)),
        reading=reading,
        comments=comments,
        is_my_answer=item.pending is not None and item.pending.author == current_user().actor,
        names=names,
        users=[each for each in users if each.disabled_at is None],
        now=now,
    )


@blueprint.get("/review/<int:candidate_id>/effect")
@requires("queue.read")
def review_effect(candidate_id: int) -> str:
    """The profiles as a yes would make them, with the values that are chosen; nothing is stored."""
    service, order = current_service(), make_order("preview", is_preview=True)
    rules, asked = desk_rules(service.settings), read_pins(request.args)
    with snapshot() as connection:
        candidate = require_candidate(connection, candidate_id)
        item = select_item(connection, candidate_id, rules, now=service.clock())
    pins = chosen_pins(asked, item.pending, candidate, "same")
    seen = {candidate.etag}
    outcome = decide_together(service.resolver(), candidate_id, "same", order, rules, seen=seen, pins=pins)
    assert isinstance(outcome, Outcome), "A preview waits for nobody."
    reading = current_reading()
    note_outcome(outcome, reading)
    pair = candidate.record_id_l, candidate.record_id_r
    return render_template(
        "console/effect.html",
        candidate=candidate,
        is_mine=_is_mine(item),
        offered=offer_pins(outcome, pins, reading, first=pair),
        outcome=outcome,
        effects=effects_of(outcome, candidate),
        before=shown_states(outcome.before, reading),
        after=shown_states(outcome.after, reading),
        reading=reading,
    )


@blueprint.post("/review/<int:candidate_id>/effect")
@requires("queue.decide")
def post_look(candidate_id: int) -> Response:
    """To the effect with what is chosen in the form of the answer."""
    chosen = pin_fields(read_pins(request.form) or {})
    address = url_for(f"{CONSOLE}.review_effect", candidate_id=candidate_id, pin=chosen)
    return redirect(address, 303)


@blueprint.post("/review/<int:candidate_id>/claim")
@requires("queue.decide")
def post_claim(candidate_id: int) -> Response:
    service = current_service()
    claim(
        service.store.engine(),
        candidate_id,
        desk_rules(service.settings),
        author=current_user().actor,
        now=service.clock(),
    )
    return _to_review(candidate_id)


@blueprint.post("/review/<int:candidate_id>/release")
@requires("queue.decide")
def post_release(candidate_id: int) -> Response:
    service = current_service()
    release(service.store.engine(), candidate_id, author=current_user().actor, now=service.clock())
    tell(gettext("Item #%(item)s is free for others.", item=candidate_id))
    return redirect(url_for(f"{CONSOLE}.queue"), 303)


@blueprint.post("/review/<int:candidate_id>/decide")
@requires("queue.decide")
def post_decide(candidate_id: int) -> Response:
    """One of the four answers; then the next item."""
    service, answer = current_service(), request.form.get("decision", "")
    if answer == "skip":
        rules = desk_rules(service.settings)
        author, now = current_user().actor, service.clock()
        skip(service.store.engine(), candidate_id, rules, author=author, now=now)
        tell(gettext("Item #%(item)s went back to the queue.", item=candidate_id))
        return to_next()
    order = make_order(_reason())
    if answer not in _TOLD:
        raise PageError("invalid")
    seen, rules = {request.form.get("seen", "")}, desk_rules(service.settings)
    # What was chosen for a yes goes with no other answer.
    pins = read_pins(request.form) if answer == "same" else None
    outcome = decide_together(
        service.resolver(), candidate_id, answer, order, rules, seen=seen, needs_claim=True, pins=pins
    )
    if isinstance(outcome, Pending):
        waits = gettext("Item #%(item)s waits for a second person.", item=candidate_id)
        tell(waits, withdraw=candidate_id)
        return to_next()
    tell(
        gettext("Item #%(item)s: %(answer)s.", item=candidate_id, answer=_TOLD[answer]),
        undo=outcome.action_id,
    )
    return to_next()


@blueprint.post("/review/<int:candidate_id>/withdraw")
@requires("queue.decide")
def post_withdraw(candidate_id: int) -> Response:
    """Take one's own answer back that waits for a second person."""
    service = current_service()
    withdraw_pending(service.store.engine(), candidate_id, author=current_user().actor, now=service.clock())
    tell(gettext("Your answer does not wait any more."))
    return _to_review(candidate_id)


@blueprint.post("/review/<int:candidate_id>/comments")
@requires("queue.read")
def post_comment(candidate_id: int) -> Response:
    service = current_service()
    comment_on_candidate(
        service.store.engine(),
        candidate_id,
        request.form.get("body", ""),
        author=current_user().actor,
        now=service.clock(),
    )
    tell(gettext("Your comment is kept."))
    return _to_review(candidate_id)


@blueprint.post("/review/<int:candidate_id>/assign")
@requires("queue.lead")
def post_assign(candidate_id: int) -> Response:
    service = current_service()
    assign(
        service.store.engine(),
        candidate_id,
        assignee=_assignee(),
        due_at=_due_at(),
        author=current_user().actor,
        now=service.clock(),
    )
    tell(gettext("The assignment is kept."))
    return _to_review(candidate_id)


@blueprint.post("/review/<int:candidate_id>/rows")
@requires("queue.read")
def post_rows(candidate_id: int) -> Response:
    """Which rows of the comparison are shown, from now on."""
    session[_ONLY_DIFFERENCES] = request.form.get("only") == "differences"
    return _to_review(candidate_id)


_TOLD: dict[str, LazyString] = {
    "same": _("same person"),
    "different": _("different people"),
    "unsure": _("unsure"),
}


def _is_mine(item: QueueItem) -> bool:
    return item.lease is not None and item.lease.owner == current_user().actor


def _to_review(candidate_id: int) -> Response:
    return redirect(url_for(f"{CONSOLE}.review", candidate_id=candidate_id), 303)


def _profiles(connection: Any, candidate: Candidate) -> list[Profile]:
    """The left one and the right one; one where they are joined by now."""
    found = [require_profile(connection, each) for each in candidate.profile_ids]
    return list({each.profile_id: each for each in found}.values())


def _columns(candidate: Candidate, members: Sequence[Member]) -> list[int]:
    """The pair first, then others of the two profiles in turn."""
    pair = [candidate.record_id_l, candidate.record_id_r]
    others = [
        [each.record_id for each in members if each.profile_id == profile_id and each.record_id not in pair]
        for profile_id in dict.fromkeys(candidate.profile_ids)
    ]
    in_turn = [each for turn in zip_longest(*others) for each in turn if each is not None]
    return (pair + in_turn)[:COLUMNS_AT_MOST]


def _sides_of(candidate: Candidate, members: Sequence[Member]) -> Between:
    """The records of the two profiles; the pair alone where they are one by now."""
    pair = candidate.record_id_l, candidate.record_id_r
    profile_of = {each.record_id: each.profile_id for each in members}
    left, right = (profile_of.get(each) for each in pair)
    if left is None or right is None or left == right:
        return {pair[0]}, {pair[1]}
    one, other = ({each.record_id for each in members if each.profile_id == own} for own in (left, right))
    return one, other


def _how(connection: Any, profile: Profile) -> ProfileExplanation | None:
    if not 1 < profile.record_count <= JOINS_TOLD_UP_TO:
        return None
    return explain_profile(connection, profile, language=evidence_language())


def _reason() -> str:
    """What was picked, and the steward's own words after it."""
    picked, own = request.form.get("why", ""), request.form.get("words", "").strip()
    if picked not in words.REASONS:
        raise PageError("invalid")
    reason = f"{picked}: {own}" if own else picked
    if len(reason) > REASON_LIMIT:
        raise PageError("invalid", gettext("The reason is longer than %(most)s letters.", most=REASON_LIMIT))
    return reason


def _assignee() -> str | None:
    chosen = request.form.get("assignee", "")
    if not chosen:
        return None
    with snapshot() as connection:
        if not select_author_names(connection, {chosen}):
            raise PageError("invalid")
    return chosen


def _due_at() -> datetime | None:
    day = request.form.get("due", "")
    if not day:
        return None
    try:
        return datetime.fromisoformat(day).replace(hour=23, minute=59, tzinfo=UTC)
    except ValueError:
        raise PageError("invalid") from None
