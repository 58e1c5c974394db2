"""`cdp verify`: every invariant of the store, one line for each breach."""

from __future__ import annotations

from dataclasses import asdict

import click

from cdp.commands.configured import configured_store, seal_what_waits
from cdp.commands.output import json_option, show
from cdp.commands.steps import step_display
from cdp.identity.verify import PARTITION_AT_MOST, verify_store


@click.command()
@click.option(
    "--full",
    "partition",
    flag_value=True,
    default=None,
    help=f"Resolve everything anew and compare, above {PARTITION_AT_MOST:,} records too.",
)
@click.option("--no-partition", "partition", flag_value=False, help="Leave that comparison out.")
@json_option
@click.pass_context
def verify(context: click.Context, *, partition: bool | None, as_json: bool) -> None:
    """Check every invariant of the store; exit code 1 when one is broken. Changes no data; seals the audit first."""
    with configured_store() as engine, step_display("Verifying") as progress:
        seal_what_waits(engine)
        verification = verify_store(engine, partition=partition, progress=progress)
    lines = [f"{breach.check}: {breach.message}" for breach in verification.breaches]
    lines += [f"{name}: not checked, {reason}." for name, reason in verification.skipped.items()]
    sound = [name for name, count in verification.checks.items() if count == 0]
    lines.append(f"{len(sound)} of {len(verification.checks)} checks found nothing: {', '.join(sound)}.")
    document = {
        "ok": not verification.breaches,
        "checks": verification.checks,
        "skipped": verification.skipped,
        "breaches": [asdict(breach) for breach in verification.breaches],
    }
    show(document, *lines, as_json=as_json)
    if verification.breaches:
        context.exit(1)
