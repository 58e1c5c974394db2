"""The one cookie of the console: signed, and read by no script; what it names is kept in the store.

It holds the token of the session and what a page needs between two requests: the secret of its forms, language,
looks, what is to be told next, the latest searches (sealed). Requests elsewhere have none.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from api.auth import CONSOLE
from api.service import current_service
from cdp.settings import Settings
from cdp.staff.secrets import select_signing_secret
from cdp.store import StoreError, read

_PATH = f"/{CONSOLE}"
TOKEN = "token"
# What outlives signing in and out.
_PREFERENCES = ("language", "theme", "shortcuts", "only_differences")


class ConsoleCookies(SecureCookieSessionInterface):
    """Cookies for the console alone, once the store has the secret to sign them with."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        is_console = request.path == _PATH or request.path.startswith(f"{_PATH}/")
        if not is_console or request.path.startswith(f"{_PATH}/static/"):
            return None
        if app.secret_key is None:
            app.secret_key = _signing_secret(app)
        return super().open_session(app, request)


def set_up_cookies(app: Flask, settings: Settings) -> None:
    """By https the browser itself keeps others from setting the cookie (__Host-)."""
    is_secure = settings.is_reached_by_https
    app.config.update(
        SESSION_COOKIE_NAME="__Host-cdp_console" if is_secure else "cdp_console",
        SESSION_COOKIE_SECURE=is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )
    app.session_interface = ConsoleCookies()


def renew_cookie(**values: Any) -> None:
    """Everything anew but how somebody likes the console: after signing in and out."""
    kept = {name: session[name] for name in _PREFERENCES if name in session}
    session.clear()
    session.update(kept | values)


def _signing_secret(app: Flask) -> str | None:
    """None without a store or a user; the page itself then says what is the matter."""
    with app.app_context():
        try:
            with read(current_service().store.engine()) as connection:
                return select_signing_secret(connection)
        except StoreError:
            return None
