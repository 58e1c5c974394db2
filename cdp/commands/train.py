"""`cdp train`: a new model version from the records in the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.commands.steps import step_display
from cdp.identity.train import require_specification, train_model

ACTOR = "command:train"


@click.command()
@click.option(
    "--spec", "specification_path", type=click.Path(path_type=Path), help="A specification of your own."
)
@click.option("--seed", default=1, show_default=True, help="Same records, labels and seed, same model.")
@click.option(
    "--labels/--no-labels",
    "use_labels",
    default=True,
    show_default=True,
    help="Let pairs that stewards decided to be one person correct the model.",
)
@click.option("--activate", is_flag=True, help="Put the new version in force.")
@json_option
def train(
    *, specification_path: Path | None, seed: int, use_labels: bool, activate: bool, as_json: bool
) -> None:
    """Train a model version on the source records in the store."""
    specification = require_specification(specification_path)
    with configured_store() as engine, step_display("Training") as progress:
        trained = train_model(
            engine,
            specification,
            seed=seed,
            author=ACTOR,
            now=datetime.now(UTC),
            activate=activate,
            use_labels=use_labels,
            progress=progress,
        )
    version = trained.model.version
    document = {"model_version": version, "active": trained.is_active, **trained.report}
    show(document, *_lines(version, trained.is_active, trained.report), as_json=as_json)


def _lines(version: int, is_active: bool, report: Mapping[str, Any]) -> Iterator[str]:
    probability = report["match_probability"]
    yield f"Model version {version}, from {report['record_count']:,} records with seed {report['seed']}."
    yield f"Two random records match with probability {probability:.3g} (one in {1 / probability:,.0f})."
    labels = report["labels"]
    if any(labels.values()):
        yield f"Decisions of stewards: {labels['used']:,} pairs used, {labels['left_out']:,} left out."
    for session in report["sessions"]:
        yield f"  block {session['rule']}: {session['pairs']:,} pairs, {session['match_share']:.1%} matches"
    yield f"{'comparison and level':52} {'m':>9} {'u':>11} {'bits':>7}"
    for comparison in report["comparisons"]:
        for level in comparison["levels"]:
            name = f"{comparison['name']}: {level['label']}"
            yield f"{name[:52]:52} {level['m']:9.5f} {level['u']:11.3g} {level['weight']:+7.2f}"
    if is_active:
        yield f"Version {version} is in force for the next `cdp resolve`; profiles keep theirs until then."
    else:
        yield f"See what it would change: `cdp resolve --model {version} --dry-run`."
