"""Settings: where records come from, who has keys, who works here, which values count for little."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.layout import tell
from api.console.oidc import provider_label
from api.console.states import PageError
from api.service import current_service
from api.snapshots import snapshot
from cdp.identity.shared_values import select_most_shared
from cdp.identity.sources import select_sources
from cdp.privacy.keys import select_keys
from cdp.privacy.masking import mask_identifier
from cdp.staff.accounts import NewUser, bind_identity, close_user, create_user, reset_password, set_role
from cdp.staff.errors import IdentityTakenError, UnknownUserError, UnusableNameError, UserExistsError
from cdp.staff.passwords import make_password
from cdp.staff.roles import ROLES
from cdp.staff.users import select_users

SHARED_AT_MOST = 100


@blueprint.get("/settings")
@requires("settings.read")
def settings() -> str:
    return _page()


@blueprint.post("/settings/users")
@requires("users.manage")
def post_user() -> str | tuple[str, int]:
    """A new account; its password is shown this once."""
    service = current_service()
    name, role = request.form.get("name", "").strip(), _role()
    password = make_password()
    try:
        new = NewUser(name, role, password)
        create_user(service.store.engine(), new, actor=current_user().actor, now=service.clock())
    except UserExistsError:
        return _page(refused=gettext("There is a user of this name already.")), 422
    except UnusableNameError:
        return _page(refused=gettext("A name has letters without accents, digits, dots, dashes or @.")), 422
    return _page(made=(name, password))


@blueprint.post("/settings/users/<name>")
@requires("users.manage")
def post_user_change(name: str) -> str | Response:
    """Another role, another password, another way to sign in, or none of it any more."""
    service, actor = current_service(), current_user().actor
    engine, now, change = service.store.engine(), service.clock(), request.form.get("change", "")
    if name == current_user().name:
        raise PageError("invalid", gettext("Ask another administrator to change your own account."))
    try:
        if change == "role":
            set_role(engine, name, _role(), actor=actor, now=now)
        elif change == "password":
            password = make_password()
            reset_password(engine, name, password, actor=actor, now=now)
            return _page(made=(name, password))
        elif change == "bind":
            bind_identity(engine, name, _identity(), actor=actor, now=now)
        elif change == "close":
            close_user(engine, name, actor=actor, now=now)
        else:
            raise PageError("invalid")
    except UnknownUserError:
        raise PageError("not_found") from None
    except IdentityTakenError:
        raise PageError("invalid", gettext("Another account is bound to this subject.")) from None
    tell(gettext("User %(name)s is changed.", name=name))
    return redirect(url_for(f"{CONSOLE}.settings"), 303)


def _page(*, made: tuple[str, str] | None = None, refused: str | None = None) -> str:
    now = current_service().clock()
    with snapshot() as connection:
        sources = select_sources(connection)
        keys = select_keys(connection)
        users = select_users(connection)
        shared = select_most_shared(connection, limit=SHARED_AT_MOST)
    return render_template(
        "console/settings.html",
        sources=[sources[name] for name in sorted(sources)],
        keys=keys,
        users=users,
        roles=ROLES,
        shared=[(each, mask_identifier(each.kind, each.value)) for each in shared],
        now=now,
        made=made,
        refused=refused,
        provider=provider_label(),
    )


def _identity() -> tuple[str, str]:
    """Who somebody is at the provider."""
    oidc, subject = current_service().settings.oidc, request.form.get("subject", "").strip()
    if oidc is None or not 0 < len(subject) <= 255:
        raise PageError("invalid")
    return oidc.issuer, subject


def _role() -> str:
    role = request.form.get("role", "")
    if role not in ROLES:
        raise PageError("invalid")
    return role
