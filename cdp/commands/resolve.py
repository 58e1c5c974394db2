"""`cdp resolve`: all records into profiles, or what that would change."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.commands.steps import step_display
from cdp.errors import CdpError
from cdp.identity.preview import Preview
from cdp.identity.resolve import ResolutionReport, resolve_all

ACTOR = "command:resolve"
# Of each kind of change, and ids of each: people are told so many, the JSON all.
SHOWN = 10


class EngineMissingError(CdpError):
    reason = "engine_missing"


@click.command()
@click.option(
    "--engine",
    "engine_name",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What computes; Spark is not part of this release.",
)
@click.option("--model", "model_version", type=click.IntRange(0), help="A version other than that in force.")
@click.option("--dry-run", is_flag=True, help="Show what would join, split, move; change nothing.")
@json_option
def resolve(*, engine_name: str, model_version: int | None, dry_run: bool, as_json: bool) -> None:
    """Resolve all records into profiles.

    With --model another version comes into force, together with the profiles it makes.
    """
    if engine_name == "spark":
        raise EngineMissingError(
            "The Spark engine is not part of this release: leave --engine out to resolve with DuckDB."
        )
    # Records and clusters make no cycles; looking for some took a fifteenth of the time.
    gc.set_threshold(50_000, 50, 50)
    with configured_store() as engine, step_display("Resolving") as progress:
        report = resolve_all(
            engine,
            model_version=model_version,
            clock=lambda: datetime.now(UTC),
            dry_run=dry_run,
            author=ACTOR,
            progress=progress,
        )
    show(report, *report_lines(report), as_json=as_json)


def report_lines(report: ResolutionReport) -> Iterator[str]:
    """The report for people."""
    counts = report["counts"]
    yield (
        f"{counts['records']:,} records, {counts['clusters']:,} profiles "
        f"(model version {report['model_version']}, {counts['blocked_pairs']:,} pairs compared, "
        f"{counts['edges']:,} edges, largest profile {counts['largest_cluster']:,} records)."
    )
    if report["changes"] is not None:
        changes = ", ".join(
            f"{name.replace('_', ' ')} {count:,}" for name, count in report["changes"].items()
        )
        yield f"Run {report['run_id']} changed: {changes}."
    if report["preview"] is not None:
        yield from _preview_lines(report["preview"])


def _preview_lines(preview: Preview) -> Iterator[str]:
    changes = ", ".join(f"{name} {count:,}" for name, count in preview["changes"].items())
    yield f"Dry run, nothing was changed. A run would: {changes}; {preview['candidates']:,} merge candidates."
    for kind, examples in preview["examples"].items():
        for example in examples[:SHOWN]:
            told = ", ".join(
                f"{name.replace('_', ' ')} {_ids(example[name])}"
                for name in ("absorbed", "parted_from", "records")
                if example.get(name)
            )
            yield f"  {kind} {example['profile_id']}: {told}"
        yield from _more(kind, len(examples))
    if preview["contradicted"]:
        yield f"The weights speak against {preview['contradicted']:,} steward decisions, which hold:"
        for each in preview["contradictions"][:SHOWN]:
            yield f"  {each['kind']}-link of records {each['record_id_l']} and {each['record_id_r']}"
        yield from _more("decision", preview["contradicted"])


def _ids(ids: Sequence[object]) -> str:
    return " ".join([*map(str, ids[:SHOWN]), *(["..."] if len(ids) > SHOWN else [])])


def _more(kind: str, count: int) -> Iterator[str]:
    if count > SHOWN:
        yield f"  {kind}: {count - SHOWN:,} more; --json tells all"
