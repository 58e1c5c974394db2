"""`cdp model list` and `activate`: the model versions of the store."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import click

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.identity.activate import activate_model, require_active_model
from cdp.identity.models import select_models
from cdp.store import read

ACTOR = "command:model"


@click.group()
def model() -> None:
    """List model versions, put one in force."""


@model.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the model versions; the one in force is marked."""
    with configured_store() as engine, read(engine) as connection:
        models = select_models(connection)
    lines = [
        f"{'*' if each.active_since else ' '} {each.model_version:>4}  {each.label:24} "
        f"{each.record_count:>12,} records  {each.created_at:%Y-%m-%d %H:%M}"
        for each in models
    ]
    lines = lines or ["There is no model version yet: `cdp migrate` puts the shipped one in force."]
    show([asdict(each) for each in models], *lines, as_json=as_json)


@model.command("activate")
@click.argument("version", type=click.IntRange(0))
@click.option("--reason", default="activated by hand", show_default=True, help="Why, for the audit.")
@json_option
def activate(*, version: int, reason: str, as_json: bool) -> None:
    """Put a model version in force; `cdp resolve` then applies it to the profiles."""
    now = datetime.now(UTC)
    with configured_store() as engine:
        require_active_model(engine, now=now)
        changed = activate_model(engine, version, author=ACTOR, reason=reason, now=now)
    told = f"Version {version} is in force; `cdp resolve` applies it to the profiles."
    show(
        {"model_version": version, "changed": changed},
        told if changed else f"Version {version} was in force already.",
        as_json=as_json,
    )
