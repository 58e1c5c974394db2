"""Taking apart, putting together and taking back: seen before it is done, done with a reason, undone at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.effects import effects_of
from api.console.layout import tell
from api.console.numbers import is_number, read_number
from api.console.pins import PinsOffered, offer_pins, pin_fields, pins_of_rulings, read_pins
from api.console.places import here_or_home
from api.console.reading import MASKED, Reading, current_reading, note_read, shown
from api.console.states import PageError
from api.console.words import AT_ONCE
from api.profiles import checked_profile_id
from api.reading import NOBODY
from api.rulings import REASON_LIMIT
from api.service import current_service
from api.snapshots import snapshot
from api.stewards import PROFILES_AT_MOST
from cdp.staff.users import select_author_names
from cdp.stewardship.actions import select_actions
from cdp.stewardship.desk_rules import desk_rules
from cdp.stewardship.errors import TooManyPairsError, UnusableSplitError
from cdp.stewardship.freeze import freeze, unfreeze
from cdp.stewardship.outcome import Outcome, ProfileState
from cdp.stewardship.pin import pin
from cdp.stewardship.proposals import Proposal, Request
from cdp.stewardship.rule_together import rule_together
from cdp.stewardship.ruling import Order
from cdp.stewardship.take_apart import WAYS
from cdp.stewardship.undo import undo_action, undo_entry

ACTIONS_A_PAGE = 50
RECORDS_AT_MOST = 10_000
# Of the profiles before and after, the rest only counted.
STATES_TOLD = 20


def read_reason() -> str:
    """Why, in the steward's words. Raises PageError for none."""
    reason = read_own_words()
    if not reason:
        raise PageError("invalid", gettext("Say why: the ledger keeps the reason."))
    return reason


def read_own_words() -> str:
    """A reason that may be left out. Raises PageError for one that is too long."""
    reason = request.form.get("reason", "").strip()
    if len(reason) > REASON_LIMIT:
        raise PageError("invalid", gettext("The reason is longer than %(most)s letters.", most=REASON_LIMIT))
    return reason


def make_order(reason: str, *, is_preview: bool = False) -> Order:
    return Order(current_user().actor, reason, current_service().clock(), is_preview=is_preview)


def note_outcome(outcome: Outcome, reading: Reading) -> None:
    for profile_id in sorted({each.profile_id for each in outcome.before}):
        note_read(profile_id, "profile.read_ruling", reading, action_id=outcome.action_id, kind=outcome.kind)


def shown_states(states: list[ProfileState], reading: Reading) -> list[Mapping[str, Any]]:
    told: list[Mapping[str, Any]] = []
    for state in states:
        golden, identifiers = shown(state, reading)
        told.append({**vars(state), "golden": golden, "identifiers": identifiers})
    return told


@blueprint.post("/profiles/<profile_id>/split/preview")
@requires("profiles.rule")
def preview_split(profile_id: str) -> str:
    chosen = _chosen_records()
    asked = Request("split", (checked_profile_id(profile_id),), record_ids=tuple(chosen))
    return show_preview(
        preview(asked),
        asked,
        title=gettext("Take these records out?"),
        action=url_for(f"{CONSOLE}.post_split", profile_id=profile_id),
        fields=[("record_id", each) for each in chosen],
        back=url_for(f"{CONSOLE}.profile", profile_id=profile_id),
    )


@blueprint.post("/profiles/<profile_id>/split")
@requires("profiles.rule")
def post_split(profile_id: str) -> Response:
    chosen, order = _chosen_records(), make_order(read_reason())
    asked = Request("split", (checked_profile_id(profile_id),), record_ids=tuple(chosen))
    return rule_and_tell(asked, order, gettext("The records were taken out."))


@blueprint.post("/profiles/<profile_id>/take-apart/preview")
@requires("profiles.rule")
def preview_take_apart(profile_id: str) -> str:
    into = _chosen_way()
    asked = Request("take_apart", (checked_profile_id(profile_id),), into=into)
    with _told_of_parts():
        outcome = preview(asked)
    return show_preview(
        outcome,
        asked,
        title=gettext("Take the whole profile apart?"),
        action=url_for(f"{CONSOLE}.post_take_apart", profile_id=profile_id),
        fields=[("into", into)],
        back=url_for(f"{CONSOLE}.profile", profile_id=profile_id),
    )


@blueprint.post("/profiles/<profile_id>/take-apart")
@requires("profiles.rule")
def post_take_apart(profile_id: str) -> Response:
    asked = Request("take_apart", (checked_profile_id(profile_id),), into=_chosen_way())
    order = make_order(read_reason())
    with _told_of_parts():
        return rule_and_tell(asked, order, gettext("The profile was taken apart."))


@blueprint.post("/profiles/join/preview")
@requires("profiles.rule")
def post_preview_join() -> Response:
    """To the preview at an address of its own, which can be asked for again: with whole values, in another language."""
    chosen, pins = _chosen_profiles(request.form), read_pins(request.form) or {}
    address = url_for(f"{CONSOLE}.preview_join", profile_id=chosen, pin=pin_fields(pins))
    return redirect(address, 303)


@blueprint.get("/profiles/join/preview")
@requires("profiles.rule")
def preview_join() -> str:
    chosen, pins = _chosen_profiles(request.args), read_pins(request.args) or {}
    asked = Request("join", tuple(chosen), pins=pins)
    outcome = preview(asked)
    return show_preview(
        outcome,
        asked,
        offered=offer_pins(outcome, pins, current_reading()),
        look=url_for(f"{CONSOLE}.post_preview_join"),
        title=gettext("Join these profiles?"),
        action=url_for(f"{CONSOLE}.post_join"),
        fields=[("profile_id", each) for each in chosen],
        back=url_for(f"{CONSOLE}.profile", profile_id=chosen[0]),
    )


@blueprint.post("/profiles/join")
@requires("profiles.rule")
def post_join() -> Response:
    chosen, pins = _chosen_profiles(request.form), read_pins(request.form) or {}
    order = make_order(read_reason())
    asked = Request("join", tuple(chosen), pins=pins)
    return rule_and_tell(asked, order, gettext("The profiles are one now."))


def preview(asked: Request) -> Outcome:
    """What would come of it, once confirmed where it takes two people."""
    service, order = current_service(), make_order("preview", is_preview=True)
    outcome = rule_together(service.resolver(), asked, order, desk_rules(service.settings))
    assert isinstance(outcome, Outcome), "A preview waits for nobody."
    return outcome


def rule_and_tell(asked: Request, order: Order, done: str) -> Response:
    """Carry out what is asked for, or say that it waits for a second person."""
    service = current_service()
    ruled = rule_together(service.resolver(), asked, order, desk_rules(service.settings))
    if isinstance(ruled, Proposal):
        tell(gettext("This takes two people: it waits for somebody else to confirm it."))
        return redirect(url_for(f"{CONSOLE}.proposals"), 303)
    tell(done, undo=ruled.action_id)
    return _to_profile(ruled, asked.profile_ids[0])


@blueprint.post("/profiles/<profile_id>/freeze")
@requires("profiles.rule")
def post_freeze(profile_id: str) -> Response:
    """Hold a profile as it is."""
    order = make_order(read_reason())
    outcome = freeze(current_service().resolver(), checked_profile_id(profile_id), order)
    tell(gettext("The profile is frozen."), undo=outcome.action_id)
    return _to_profile(outcome, profile_id)


@blueprint.post("/profiles/<profile_id>/unfreeze")
@requires("profiles.rule")
def post_unfreeze(profile_id: str) -> Response:
    order = make_order(read_reason())
    outcome = unfreeze(current_service().resolver(), checked_profile_id(profile_id), order)
    tell(gettext("The profile is not frozen any more."), undo=outcome.action_id)
    return _to_profile(outcome, profile_id)


@blueprint.post("/profiles/<profile_id>/pin")
@requires("profiles.rule")
def post_pin(profile_id: str) -> Response:
    """Let the golden record show what one of the records says."""
    record_id = request.form.get("record_id", "")
    if not is_number(record_id):
        raise PageError("pin_unusable")
    attribute, order = request.form.get("attribute", ""), make_order(read_reason())
    chosen = checked_profile_id(profile_id)
    outcome = pin(current_service().resolver(), chosen, attribute, int(record_id), order)
    tell(gettext("The value is pinned."), undo=outcome.action_id)
    return _to_profile(outcome, profile_id)


@blueprint.get("/ledger/<int:entry_id>/undo")
@requires("profiles.rule")
def preview_undo_entry(entry_id: int) -> str:
    resolver = current_service().resolver()
    outcome = undo_entry(resolver, entry_id, make_order("preview", is_preview=True))
    return show_preview(
        outcome,
        title=gettext("Take this entry of the ledger back?"),
        action=url_for(f"{CONSOLE}.post_undo_entry", entry_id=entry_id),
        fields=[],
        back=_profile_of(outcome),
    )


@blueprint.post("/ledger/<int:entry_id>/undo")
@requires("profiles.rule")
def post_undo_entry(entry_id: int) -> Response:
    outcome = undo_entry(current_service().resolver(), entry_id, make_order(read_reason()))
    tell(gettext("The entry was taken back."), undo=outcome.action_id)
    return redirect(_profile_of(outcome), 303)


@blueprint.get("/actions")
@requires("profiles.read")
def actions() -> str:
    """What stewards ruled, newest first."""
    before = read_number(request.args.get("before"))
    with snapshot() as connection:
        found = select_actions(connection, before_action_id=before, limit=ACTIONS_A_PAGE + 1)
        names = select_author_names(connection, {each.author for each in found})
        shown_ones = found[:ACTIONS_A_PAGE]
        pinned = pins_of_rulings(connection, [each.action_id for each in shown_ones])
    if pinned:
        told = [str(each) for each in sorted(pinned)]
        note_read(NOBODY, "profile.read_actions", MASKED, action_ids=told)
    return render_template(
        "console/actions.html",
        actions=shown_ones,
        pinned=pinned,
        next_before=shown_ones[-1].action_id if len(found) > ACTIONS_A_PAGE else None,
        names=names,
    )


@blueprint.get("/actions/<int:action_id>/undo")
@requires("profiles.rule")
def preview_undo(action_id: int) -> str:
    resolver = current_service().resolver()
    outcome = undo_action(resolver, action_id, make_order("preview", is_preview=True))
    return show_preview(
        outcome,
        title=gettext("Take action #%(action)s back?", action=action_id),
        action=url_for(f"{CONSOLE}.post_undo", action_id=action_id),
        fields=[],
        back=url_for(f"{CONSOLE}.actions"),
    )


@blueprint.post("/actions/<int:action_id>/undo")
@requires("profiles.rule")
def post_undo(action_id: int) -> Response:
    """At once, from what is told after a decision, or with a reason of its own."""
    reason = read_own_words() or AT_ONCE
    outcome = undo_action(current_service().resolver(), action_id, make_order(reason))
    tell(gettext("Action #%(action)s was taken back.", action=action_id), undo=outcome.action_id)
    return redirect(here_or_home(), 303)


def show_preview(
    outcome: Outcome,
    asked: Request | None = None,
    *,
    offered: PinsOffered | None = None,
    look: str | None = None,
    title: str,
    action: str,
    fields: list[tuple[str, Any]],
    back: str,
    pins: Mapping[str, int] | None = None,
) -> str:
    """Asked: what may take two people. Offered: values to choose, look: where they are seen. Pins: chosen already."""
    reading = current_reading()
    note_outcome(outcome, reading)
    return render_template(
        "console/ruling.html",
        title=title,
        action=action,
        fields=fields,
        offered=offered,
        look=look,
        pins=offered.pins if offered else pins or {},
        back=back,
        outcome=outcome,
        effects=effects_of(outcome, asked),
        reading=reading,
        before=shown_states(outcome.before[:STATES_TOLD], reading),
        before_left_out=max(0, len(outcome.before) - STATES_TOLD),
        after=shown_states(outcome.after[:STATES_TOLD], reading),
        after_left_out=max(0, len(outcome.after) - STATES_TOLD),
    )


def _chosen_records() -> list[int]:
    given = request.form.getlist("record_id")
    if not given:
        raise PageError("split_unusable")
    if len(given) > RECORDS_AT_MOST:
        raise PageError("invalid")
    return [record_id for each in given if (record_id := read_number(each)) is not None]


def _chosen_way() -> str:
    into = request.form.get("into", "")
    if into not in WAYS:
        raise PageError("invalid")
    return into


@contextmanager
def _told_of_parts() -> Iterator[None]:
    """Raises PageError for a profile that cannot come apart this way."""
    try:
        yield
    except UnusableSplitError as error:
        raise PageError("not_apart") from error
    except TooManyPairsError as error:
        raise PageError("too_many_pairs", gettext("Or take it apart into what the evidence says.")) from error


def _chosen_profiles(given: MultiDict[str, str]) -> list[str]:
    """Raises PageError for fewer than two."""
    chosen = [checked_profile_id(each.strip()) for each in given.getlist("profile_id")]
    if len(chosen) < 2:
        raise PageError("invalid", gettext("Choose two profiles or more."))
    if len(chosen) > PROFILES_AT_MOST:
        raise PageError("invalid")
    return chosen


def _to_profile(outcome: Outcome, profile_id: str) -> Response:
    there = {each.profile_id for each in outcome.after if each.state == "live"}
    shown_id = profile_id if profile_id in there or not there else min(there)
    return redirect(url_for(f"{CONSOLE}.profile", profile_id=shown_id), 303)


def _profile_of(outcome: Outcome) -> str:
    live = [each.profile_id for each in outcome.before if each.state == "live"]
    if not live:
        return url_for(f"{CONSOLE}.home")
    return url_for(f"{CONSOLE}.profile", profile_id=live[0])
