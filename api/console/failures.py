"""How what goes wrong behind a page becomes the page that says so: its state, the way on, the log."""

from __future__ import annotations

import traceback

import structlog
from flask import Response, g, render_template, request
from flask_babel import format_time, gettext, lazy_gettext, ngettext
from werkzeug.exceptions import HTTPException

from api.console.blueprint import blueprint
from api.console.closed_items import find_closed
from api.console.places import page_before, wanted_place
from api.console.states import STATES, PageError
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

_ = lazy_gettext

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


def show_state(name: str, detail: str | None = None, *, action_id: int | None = None) -> Response:
    """Action id: of the decision that may be taken back."""
    state = STATES[name]
    g.problem_code = name
    asked_for = (request.view_args or {}) if g.get("user") else {}
    page = render_template(
        "console/state.html",
        state=state,
        detail=detail,
        request_id=g.request_id,
        leads_to=_LEADS_TO.get(name),
        back=page_before() or (wanted_place() if g.get("user") else None),
        candidate_id=asked_for.get("candidate_id"),
        profile_id=None if name in _NOTHING_TO_SEE else asked_for.get("profile_id"),
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
