"""`python -m benchmarks [quality] [cost] [score] [parity] [order] [concurrency] [online] [growth] [desk] [--data DIR]
[--seed N] [--sizes N ...] [--people N]`.

Writes docs/results.md, a section a part.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks.compiled import (
    COMPARED_PAIRS,
    GENERATED_PAIRS,
    SCORED_SET,
    Agreement,
    ScoringCost,
    measure_agreement,
    measure_scoring,
)
from benchmarks.concurrency import (
    PEOPLE,
    RECORDS_EACH,
    ConcurrencyMattersError,
    Crowd,
    concurrency_lines,
    empty_databases,
    measure_concurrency,
)
from benchmarks.cost import STEPS, Cost, growth, measure_generated, measure_set
from benchmarks.desk import desk_lines, measure_desk
from benchmarks.online import (
    INGEST_SIZES,
    STORE_RECORDS,
    growth_lines,
    measure_ingest_by_size,
    measure_rates,
    rate_lines,
)
from benchmarks.order import OrderMattersError, measure_order, order_lines
from benchmarks.quality import SETS, Quality, measure_quality

RESULTS = Path("docs/results.md")
PACKAGES = ("splink", "duckdb", "sqlalchemy", "numpy", "rapidfuzz", "phonenumbers")
PARTS = ("quality", "cost", "score", "parity", "order", "concurrency", "online", "growth", "desk")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure; all when left out")
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder of the labelled sets"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[100_000, 1_000_000], help="generated records"
    )
    parser.add_argument("--people", type=int, default=PEOPLE, help="people of the crowd of `concurrency`")
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    given = parser.parse_args(arguments)
    for part in given.parts or PARTS:
        if part == "quality":
            rows = []
            for row in measure_quality(given.data, seed=given.seed, only=tuple(given.sets)):
                print(row, file=sys.stderr, flush=True)
                rows.append(row)
            write_section("Quality", quality_lines(rows, given.seed))
        elif part == "score":
            scoring = measure_scoring(given.data, seed=given.seed)
            print(scoring, file=sys.stderr, flush=True)
            write_section("Scoring a pair", scoring_lines(scoring, given.seed))
        elif part == "parity":
            agreements = []
            for agreement in measure_agreement(given.data, given.sets, seed=given.seed):
                print(agreement, file=sys.stderr, flush=True)
                agreements.append(agreement)
            write_section("Parity", agreement_lines(agreements, given.seed))
            differing = [each.name for each in agreements if each.differing_pairs]
            if differing:
                raise SystemExit(f"Compiled and batch differ on {', '.join(differing)}.")
        elif part == "order":
            brought = []
            try:
                for way in measure_order(given.data, seed=given.seed):
                    print(way, file=sys.stderr, flush=True)
                    brought.append(way)
            except OrderMattersError as error:
                raise SystemExit(str(error)) from error
            write_section("Order", [*order_lines(brought), "", provenance("order", given.seed)])
        elif part == "concurrency":
            write_section("Concurrency", concurrency_section(Crowd(given.people, RECORDS_EACH), given.seed))
        elif part == "online":
            lines = rate_lines(measure_rates(STORE_RECORDS, seed=given.seed))
            print("\n".join(lines), file=sys.stderr, flush=True)
            write_section("Real time", [*lines, "", provenance("online", given.seed)])
        elif part == "growth":
            lines = growth_lines(measure_ingest_by_size(INGEST_SIZES, seed=given.seed))
            print("\n".join(lines), file=sys.stderr, flush=True)
            write_section("One more record", [*lines, "", provenance("growth", given.seed)])
        elif part == "desk":
            desks = []
            with empty_databases() as databases:
                # Each as it is measured: what fails on the second store loses nothing of the first.
                for desk in measure_desk(databases, seed=given.seed):
                    desks.append(desk)
                    lines = desk_lines(desks)
                    print("\n".join(lines), file=sys.stderr, flush=True)
                    write_section("The desk", [*lines, "", provenance("desk", given.seed)])
        else:
            costs = [measure_set(given.data, "omni_share_100k", seed=given.seed)]
            print(costs[0], file=sys.stderr, flush=True)
            for cost in measure_generated(given.sizes, seed=given.seed):
                print(cost, file=sys.stderr, flush=True)
                costs.append(cost)
            write_section("Cost", cost_lines(costs, given.seed))


def concurrency_section(crowd: Crowd, seed: int) -> list[str]:
    rows = []
    try:
        with empty_databases() as databases:
            for row in measure_concurrency(databases, crowd):
                print(row, file=sys.stderr, flush=True)
                rows.append(row)
    except ConcurrencyMattersError as error:
        raise SystemExit(str(error)) from error
    return [*concurrency_lines(rows, crowd), "", provenance("concurrency", seed)]


def quality_lines(rows: Iterable[Quality], seed: int) -> list[str]:
    lines = [
        "One default configuration for all sets, no labels in training (`cdp import`, `cdp train --activate`, "
        "`cdp resolve`, `cdp evaluate`); `prior` is the shipped model before any training, on the same records. "
        "Pairs over whole clusters; intervals from 200 bootstrap replicates over true people. Seconds and memory are "
        "those of import, training and resolving together.",
        "",
        "| set | model | records | precision | recall | F1 | 95 % | B-cubed F1 | seconds | peak memory |",
        "|---|---|---:|---:|---:|---:|---|---:|---:|---:|",
    ]
    for row in rows:
        lines.append(
            f"| {row.name} | {row.model} | {row.records:,} | {row.precision:.4f} | {row.recall:.4f} | {row.f1:.4f} "
            f"| {row.f1_low:.4f} to {row.f1_high:.4f} | {row.bcubed_f1:.4f} "
            f"| {row.seconds:.0f} | {_size(row.peak_bytes)} |"
        )
    return [*lines, "", provenance("quality", seed)]


def cost_lines(rows: Sequence[Cost], seed: int) -> list[str]:
    lines = [
        "Seconds on the clock of each command, start-up included; memory is the sum over its processes.",
        "",
        f"| data | records | {' | '.join(STEPS)} | total | peak memory | store |",
        f"|---|---:|{'---:|' * len(STEPS)}---:|---:|---:|",
    ]
    for row in rows:
        seconds = " | ".join(f"{row.seconds[step]:.0f} s" for step in STEPS)
        lines.append(
            f"| {row.name} | {row.records:,} | {seconds} | {row.total_seconds:.0f} s "
            f"| {_size(max(row.peak_bytes.values()))} | {_size(row.store_bytes)} |"
        )
    generated = sorted(rows[1:], key=lambda row: row.records)
    if len(generated) > 1:
        exponent = growth(generated[0], generated[-1])
        lines += [
            "",
            f"From {generated[0].records:,} to {generated[-1].records:,} records time grows as n^{exponent:.2f}.",
        ]
    return [*lines, "", provenance("cost", seed)]


def scoring_lines(cost: ScoringCost, seed: int) -> list[str]:
    return [
        f"The shipped model on {cost.pairs:,} blocked pairs of `{SCORED_SET}`, compiled to Python, and Splink's "
        f"`compare_records` with its SQL cached, on {cost.calls} of them. Processor time, medians, in one run.",
        "",
        "| step | time |",
        "|---|---:|",
        f"| compile the model, once a process | {cost.compile_seconds * 1e3:.0f} ms |",
        f"| prepare a record | {cost.prepare_seconds * 1e6:.1f} µs |",
        f"| score a pair | {cost.score_seconds * 1e6:.1f} µs |",
        f"| `compare_records` of Splink | {cost.splink_seconds * 1e3:.1f} ms |",
        "",
        f"Splink's call takes {cost.ratio:,.0f} times as long as scoring the pair.",
        "",
        provenance("score", seed),
    ]


def agreement_lines(rows: Iterable[Agreement], seed: int) -> list[str]:
    lines = [
        "The compiled model beside Splink on DuckDB, with a model trained on each set, over up to "
        f"{COMPARED_PAIRS:,} blocked pairs and a fifth as many of any two records, and over {GENERATED_PAIRS:,} "
        "generated pairs: absent, empty and long values and lists, nulls and repeats in lists, dates that are none, "
        "accents in both forms, control characters, terms that the model knows and terms that it does not.",
        "",
        "| set | records | pairs | pairs with another level | greatest difference in weight | levels reached |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        lines.append(
            f"| {row.name} | {row.records:,} | {row.pairs:,} | {row.differing_pairs} "
            f"| {row.greatest_difference:.1e} bits | {row.levels_reached} of {row.levels} |"
        )
    return [*lines, "", provenance("parity", seed)]


def provenance(part: str, seed: int) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    memory = _size(psutil.virtual_memory().total)
    return (
        f"`python -m benchmarks {part}`, {datetime.now(UTC):%Y-%m-%d}, seed {seed}; "
        f"Python {platform.python_version()}, "
        f"{packages}; {os.cpu_count()} cores, {memory}, "
        f"load average {os.getloadavg()[2]:.1f} over the last quarter of an hour."
    )


def write_section(title: str, lines: Sequence[str]) -> None:
    """Replace one section of the results, leaving the others as they are."""
    text = RESULTS.read_text("utf-8") if RESULTS.exists() else "# Results\n\nWritten by `make bench`.\n"
    head, *sections = text.split("\n## ")
    kept = [section for section in sections if not section.startswith(f"{title}\n")]
    kept.append(f"{title}\n\n" + "\n".join(lines) + "\n")
    RESULTS.write_text(
        "\n## ".join([head.rstrip() + "\n", *[f"{section.rstrip()}\n" for section in kept]]), "utf-8"
    )


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


if __name__ == "__main__":
    main()
