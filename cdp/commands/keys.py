"""`cdp key create`, `list`, `rotate`, `revoke`: the API keys of calling programs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.identity.sources import select_named_sources
from cdp.privacy.issue import issue_key, revoke_key, rotate_key
from cdp.privacy.keys import SCOPES, VIEWS, KeyRights, make_key, make_secret, select_keys
from cdp.store import read

ACTOR = "command line"


@click.group()
def key() -> None:
    """Create, list, rotate and revoke API keys."""


@key.command("create")
@click.option("--name", required=True, help="Who will hold the key.")
@click.option(
    "--scope", "scopes", multiple=True, help=f"What it may do; several allowed: {', '.join(SCOPES)}."
)
@click.option("--source", "sources", multiple=True, help="A source it is bound to; all when none is named.")
@click.option(
    "--view",
    "views",
    multiple=True,
    help=f"A view it is bound to, {', '.join(VIEWS)}; all when none is named.",
)
@click.option("--expires-days", type=click.IntRange(1, 36_500), help="Days until it ends; never by default.")
@json_option
def create(
    *,
    name: str,
    scopes: tuple[str, ...],
    sources: tuple[str, ...],
    views: tuple[str, ...],
    expires_days: int | None,
    as_json: bool,
) -> None:
    """Create a key and print its secret, which is shown this once."""
    if not scopes:
        raise click.UsageError(f"Give --scope, one or more of {', '.join(SCOPES)}.")
    now = datetime.now(UTC)
    expires_at = None if expires_days is None else now + timedelta(days=expires_days)
    rights = KeyRights(name, scopes, sources or None, views or None, expires_at)
    made = make_key()
    with configured_store() as engine:
        issue_key(engine, made, rights, actor=ACTOR, now=now)
        with read(engine) as connection:
            unknown = sorted(set(sources) - select_named_sources(connection, sources).keys())
    document = {
        "key_id": made.key_id,
        "secret": made.secret,
        "name": name,
        "scopes": sorted(set(scopes)),
        "sources": rights.sources,
        "views": rights.views,
        "expires_at": expires_at,
    }
    show(document, made.secret, as_json=as_json)
    if not as_json:
        click.echo(f"Key {made.key_id} for {name}: keep the line above, it is not shown again.", err=True)
        for source in unknown:
            click.echo(f"There is no source {source} yet: `cdp source create {source}` makes it.", err=True)


@key.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the keys, revoked and expired ones too."""
    now = datetime.now(UTC)
    with configured_store() as engine, read(engine) as connection:
        keys = select_keys(connection)
    lines = [_line(each, now) for each in keys]
    show(keys, *(lines or ["There is no key yet: `cdp key create` makes one."]), as_json=as_json)


@key.command("rotate")
@click.argument("key_id")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 24 * 366),
    default=24,
    show_default=True,
    help="How long the former secret still opens; 0 ends it now.",
)
@click.option(
    "--expires-days", type=click.IntRange(1, 36_500), help="Days until the key ends; as before by default."
)
@json_option
def rotate(*, key_id: str, overlap_hours: int, expires_days: int | None, as_json: bool) -> None:
    """Give a key another secret and print it this once; its rights and its id stay."""
    now = datetime.now(UTC)
    expires_at = None if expires_days is None else now + timedelta(days=expires_days)
    made = make_secret(key_id)
    overlap = timedelta(hours=overlap_hours)
    with configured_store() as engine:
        former_expires_at = rotate_key(
            engine, made, overlap=overlap, expires_at=expires_at, actor=ACTOR, now=now
        )
    document = {"key_id": key_id, "secret": made.secret, "former_expires_at": former_expires_at}
    show(document, made.secret, as_json=as_json)
    if not as_json:
        told = f"opens until {former_expires_at:%Y-%m-%d %H:%M} UTC" if overlap_hours else "opens no more"
        click.echo(
            f"Key {key_id}: keep the line above, it is not shown again; the former secret {told}.", err=True
        )


@key.command("revoke")
@click.argument("key_id")
@json_option
def revoke(*, key_id: str, as_json: bool) -> None:
    """Revoke a key; requests with it are refused from now on."""
    with configured_store() as engine:
        revoked = revoke_key(engine, key_id, actor=ACTOR, now=datetime.now(UTC))
    told = f"Key {key_id} is revoked." if revoked else f"Key {key_id} was revoked before."
    show({"key_id": key_id, "revoked": revoked}, told, as_json=as_json)


def _line(each: dict[str, Any], now: datetime) -> str:
    parts = [each["key_id"], f"{_state(each, now):8}", each["name"], " ".join(each["scopes"])]
    for bound in ("sources", "views"):
        if each[bound] is not None:
            parts.append(f"{bound}: {' '.join(each[bound])}")
    if each["expires_at"] is not None:
        parts.append(f"expires {each['expires_at']:%Y-%m-%d %H:%M} UTC")
    if each["former_expires_at"] is not None and each["former_expires_at"] > now:
        parts.append(f"former secret until {each['former_expires_at']:%Y-%m-%d %H:%M} UTC")
    return "  ".join(parts)


def _state(each: dict[str, Any], now: datetime) -> str:
    if each["revoked_at"] is not None:
        return "revoked"
    return "expired" if each["expires_at"] is not None and each["expires_at"] <= now else "active"
