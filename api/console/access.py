"""Who may see which page: every address of the console needs somebody signed in unless it is listed as public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import structlog
from flask import Response, current_app, g, redirect, request, session, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.wrappers import Response as AnyResponse

from api.auth import CONSOLE
from api.clean_text import find_unclean
from api.console.blueprint import blueprint
from api.console.cookies import TOKEN
from api.console.numbers import BEYOND
from api.console.states import PageError
from api.limiting import count_account, count_stranger
from api.service import current_service
from api.snapshots import begin_snapshot
from cdp.staff.roles import may
from cdp.staff.sessions import NOTED_EVERY, SignedIn, select_signed_in
from cdp.staff.sign_in import note_seen
from cdp.store import StoreError

# Without anybody signed in. None of them tells anything about a person.
PUBLIC_ENDPOINTS = frozenset(
    {
        f"{CONSOLE}.static",
        f"{CONSOLE}.sign_in",
        f"{CONSOLE}.post_sign_in",
        f"{CONSOLE}.sign_in_elsewhere",
        f"{CONSOLE}.signed_in_elsewhere",
        f"{CONSOLE}.sign_out_elsewhere",
        f"{CONSOLE}.post_preferences",
        f"{CONSOLE}.nothing_here",
    }
)

_PERMISSION = "required_permission"

# Nothing but what this service sends itself, and nothing written into the page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

View = TypeVar("View", bound=Callable[..., Any])

logger = structlog.get_logger(__name__)
forms = CSRFProtect()


def requires(permission: str) -> Callable[[View], View]:
    """Only who may do this sees the page."""

    def mark(function: View) -> View:
        setattr(function, _PERMISSION, permission)
        return function

    return mark


def required_permission(endpoint: str) -> str | None:
    return cast("str | None", getattr(current_app.view_functions[endpoint], _PERMISSION, None))


def current_user() -> SignedIn:
    return cast(SignedIn, g.user)


@blueprint.before_request
def guard() -> AnyResponse | None:
    """Runs before every view of the console. A page that nobody marked is closed, whoever asks."""
    g.user = _signed_in()
    if request.endpoint != f"{CONSOLE}.static":
        _count()
    if request.endpoint not in PUBLIC_ENDPOINTS:
        if g.user is None:
            return _to_sign_in()
        permission = required_permission(request.endpoint or "")
        if permission is None or not may(g.user.role, permission):
            raise PageError("forbidden")
    _refuse_unclean_texts()
    _refuse_odd_numbers()
    if request.method == "POST":
        _require_form()
    return None


@blueprint.after_request
def protect(response: Response) -> Response:
    """The headers of a page."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    # Forms by https are checked by their referrer, which stays within the service.
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint == f"{CONSOLE}.static":
        response.headers["Cache-Control"] = "no-cache"
    return response


def _signed_in() -> SignedIn | None:
    token = session.get(TOKEN)
    if token is None or request.endpoint == f"{CONSOLE}.static":
        return None
    now = current_service().clock()
    with begin_snapshot(is_last=request.method not in ("GET", "HEAD")) as connection:
        found = select_signed_in(connection, token, now=now)
    if found is not None and now >= found.seen_at + NOTED_EVERY:
        try:
            note_seen(current_service().store.engine(), found, now=now)
        except StoreError as error:
            # A store that cannot be written is still read.
            logger.warning("console.seen_unnoted", reason=error.reason)
    return found


def _count() -> None:
    """Raises Problem when this account, or this address with nobody signed in, sent too many requests."""
    if g.user is None:
        count_stranger()
    else:
        count_account(g.user.user_id)


def _to_sign_in() -> AnyResponse:
    """There, and back to the page that was asked for; what a form would have done is not done."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for(f"{CONSOLE}.sign_in", next=wanted), 303)


def _refuse_unclean_texts() -> None:
    """Raises PageError for NUL and half a character: no store is asked for them."""
    found = find_unclean(request)
    if found is not None:
        raise PageError("not_found" if found.part == "path" else "invalid")


def _refuse_odd_numbers() -> None:
    """Raises PageError for an address with a number that no store holds: nothing is there."""
    if any(isinstance(each, int) and each >= BEYOND for each in (request.view_args or {}).values()):
        raise PageError("not_found")


def _require_form() -> None:
    """Raises PageError for a form that is none of this session's pages."""
    if current_app.secret_key is None:
        # There is no user yet, or no store: nothing that could have made a form.
        raise PageError("form_expired")
    try:
        forms.protect()
    except CSRFError as error:
        raise PageError("form_expired") from error
