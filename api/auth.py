"""Who calls, and whether they may: every address needs a key unless it is listed here as public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask

from api.context import current_application, current_notes, current_request
from api.errors import Problem
from api.inputs import ApiBlueprint, take_in_body
from api.limiting import count_caller, count_stranger, count_wrong_secret, refuse_guesses, tell_rate_limits
from api.service import current_service
from api.snapshots import begin_snapshot, close_snapshots
from cdp.privacy.keys import VIEWS, Caller, authenticate

METRICS_ENDPOINT = "metrics.metrics"

# Endpoints that answer without a key. None of them tells anything about a person. That of the metrics may be closed.
PUBLIC_ENDPOINTS = frozenset(
    {
        "service.index",
        "service.livez",
        "service.readyz",
        METRICS_ENDPOINT,
        "documents.openapi_document",
        "documents.docs",
        "documents.docs_file",
    }
)

# Its pages are for people who sign in: see api/console/access.py.
CONSOLE = "console"

_HOW_TO_SEND_A_KEY = (
    "Send `Authorization: Bearer KEY`, or the key as the user name of Basic; `cdp key create` makes one."
)
_SCOPE = "required_scope"
_READS_ONLY = "reads_only"
_ANY_VIEW = "a view"

View = TypeVar("View", bound=Callable[..., Any])


def requires_scope(scope: str, *, reads_only: bool = False) -> Callable[[View], View]:
    """Only keys with this scope may call the view; its documentation says so.

    reads_only: for what takes a body and asks the store in one snapshot, that in which the caller is found.
    """
    return _marked(scope, [scope], reads_only=reads_only)


def requires_view() -> Callable[[View], View]:
    """Any key may call the view function; which profile and which view it gets is for `cdp` to say."""
    return _marked(_ANY_VIEW, [f"profiles:read:{view}" for view in VIEWS])


def _marked(scope: str, roles: list[str], *, reads_only: bool = False) -> Callable[[View], View]:
    def mark(function: View) -> View:
        setattr(function, _SCOPE, scope)
        setattr(function, _READS_ONLY, reads_only)
        return ApiBlueprint.doc(security=[{"bearer": roles}, {"basic": roles}])(function)

    return mark


def require_callers(app: Flask) -> None:
    app.before_request(_require_caller)
    tell_rate_limits(app)
    close_snapshots(app)


def current_caller() -> Caller:
    return cast(Caller, current_notes().caller)


def require_unbound(why_not: str) -> Caller:
    """Of calls about all that there is. Raises Problem for a key that is bound to sources."""
    caller = current_caller()
    if caller.sources is not None:
        raise Problem("scope_missing", why_not)
    return caller


def _require_caller() -> None:
    """Runs before every view but the console's. An address that nobody marked is closed, whoever asks."""
    request, service = current_request(), current_service()
    if request.blueprint == CONSOLE:
        return
    is_closed = request.endpoint == METRICS_ENDPOINT and not service.settings.metrics_are_public
    if request.endpoint is None or (request.endpoint in PUBLIC_ENDPOINTS and not is_closed):
        count_stranger()
        return
    secret = _presented_key()
    if secret is None:
        count_stranger()
        raise Problem("unauthorized", _HOW_TO_SEND_A_KEY)
    refuse_guesses(secret)
    view = current_application().view_functions[request.endpoint]
    with begin_snapshot(is_last=not _reads_on(view)) as connection:
        caller = authenticate(connection, secret, service.clock())
    if caller is None:
        count_wrong_secret(secret)
        raise Problem("unauthorized", _HOW_TO_SEND_A_KEY)
    current_notes().caller = caller
    count_caller(caller.key_id)
    scope = getattr(view, _SCOPE, None)
    if scope is None or (scope != _ANY_VIEW and not caller.has_scope(scope)):
        raise Problem("scope_missing", f"It needs {scope}." if scope else None)


def _reads_on(view: Callable[..., Any]) -> bool:
    """Whether the view reads on in the snapshot in which its caller is found. Not where it writes, in a transaction of
    its own, and not where a body is still to come: a slow one would hold the snapshot."""
    return current_request().method in ("GET", "HEAD") or (
        getattr(view, _READS_ONLY, False) and take_in_body()
    )


def _presented_key() -> str | None:
    """The key of `Authorization: Bearer KEY`, or the user name of Basic as Segment's SDKs send it."""
    authorization = current_request().authorization
    if authorization is None:
        return None
    if authorization.type == "bearer":
        return authorization.token
    return authorization.username if authorization.type == "basic" else None
