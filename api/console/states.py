"""What a page says when it cannot show what was asked: what happened, and what to do."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

import structlog
from flask import Response, g, render_template, request
from flask_babel import format_time, gettext, lazy_gettext, ngettext
from flask_babel.speaklater import LazyString
from werkzeug.exceptions import HTTPException

from api.console.blueprint import blueprint
from api.console.closed_items import find_closed
from api.console.places import page_before
from api.errors import Problem
from api.snapshots import snapshot
from cdp.errors import CdpError
from cdp.identity.profile_reads import ErasedProfileError, UnknownProfileError
from cdp.privacy.read_audit import ReadAuditFullError
from cdp.realtime.ingest import UnknownRecordError
from cdp.realtime.online_models import StoreNotResolvedError
from cdp.staff.users import select_author_names
from cdp.stewardship.errors import CandidateClaimedError, RulingRefusedError
from cdp.store import StoreError
from cdp.store.errors import StoreBusyError, WriteConflictError

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class State:
    """One way in which a page fails: its HTTP status, what happened, what to do."""

    status: int
    title: LazyString
    advice: LazyString


_ = lazy_gettext

STATES: dict[str, State] = {
    "forbidden": State(
        403,
        _("Your role does not include this."),
        _("Ask a lead or an administrator, or go on with the queue."),
    ),
    "not_found": State(404, _("There is nothing at this address."), _("Check the address, or search.")),
    "profile_not_found": State(
        404, _("There is no such profile."), _("Check the id, or search for the person.")
    ),
    "profile_erased": State(
        410,
        _("This profile was erased."),
        _("Its values are gone for good, at the wish of the person. Nothing is left to decide."),
    ),
    "candidate_not_found": State(404, _("There is no such item in the queue."), _("Go back to the queue.")),
    "candidate_closed": State(
        409,
        _("Somebody decided this item already."),
        _("Nothing of what you entered was kept. Look at the decision, or go on with the next item."),
    ),
    "candidate_withdrawn": State(
        409,
        _("This item is not asked any more."),
        _(
            "Nothing was decided: records changed, and the service knows the answer now. Go on with the next item."
        ),
    ),
    "candidate_changed": State(
        412,
        _("This item changed while you looked at it."),
        _("Nothing was decided. Look at it again: a new record may have come or a profile changed."),
    ),
    "candidate_claimed": State(
        409,
        _("Somebody else works on this item."),
        _("Nothing was decided. Go on with the next item, or come back later."),
    ),
    "claim_missing": State(
        409,
        _("Your claim of this item ran out."),
        _("Nothing was decided. Take the item again, look at it, and decide."),
    ),
    "second_reader_needed": State(
        409,
        _("You left this item as unsure."),
        _("Somebody else decides it. To decide it yourself, take your answer back first."),
    ),
    "second_person_needed": State(
        409,
        _("Your answer waits for a second person."),
        _("Somebody else has to decide this item too; until then nothing is joined."),
    ),
    "proposal_not_found": State(
        404, _("There is no such ruling that waits."), _("Go back to what waits for a second person.")
    ),
    "proposal_ended": State(
        409,
        _("This ruling does not wait any more."),
        _("Somebody confirmed, refused or withdrew it already. Nothing was changed now."),
    ),
    "proposal_changed": State(
        409,
        _("The profiles changed since this was asked for."),
        _("Nothing was changed. Look at the profiles as they are now, and ask for it anew."),
    ),
    "already_frozen": State(
        409, _("This profile is frozen."), _("Take the freeze back first, or leave it as it is.")
    ),
    "not_frozen": State(409, _("This profile is not frozen."), _("There is nothing to take back.")),
    "confirmation_not_found": State(
        409, _("No answer of yours waits here."), _("It was confirmed, overruled or taken back already.")
    ),
    "sample_not_found": State(
        409,
        _("This pair is not there for you to read."),
        _("Somebody else read it already, or you decided it yourself. Take the next one."),
    ),
    "pin_unusable": State(
        422,
        _("This value cannot be pinned."),
        _("Choose a record of the profile that gives a value for the attribute."),
    ),
    "comment_unusable": State(
        422, _("The comment is empty or too long."), _("Write up to 2,000 characters and send it again.")
    ),
    "ruling_refused": State(
        409, _("The service refused this decision."), _("Nothing was changed. Look at the item again.")
    ),
    "constraint_conflict": State(
        409,
        _("A decision in force says the opposite."),
        _("Take that decision back first, then decide again."),
    ),
    "already_undone": State(409, _("This was taken back already."), _("Nothing is left to undo.")),
    "ruled_on_since": State(
        409,
        _("A later decision builds on this one."),
        _("Take the later decision back first."),
    ),
    "nothing_to_undo": State(
        409, _("There is nothing to undo here."), _("This entry brought nobody together and parted nobody.")
    ),
    "profiles_are_one": State(
        409, _("These are one profile already."), _("Nothing is left to decide: go on with the next item.")
    ),
    "split_unusable": State(
        422,
        _("These records cannot be taken out."),
        _("Choose some of the profile's records and leave some, then try again."),
    ),
    "not_apart": State(
        422,
        _("This profile does not come apart this way."),
        _(
            "No decision holds its records together, its evidence does: take it apart into its records, or some out."
        ),
    ),
    "too_many_pairs": State(
        422,
        _("This is about too many records at once."),
        _("Choose fewer records and go step by step."),
    ),
    "invalid": State(
        422,
        _("Something in the form is missing or out of bounds."),
        _("Go back, correct it and send it again."),
    ),
    "form_expired": State(
        400,
        _("This form is not valid any more."),
        _(
            "Nothing was changed. Reload the page and try again. If it happens again, your browser may be "
            "refusing the cookie of this service."
        ),
    ),
    "passwords_off": State(
        403,
        _("Nobody signs in here with a password."),
        _("Go back and sign in with your organization's account."),
    ),
    "sign_in_mismatch": State(
        400,
        _("This sign-in was not begun in this browser."),
        _(
            "Nobody was signed in. Begin again from the sign-in page, in one window. If it happens again, your "
            "browser may be refusing the cookie of this service."
        ),
    ),
    "sign_in_stale": State(
        400, _("This sign-in is too old or was used already."), _("Begin again from the sign-in page.")
    ),
    "sign_in_declined": State(
        403,
        _("The sign-in was not allowed."),
        _("You or your organization said no. Begin again, or ask who manages your organization's accounts."),
    ),
    "identity_unverified": State(
        403,
        _("What the sign-in service said of you could not be verified."),
        _("Nobody was signed in. Begin again; if it lasts, give the number below to an administrator."),
    ),
    "identity_unknown": State(
        403,
        _("You are known there, and no account here is yours."),
        _("Ask an administrator to make one, and tell them the line below."),
    ),
    "account_closed": State(
        403, _("Your account is closed."), _("Ask an administrator if you should have one again.")
    ),
    "provider_refused": State(
        502,
        _("The sign-in service refused this console."),
        _("Give the number below to an administrator: its settings there or here are wrong."),
    ),
    "provider_unreachable": State(
        503,
        _("The sign-in service cannot be reached."),
        _("Try again in a minute. If you have a password here, sign in with it."),
    ),
    "too_many": State(
        429,
        _("Too many requests came from you or your network."),
        _("Nothing was done. Wait a little, then go on where you were."),
    ),
    "refused": State(400, _("The request was refused."), _("Go back and try again.")),
    "too_large": State(
        409,
        _("This takes too long to wait for in a browser."),
        _("So many records are resolved by the command `cdp model activate`, with --dry-run first."),
    ),
    "busy": State(503, _("The store is busy."), _("Nothing was changed. Try again in a few seconds.")),
    "unavailable": State(
        503,
        _("The service cannot answer now."),
        _("Nothing was changed. Try again in a moment; if it lasts, tell an administrator."),
    ),
    "not_resolved": State(
        503,
        _("The profiles are being prepared."),
        _("An administrator has to run `cdp resolve` first."),
    ),
    "not_shown": State(
        500,
        _("Something went wrong in the service."),
        _(
            "Nothing was changed. Try again in a moment; if it lasts, give the number below to an administrator."
        ),
    ),
    "failed": State(
        500,
        _("Something went wrong in the service."),
        _("It may not have been done. Look before you try again; give the number below to an administrator."),
    ),
}

_QUEUE, _SEARCH, _PROPOSALS = (
    ("queue", _("Queue")),
    ("search", _("Search")),
    ("proposals", _("For a second person")),
)
# The page to go on with, where the advice names one.
_LEADS_TO = {
    "not_found": _SEARCH,
    "profile_not_found": _SEARCH,
    "candidate_not_found": _QUEUE,
    "proposal_not_found": _PROPOSALS,
    "proposal_ended": _PROPOSALS,
    "sample_not_found": ("quality", _("Quality")),
}
# There is nothing to do with the item now.
_GOES_ON = ("candidate_withdrawn", "candidate_claimed", "second_reader_needed", "profiles_are_one")
# Where to look again shows the same page.
_NOTHING_TO_SEE = ("candidate_not_found", "profile_erased", "profile_not_found")
_STATE_OF_HTTP = {403: "forbidden", 404: "not_found", 405: "not_found", 413: "invalid", 422: "invalid"}


class PageError(Exception):
    """Raised by views; detail: what happened this time, in the reader's words."""

    def __init__(self, state: str, detail: str | None = None) -> None:
        super().__init__(state)
        self.state = state
        self.detail = detail


def show_state(name: str, detail: str | None = None, *, action_id: int | None = None) -> Response:
    """Action id: of the decision that may be taken back."""
    state = STATES[name]
    g.problem_code = name
    page = render_template(
        "console/state.html",
        state=state,
        detail=detail,
        request_id=g.request_id,
        leads_to=_LEADS_TO.get(name),
        back=page_before(),
        candidate_id=(request.view_args or {}).get("candidate_id") if g.get("user") else None,
        is_there=name not in _NOTHING_TO_SEE,
        goes_on=name in _GOES_ON,
        action_id=action_id,
    )
    response = Response(page, state.status)
    if state.status == 503:
        response.headers["Retry-After"] = "5"
    return response


@blueprint.errorhandler(PageError)
def _answer_page_error(error: PageError) -> Response:
    return show_state(error.state, error.detail)


@blueprint.errorhandler(Problem)
def _answer_problem(problem: Problem) -> Response:
    """Of what the console shares with the API."""
    if problem.code == "rate_limited":
        return _answer_too_many(int(problem.headers["Retry-After"]))
    return show_state(problem.code if problem.code in STATES else "refused")


def _answer_too_many(seconds: int) -> Response:
    told = ngettext("Wait for %(num)s second.", "Wait for %(num)s seconds.", seconds)
    response = show_state("too_many", told)
    response.headers["Retry-After"] = str(seconds)
    return response


@blueprint.errorhandler(CdpError)
def _answer_domain_error(error: CdpError) -> Response:
    match error:
        case UnknownProfileError():
            return show_state("profile_not_found")
        case ErasedProfileError():
            return show_state("profile_erased")
        case UnknownRecordError():
            return show_state("not_found")
        case CandidateClaimedError():
            return show_state(error.reason, _held(error))
        case RulingRefusedError() if (closed := find_closed(request.view_args)) is not None:
            return show_state(closed.state, closed.told, action_id=closed.action_id)
        case RulingRefusedError() if error.reason in STATES:
            return show_state(error.reason, _named_actions(error))
        case RulingRefusedError():
            return show_state("not_found" if error.reason.endswith("_not_found") else "ruling_refused")
        case StoreNotResolvedError():
            return show_state("not_resolved")
        case StoreBusyError() | WriteConflictError():
            logger.warning("store.busy", reason=error.reason)
            return show_state("busy")
        case StoreError() | ReadAuditFullError():
            logger.error("store.unavailable", reason=error.reason, detail=str(error))
            return show_state("unavailable")
        case _:
            return _answer_unforeseen(error)


def _held(error: CandidateClaimedError) -> str:
    with snapshot() as connection:
        names = select_author_names(connection, {error.held_by})
    holder = names.get(error.held_by, error.held_by)
    told: str = gettext(
        "%(holder)s has it until %(when)s.", holder=holder, when=format_time(error.held_until, "short")
    )
    return told


def _named_actions(error: RulingRefusedError) -> str | None:
    if not error.action_ids:
        return None
    actions = ", ".join(f"#{each}" for each in error.action_ids)
    told: str = gettext("It is about: %(actions)s.", actions=actions)
    return told


@blueprint.errorhandler(HTTPException)
def _answer_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status >= 500:
        return _answer_unforeseen(error)
    if status < 400:
        response = error.get_response()
        assert isinstance(response, Response)
        return response
    return show_state(_STATE_OF_HTTP.get(status, "refused"))


@blueprint.errorhandler(Exception)
def _answer_unforeseen(error: Exception) -> Response:
    """The log gets the kind of error and its place; a message may hold a person's values and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    logger.error(
        "console.failed",
        error=type(error).__name__,
        places=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    )
    return show_state("not_shown" if request.method in ("GET", "HEAD") else "failed")
