"""`cdp import`: files of records into the store, then into profiles."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import Engine

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.errors import CdpError
from cdp.identity.import_records import ACTOR, ImportOptions, ImportReport, import_files
from cdp.intake.instants import parse_instant
from cdp.intake.mapping import ImportMapping, check_region, read_mapping
from cdp.settings import read_settings

if TYPE_CHECKING:
    from cdp.identity.resolve import ResolutionReport

WORKERS_AT_MOST = 2  # More gained little: one process writes.


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--source", help="Source of rows that name none.")
@click.option(
    "--mapping", "mapping_path", type=click.Path(path_type=Path), help="Which column feeds which field."
)
@click.option("--default-region", help="Country of new sources, as in BR.  [default: BR]")
@click.option("--occurred-at", help="Date of rows that carry none, as in 2026-11-20.")
@click.option("--dry-run", is_flag=True, help="Show what would happen; store nothing.")
@click.option("--no-resolve", is_flag=True, help="Store only, and leave the rest to `cdp resolve`.")
@click.option("--rejects", "rejects_path", type=click.Path(path_type=Path), help="Where refused rows go.")
@click.option("--workers", "worker_count", type=click.IntRange(0, 64), help="Processes that prepare rows.")
@json_option
def import_(
    *,
    files: tuple[Path, ...],
    source: str | None,
    mapping_path: Path | None,
    default_region: str | None,
    occurred_at: str | None,
    dry_run: bool,
    no_resolve: bool,
    rejects_path: Path | None,
    worker_count: int | None,
    as_json: bool,
) -> None:
    """Import CSV, JSON lines or Parquet files; all that is good in them, or nothing.

    Rows that cannot be records go to a rejects file with the reason. Importing the same files again changes
    nothing.
    """
    # Records make no cycles; looking for some took a fifth of the time of storing a hundred thousand.
    gc.set_threshold(50_000, 50, 50)
    home = read_settings().home
    options = ImportOptions(
        mapping=read_mapping(mapping_path) if mapping_path else ImportMapping(),
        source=source,
        occurred_at=_instant(occurred_at),
        default_region=check_region(default_region) if default_region else None,
        worker_count=_default_workers() if worker_count is None else worker_count,
        dry_run=dry_run,
    )
    if rejects_path is None and not dry_run:
        rejects_path = _rejects_path(home, files[0], datetime.now(UTC))
    with configured_store() as engine:
        with _progress() as progress:
            report = import_files(
                engine,
                files,
                options,
                spool_directory=home / "tmp",
                rejects_path=rejects_path,
                clock=lambda: datetime.now(UTC),
                progress=progress,
            )
        resolution, lines = (None, []) if dry_run or no_resolve else _resolve(engine, report)
    document = {**report.as_json(), "resolution": resolution}
    show(document, *report_lines(report), *lines, as_json=as_json)


def report_lines(report: ImportReport) -> Iterator[str]:
    """The report for people: counts of each file, then what was refused and why."""
    if report.dry_run:
        yield "Dry run: nothing was stored. An import would give:"
    for each in report.files:
        counts = ", ".join(f"{count:,} {name}" for name, count in each.counts().items())
        yield f"{each.file}: {counts}."
    if report.reject_reasons:
        where = f", in {report.rejects_file}" if report.rejects_file else ""
        yield f"Rejected rows by reason{where}: {_listed(report.reject_reasons)}."
        yield from (f"  {example}" for example in report.reject_examples)
    if report.refused_values:
        yield f"Values not used, of records that were: {_listed(report.refused_values)}."
    if report.transforms_without_effect:
        yield f"Cells left as they were by a transform: {_listed(report.transforms_without_effect)}."
    yield from (f"Note: {note}" for note in report.notes)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _default_workers() -> int:
    return min(WORKERS_AT_MOST, os.cpu_count() or 1)


def _instant(text: str | None) -> datetime | None:
    try:
        return parse_instant(text, UTC) if text else None
    except ValueError as error:
        raise click.BadParameter(
            "a time in ISO form, such as 2026-11-20", param_hint="--occurred-at"
        ) from error


def _rejects_path(home: Path, first: Path, now: datetime) -> Path:
    stem = f"{first.name}-{now:%Y%m%dT%H%M%SZ}"
    path = home / "rejects" / f"{stem}.jsonl"
    number = 2
    while path.exists():
        path = home / "rejects" / f"{stem}-{number}.jsonl"
        number += 1
    return path


def _resolve(engine: Engine, report: ImportReport) -> tuple[ResolutionReport, list[str]]:
    """Resolve everything; the report of it for programs and for people.

    When it fails, what was imported stays imported, and is told.
    """
    # Loaded here: an import that does not resolve can do without the linkage engine, which loads slowly.
    from cdp.commands.resolve import report_lines as resolution_lines
    from cdp.commands.steps import step_display
    from cdp.identity.resolve import resolve_all

    try:
        with step_display("Resolving") as progress:
            resolution = resolve_all(engine, clock=lambda: datetime.now(UTC), author=ACTOR, progress=progress)
    except CdpError:
        for line in report_lines(report):
            click.echo(line, err=True)
        raise
    return resolution, list(resolution_lines(resolution))


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each phase, only when a terminal watches."""
    if not sys.stderr.isatty():
        yield lambda phase, done, total: None
        return
    # Loaded here: who watches can wait for what draws.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def show_done(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bars.add_task(phase, total=total)
            bars.update(tasks[phase], completed=done, total=total)

        yield show_done
