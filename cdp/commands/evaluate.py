"""`cdp evaluate`: the profiles of the store scored against a truth file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.commands.progress import progress_bar
from cdp.identity.evaluate import evaluate_profiles
from cdp.intake.truth import read_truth
from resolution.evaluation import Evaluation, Part, describe_evaluation

MEASURES = {
    "pair precision": "precision",
    "pair recall": "recall",
    "pair F1": "f1",
    "B-cubed precision": "bcubed_precision",
    "B-cubed recall": "bcubed_recall",
    "B-cubed F1": "bcubed_f1",
}
# A profile's id is whole in one line of it.
MOST_NAME_WIDTH = 30


@click.command()
@click.option(
    "--truth",
    required=True,
    type=click.Path(path_type=Path),
    help="File with the columns source, source_record_id, entity_id and perhaps flags.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the intervals.")
@click.option(
    "--shown",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many of the worst to list.",
)
@json_option
def evaluate(*, truth: Path, seed: int, shown: int, as_json: bool) -> None:
    """Score the profiles of the store over whole clusters, with 95 % intervals."""
    known = read_truth(truth)
    with configured_store() as engine, progress_bar("memberships", None) as on_progress:
        evaluation = evaluate_profiles(engine, known, seed=seed, shown=shown, on_progress=on_progress)
    if as_json:
        show(describe_evaluation(evaluation), as_json=True)
        return
    console = Console()
    for table in tables_of(evaluation):
        console.print(table)


def tables_of(evaluation: Evaluation) -> Iterator[Table]:
    """The evaluation as tables; lists without an entry are left out."""
    yield counts_table(evaluation)
    yield measures_table(evaluation)
    if evaluation.worst_clusters:
        rows = [
            (each.label, each.record_count, each.wrong_pairs, parts_text(each.entities))
            for each in evaluation.worst_clusters
        ]
        yield make_table("Profiles that mix most", ("profile", "records", "wrong pairs", "entities"), rows)
    if evaluation.most_split_entities:
        rows = [
            (each.label, each.record_count, each.missed_pairs, parts_text(each.clusters))
            for each in evaluation.most_split_entities
        ]
        yield make_table("Entities split most", ("entity", "records", "missed pairs", "profiles"), rows)
    if evaluation.errors_by_flag:
        yield flags_table(evaluation)


def counts_table(evaluation: Evaluation) -> Table:
    counts = (
        ("records", evaluation.record_count),
        ("of them without a profile", evaluation.unpredicted_count),
        ("records not in the truth", evaluation.ignored_count),
        ("entities", evaluation.entity_count),
        ("profiles", evaluation.cluster_count),
        ("true pairs", evaluation.true_pairs),
        ("predicted pairs", evaluation.predicted_pairs),
        ("correct pairs", evaluation.correct_pairs),
    )
    return make_table("Compared", ("what", "count"), counts)


def measures_table(evaluation: Evaluation) -> Table:
    measures = ((name, getattr(evaluation, attribute)) for name, attribute in MEASURES.items())
    rows = [
        (name, f"{measure.value:.4f}", f"{measure.low:.4f} to {measure.high:.4f}")
        for name, measure in measures
    ]
    return make_table("Over whole clusters", ("measure", "value", "95 % interval"), rows)


def flags_table(evaluation: Evaluation) -> Table:
    """The share of errors that touch a flag, beside the share of all pairs that do."""
    rows = [
        (
            each.flag,
            each.record_count,
            each.missed_pairs,
            f"{each.missed_share:.1%} / {each.missed_base_rate:.1%}",
            each.wrong_pairs,
            f"{each.wrong_share:.1%} / {each.wrong_base_rate:.1%}",
        )
        for each in evaluation.errors_by_flag
    ]
    columns = ("flag", "records", "missed pairs", "share / base", "wrong pairs", "share / base")
    return make_table("Errors by cause", columns, rows)


def make_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | int]]) -> Table:
    """Numbers with separators, to the right. What does not fit goes on in the next line, names last of all."""
    table = Table(title=title, title_justify="left")
    name_width = max(len(str(row[0])) for row in rows)
    table.add_column(columns[0], overflow="fold", no_wrap=name_width <= MOST_NAME_WIDTH)
    for name in columns[1:]:
        table.add_column(name, justify="right", overflow="fold")
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else cell for cell in row))
    return table


def parts_text(parts: Sequence[Part]) -> str:
    return ", ".join(f"{part.label or 'no profile'} ({part.record_count})" for part in parts)
