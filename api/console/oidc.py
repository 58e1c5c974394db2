"""Signing in by OpenID Connect: to the provider, back with a code, and out of it again.

What is begun is kept in the cookie, for this browser alone, until it comes back or is too old.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, current_app, redirect, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.blueprint import blueprint
from api.console.cookies import TOKEN, renew_cookie
from api.console.layout import tell
from api.console.places import wanted_place
from api.console.states import PageError
from api.service import current_service
from cdp.settings import Settings
from cdp.staff.errors import ClosedAccountError, UnknownIdentityError
from cdp.staff.sign_in import Newcomer, sign_in_as

if TYPE_CHECKING:
    from api.console.identity_provider import IdentityProvider

_EXTENSION = "cdp_identity_provider"
_BEGUN = "oidc"
_BEGUN_FOR = timedelta(minutes=10)
SIGNED_IN_BY = "by"
LONGEST_CODE = 4096


def set_up_identity_provider(app: Flask, settings: Settings) -> None:
    if settings.oidc is not None:
        # Its libraries take a while to load, and most have no provider.
        from api.console.identity_provider import IdentityProvider

        app.extensions[_EXTENSION] = IdentityProvider(app, settings.oidc)


@blueprint.get("/sign-in/oidc")
def sign_in_elsewhere() -> Response:
    """To the provider. A link and no form: policies keep forms from leading to another site."""
    provider = _provider()
    if current_app.secret_key is None:
        # Nobody can sign in yet, and that page says how to begin.
        return redirect(url_for(f"{CONSOLE}.sign_in"), 303)
    begun = provider.begin(_come_back_to())
    session[_BEGUN] = {
        "state": begun["state"],
        "nonce": begun["nonce"],
        "code_verifier": begun["code_verifier"],
        "next": wanted_place(),
        "until": (current_service().clock() + _BEGUN_FOR).timestamp(),
    }
    return redirect(begun["url"], 303)


@blueprint.get("/sign-in/oidc/back")
def signed_in_elsewhere() -> Response:
    """Back from the provider, with a code or with what went wrong."""
    provider = _provider()
    begun = _take_begun()
    if "error" in request.args:
        is_denied = request.args["error"] == "access_denied"
        raise PageError("sign_in_declined" if is_denied else "provider_refused")
    code = request.args.get("code", "")
    if not 0 < len(code) <= LONGEST_CODE:
        raise PageError("sign_in_stale")
    claims = provider.identify(code, begun, _come_back_to())
    token = _begin_session(provider, claims)
    renew_cookie(**{TOKEN: token, SIGNED_IN_BY: "oidc"})
    return redirect(begun["next"] or url_for(f"{CONSOLE}.home"), 303)


@blueprint.get("/sign-in/oidc/out")
def sign_out_elsewhere() -> Response:
    """Out of the provider too, for who is signed out here; the provider asks before it does so."""
    back_to = _address_of("sign_in")
    url = _provider().sign_out_url(back_to)
    if url is None:
        tell(gettext("It has no page to sign out by: close the browser."))
    return redirect(url or back_to, 303)


def provider_label() -> str | None:
    """Of the button; None when people sign in with passwords alone."""
    oidc = current_service().settings.oidc
    return oidc.label if oidc else None


def _provider() -> IdentityProvider:
    found = current_app.extensions.get(_EXTENSION)
    if found is None:
        raise PageError("not_found")
    return cast("IdentityProvider", found)


def _take_begun() -> Mapping[str, Any]:
    """What this browser began, once. Raises PageError for what it did not begin, and for what is too old."""
    begun = session.get(_BEGUN)
    state = request.args.get("state", "")
    if begun is None or not hmac.compare_digest(begun["state"].encode(), state.encode()):
        raise PageError("sign_in_mismatch")
    session.pop(_BEGUN)
    if current_service().clock().timestamp() >= begun["until"]:
        raise PageError("sign_in_stale")
    return cast("Mapping[str, Any]", begun)


def _begin_session(provider: IdentityProvider, claims: Mapping[str, Any]) -> str:
    """The token of a session. Raises PageError."""
    service, settings = current_service(), provider.settings
    called = next((str(claims[each]) for each in ("preferred_username", "email") if claims.get(each)), "")
    newcomer = Newcomer(settings.new_role, called) if settings.new_role else None
    engine, now = service.store.engine(), service.clock()
    try:
        return sign_in_as(engine, settings.issuer, claims["sub"], now=now, newcomer=newcomer)
    except UnknownIdentityError as error:
        told = gettext("Your subject there: %(subject)s.", subject=claims["sub"])
        raise PageError("identity_unknown", told) from error
    except ClosedAccountError as error:
        raise PageError("account_closed") from error


def _come_back_to() -> str:
    return _address_of("signed_in_elsewhere")


def _address_of(endpoint: str) -> str:
    """As the browser reaches it; the provider knows the addresses that it may be led to."""
    host = current_service().settings.public_url or request.host_url.rstrip("/")
    return host + url_for(f"{CONSOLE}.{endpoint}")
