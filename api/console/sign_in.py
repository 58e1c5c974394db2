"""Signing in and out, one's own password, and how one likes the console."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.cookies import TOKEN, renew_cookie
from api.console.languages import LANGUAGES
from api.console.layout import THEMES, tell
from api.console.oidc import SIGNED_IN_BY, provider_label
from api.console.places import here_or_home, wanted_place
from api.console.states import PageError
from api.limiting import count_wrong_sign_in, refuse_sign_ins
from api.service import current_service
from cdp.staff.accounts import change_password
from cdp.staff.errors import SignInRefusedError, WeakPasswordError
from cdp.staff.sign_in import sign_in as begin_session
from cdp.staff.sign_in import sign_out as end_session
from cdp.store import read


@blueprint.get("/sign-in")
def sign_in() -> str | tuple[str, int]:
    return _form(gettext("Sign in to go on.") if wanted_place() else None)


@blueprint.post("/sign-in")
def post_sign_in() -> Response | tuple[str, int]:
    service = current_service()
    if not service.settings.passwords_sign_in:
        raise PageError("passwords_off")
    refuse_sign_ins()
    name, password = request.form.get("name", ""), request.form.get("password", "")
    try:
        token = begin_session(service.store.engine(), name.strip(), password, now=service.clock())
    except SignInRefusedError:
        count_wrong_sign_in()
        refused = gettext(
            "The name or the password is wrong. After five wrong tries in a row an account rests for a while: "
            "wait a quarter of an hour, or ask an administrator."
        )
        return _form(refused, name=name, status=422)
    renew_cookie(**{TOKEN: token})
    return redirect(here_or_home(), 303)


@blueprint.post("/sign-out")
@requires("account")
def post_sign_out() -> Response:
    service = current_service()
    end_session(service.store.engine(), current_user(), now=service.clock())
    left = session.get(SIGNED_IN_BY)
    renew_cookie()
    tell(gettext("You are signed out."))
    return redirect(url_for(f"{CONSOLE}.sign_in", left=left), 303)


@blueprint.get("/account")
@requires("account")
def account() -> str:
    return render_template("console/account.html", refused=None)


@blueprint.post("/account/password")
@requires("account")
def post_password() -> Response | tuple[str, int]:
    service, form = current_service(), request.form
    old, new = form.get("old", ""), form.get("new", "")
    # Who sits down at somebody's open session must not find the password by trying.
    refuse_sign_ins()
    try:
        if new != form.get("again", ""):
            raise WeakPasswordError(gettext("The new password was not the same both times."))
        change_password(service.store.engine(), current_user(), old, new, now=service.clock())
    except SignInRefusedError:
        count_wrong_sign_in()
        return _account_refused(gettext("The present password is another."))
    except WeakPasswordError as error:
        is_short = not 12 <= len(new) <= 256
        told = gettext("A password has 12 to 256 characters.") if is_short else str(error)
        return _account_refused(told)
    tell(gettext("Your password is changed. Your other sessions have ended."))
    return redirect(url_for(f"{CONSOLE}.account"), 303)


@blueprint.post("/preferences")
def post_preferences() -> Response:
    """Language, theme, shortcuts: of this browser. What is not named stays as it is."""
    language, theme, shortcuts = map(request.form.get, ("language", "theme", "shortcuts"))
    if language not in (None, *LANGUAGES) or theme not in (None, *THEMES):
        raise PageError("invalid")
    if language is not None:
        session["language"] = language
    if theme is not None:
        session["theme"] = theme
    if shortcuts in ("on", "off"):
        session["shortcuts"] = shortcuts
    return redirect(here_or_home(), 303)


def _form(told: str | None, *, name: str = "", status: int = 200) -> tuple[str, int]:
    page = render_template(
        "console/sign_in.html",
        note=told,
        is_refused=status != 200,
        name=name,
        next=wanted_place(),
        has_users=_has_users(),
        with_password=current_service().settings.passwords_sign_in,
        provider=provider_label(),
        is_signed_in_there=request.args.get("left") == "oidc",
    )
    return page, status


def _has_users() -> bool:
    """Opening the store tells of one that cannot be used."""
    if current_app.secret_key is not None:
        return True
    with read(current_service().store.engine()):
        return False


def _account_refused(told: str) -> tuple[str, int]:
    return render_template("console/account.html", refused=told), 422
