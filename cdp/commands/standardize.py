"""`cdp standardize`: stored records as the standardizer of this version makes them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import click

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.commands.progress import progress_bar
from cdp.identity.linkage_records import count_outdated_records
from cdp.realtime.ingest import Resolver
from cdp.realtime.online_models import OnlineModels
from cdp.realtime.standardize_anew import Standardized, standardize_anew
from cdp.store import read
from resolution.standardize import STANDARDIZER_VERSION

ACTOR = "command:standardize"


@click.command()
@click.option("--dry-run", is_flag=True, help="Tell how many records would change; change nothing.")
@json_option
def standardize(*, dry_run: bool, as_json: bool) -> None:
    """Standardize stored records anew that an earlier version standardized, and resolve what changed.

    It may be stopped and begun again, and runs beside traffic.
    """
    with configured_store() as engine:
        with read(engine) as connection:
            waiting = count_outdated_records(connection)
        with progress_bar("records", waiting) as on_progress:
            done = standardize_anew(
                Resolver(engine, OnlineModels()),
                author=ACTOR,
                clock=lambda: datetime.now(UTC),
                dry_run=dry_run,
                progress=on_progress,
            )
    document = {**asdict(done), "standardizer_version": STANDARDIZER_VERSION, "dry_run": dry_run}
    show(document, *_lines(done, dry_run), as_json=as_json)


def _lines(done: Standardized, dry_run: bool) -> list[str]:
    would = "would change" if dry_run else "changed"
    lines = [f"{done.examined:,} records of an earlier standardizer, {done.changed:,} of them {would}."]
    if done.refused:
        ids = ", ".join(map(str, done.first_refused))
        lines.append(
            f"{done.refused:,} stay as they are, since the rules of now would refuse them: {ids}. "
            "Send them again, mended, or delete them."
        )
    return lines
