"""`cdp user create`, `list`, `password`, `role`, `bind`, `close`: who may work in the console."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.settings import read_settings
from cdp.staff.accounts import NewUser, bind_identity, close_user, create_user, reset_password, set_role
from cdp.staff.passwords import make_password
from cdp.staff.roles import ROLES
from cdp.staff.users import User, select_users
from cdp.store import read

ACTOR = "command line"

_ask_password = click.option(
    "--ask-password", is_flag=True, help="Ask for the password instead of making one up."
)


@click.group()
def user() -> None:
    """Create and manage the users of the console."""


@user.command("create")
@click.option("--name", required=True, help="What they sign in with.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What they may do.")
@_ask_password
@click.option("--issuer", help="Who vouches for them, where they sign in elsewhere (OpenID Connect).")
@click.option("--subject", help="What the issuer calls them.")
@json_option
def create(
    *, name: str, role: str, ask_password: bool, issuer: str | None, subject: str | None, as_json: bool
) -> None:
    """Create a user and print the password made up for them, which is shown this once."""
    if (issuer is None) != (subject is None):
        raise click.UsageError("Give --issuer and --subject together.")
    identity = (issuer, subject) if issuer and subject else None
    password = None if identity and not ask_password else _new_password(ask=ask_password)
    with configured_store() as engine:
        new = NewUser(name, role, password, identity)
        user_id = create_user(engine, new, actor=ACTOR, now=datetime.now(UTC))
    _show_password({"user_id": user_id, "name": name, "role": role}, password, ask_password, as_json=as_json)


@user.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the users, closed ones too."""
    now = datetime.now(UTC)
    with configured_store() as engine, read(engine) as connection:
        found = select_users(connection)
    documents = [
        {
            "user_id": each.user_id,
            "name": each.name,
            "role": each.role,
            "state": _state(each, now),
            "issuer": each.issuer,
            "created_at": each.created_at,
        }
        for each in found
    ]
    lines = [f"{each.name:24} {each.role:8} {_state(each, now)}" for each in found]
    show(documents, *(lines or ["There is no user yet: `cdp user create` makes one."]), as_json=as_json)


@user.command("password")
@click.argument("name")
@_ask_password
@json_option
def password(*, name: str, ask_password: bool, as_json: bool) -> None:
    """Give a user another password; all their sessions end."""
    chosen = _new_password(ask=ask_password)
    with configured_store() as engine:
        reset_password(engine, name, chosen, actor=ACTOR, now=datetime.now(UTC))
    _show_password({"name": name}, chosen, ask_password, as_json=as_json)


@user.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@json_option
def role(*, name: str, role: str, as_json: bool) -> None:
    """Give a user another role, at once."""
    with configured_store() as engine:
        set_role(engine, name, role, actor=ACTOR, now=datetime.now(UTC))
    show({"name": name, "role": role}, f"User {name} is {role} now.", as_json=as_json)


@user.command("bind")
@click.argument("name")
@click.option("--issuer", help="Who vouches for them; CDP_OIDC_ISSUER by default.")
@click.option("--subject", required=True, help="What the issuer calls them.")
@json_option
def bind(*, name: str, issuer: str | None, subject: str, as_json: bool) -> None:
    """Let a user sign in elsewhere (OpenID Connect), as this subject."""
    provider = read_settings().oidc
    issuer = issuer or (provider.issuer if provider else None)
    if not issuer:
        raise click.UsageError("Give --issuer, or set CDP_OIDC_ISSUER.")
    with configured_store() as engine:
        bind_identity(engine, name, (issuer, subject), actor=ACTOR, now=datetime.now(UTC))
    show({"name": name, "issuer": issuer}, f"User {name} signs in at {issuer}.", as_json=as_json)


@user.command("close")
@click.argument("name")
@json_option
def close(*, name: str, as_json: bool) -> None:
    """Close an account; its sessions end and nobody signs in with it."""
    with configured_store() as engine:
        closed = close_user(engine, name, actor=ACTOR, now=datetime.now(UTC))
    told = f"User {name} is closed." if closed else f"User {name} was closed before."
    show({"name": name, "closed": closed}, told, as_json=as_json)


def _new_password(*, ask: bool) -> str:
    if not ask:
        return make_password()
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


def _show_password(document: dict[str, object], password: str | None, asked: bool, *, as_json: bool) -> None:
    """A password that was made up is told once; one that was asked for is known already."""
    told = None if asked else password
    line = told if told else f"User {document['name']} is ready."
    show(document | {"password": told}, line, as_json=as_json)
    if told and not as_json:
        click.echo(f"The password of {document['name']}: keep it, it is not shown again.", err=True)


def _state(each: User, now: datetime) -> str:
    if each.disabled_at is not None:
        return "closed"
    return "resting" if each.locked_until is not None and now < each.locked_until else "active"
