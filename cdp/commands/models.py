"""`cdp model list` and `activate`: the model versions of the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.commands.resolve import report_lines
from cdp.commands.steps import step_display
from cdp.identity.apply_model import AppliedModel, apply_model
from cdp.identity.models import ModelSummary, select_models
from cdp.store import read

ACTOR = "command:model"


@click.group()
def model() -> None:
    """List model versions, put one in force."""


@model.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the model versions; a star marks the one in force."""
    with configured_store() as engine, read(engine) as connection:
        models = select_models(connection)
    lines = (
        _table(models)
        if models
        else ["There is no model version yet: `cdp migrate` puts the shipped one in force."]
    )
    show([asdict(each) for each in models], *lines, as_json=as_json)


def _table(models: Sequence[ModelSummary]) -> Iterator[str]:
    yield f"  {'version':>7}  {'name':24} {'from records':>12}  made at (UTC)"
    for each in models:
        yield (
            f"{'*' if each.active_since else ' '} {each.model_version:>7}  {each.label:24} "
            f"{each.record_count:>12,}  {each.created_at:%Y-%m-%d %H:%M}"
        )
    if any(each.active_since for each in models):
        yield "* in force: what comes is resolved with it."


@model.command("activate")
@click.argument("version", type=click.IntRange(0))
@click.option("--reason", default="activated by hand", show_default=True, help="Why, for the audit.")
@click.option("--dry-run", is_flag=True, help="Show what would join, split, move; change nothing.")
@json_option
def activate(*, version: int, reason: str, dry_run: bool, as_json: bool) -> None:
    """Put a model version in force, together with the profiles it makes; ids are kept.

    Where there are profiles of another version, all records are resolved, as `cdp resolve --model` does.
    """
    with configured_store() as engine, step_display("Resolving") as progress:
        applied = apply_model(
            engine,
            version,
            author=ACTOR,
            reason=reason,
            clock=lambda: datetime.now(UTC),
            dry_run=dry_run,
            progress=progress,
        )
    show(asdict(applied), *_applied_lines(applied, dry_run=dry_run), as_json=as_json)


def _applied_lines(applied: AppliedModel, *, dry_run: bool) -> Iterator[str]:
    if applied.resolution is not None:
        yield from report_lines(applied.resolution)
    elif dry_run:
        yield "Dry run, nothing was changed. No profile would change: none is of another version."
    if not applied.changed:
        yield f"Version {applied.model_version} was in force already."
    elif not dry_run:
        yield f"Version {applied.model_version} is in force."
