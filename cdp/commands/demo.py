"""`cdp demo`: invented customers to try the service with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from cdp.commands.output import json_option, show
from cdp.commands.progress import progress_bar


@click.group()
def demo() -> None:
    """Make and show demo customers."""


@demo.command("generate")
@click.option("--records", required=True, type=click.IntRange(min=1), help="How many source records.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same files."
)
@click.option(
    "--out",
    "directory",
    required=True,
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    help="Directory for the files; made when it is not there.",
)
@json_option
def generate(*, records: int, seed: int, directory: Path, as_json: bool) -> None:
    """Write synthetic omnichannel customers, their interactions, and the truth about both."""
    from cdp.demo import generate_demo  # Loaded here: numpy is slow to load and only this command needs it.

    try:
        with progress_bar("records", records) as on_progress:
            summary = generate_demo(directory, record_count=records, seed=seed, on_progress=on_progress)
    except OSError as error:
        raise click.ClickException(f"Cannot write to {directory}: {error.strerror or error}.") from error
    told = (
        f"{summary.records} records of {summary.people} people and {summary.interactions} interactions"
        f" in {directory}, seed {seed}."
    )
    show({**asdict(summary), "seed": seed, "directory": str(directory)}, told, as_json=as_json)
