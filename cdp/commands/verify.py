"""`cdp verify`: every invariant of the store, one line for each breach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click

from cdp.commands.configured import configured_store, seal_what_waits
from cdp.commands.output import json_option, show
from cdp.commands.steps import step_display
from cdp.identity.verify import PARTITION_AT_MOST, Verification, verify_store
from cdp.realtime.disagreement import Disagreement
from cdp.realtime.verify_sample import verify_sample


@click.command()
@click.option(
    "--full",
    "partition",
    flag_value=True,
    default=None,
    help=f"Resolve everything anew and compare, above {PARTITION_AT_MOST:,} records too.",
)
@click.option("--no-partition", "partition", flag_value=False, help="Leave that comparison out.")
@click.option(
    "--sample", "sample_size", type=click.IntRange(1), help="Compare the people of so many records only."
)
@click.option("--seed", default=1, show_default=True, help="Of the sample: same store and seed, same sample.")
@json_option
@click.pass_context
def verify(
    context: click.Context, *, partition: bool | None, sample_size: int | None, seed: int, as_json: bool
) -> None:
    """Check every invariant of the store; exit code 1 when one is broken. Changes no data; seals the audit first."""
    if partition is not None and sample_size is not None:
        raise click.UsageError("--sample stands in place of --full and --no-partition.")
    measured = None
    with configured_store() as engine, step_display("Verifying", is_brief=True) as progress:
        seal_what_waits(engine)
        if sample_size is None:
            verification = verify_store(engine, partition=partition, progress=progress)
        else:
            sampled = verify_sample(engine, sample_size=sample_size, seed=seed, progress=progress)
            verification, measured = sampled.verification, sampled.measured
    show(
        _document(verification, measured, seed), *verification_lines(verification, measured), as_json=as_json
    )
    if verification.breaches:
        context.exit(1)


def verification_lines(verification: Verification, measured: Disagreement | None) -> Iterator[str]:
    """The outcome for people."""
    for breach in verification.breaches:
        yield f"{breach.check}: {breach.message}"
    for name, reason in verification.skipped.items():
        yield f"{name}: not checked, {reason}."
    for name, note in verification.notes.items():
        yield f"Note on {name}: {note}."
    if measured is not None and measured.waiting:
        yield f"Note on partition: {measured.waiting:,} sampled records are left out, the queue may change them."
    if verification.disagreement is not None:
        of = "records" if measured is None else f"{measured.sampled:,} sampled records"
        yield f"Disagreement: the people of {verification.disagreement:.4%} of {of} differ."
    sound = [name for name, count in verification.checks.items() if count == 0]
    yield f"{len(sound)} of {len(verification.checks)} checks found nothing: {', '.join(sound)}."


def _document(verification: Verification, measured: Disagreement | None, seed: int) -> dict[str, object]:
    sample = None
    if measured is not None:
        sample = {
            "seed": seed,
            "records": measured.sampled,
            "waiting": measured.waiting,
            "differing": measured.differing,
        }
    return {
        "ok": not verification.breaches,
        "checks": verification.checks,
        "skipped": verification.skipped,
        "notes": verification.notes,
        "disagreement": verification.disagreement,
        "sample": sample,
        "breaches": [asdict(breach) for breach in verification.breaches],
    }
