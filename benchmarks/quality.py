"""Quality on the labelled sets: import, train, resolve, evaluate, with one default configuration for all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Measured, run_cdp

SETS = (
    "omni_share_10k",
    "omni_share_100k",
    "splink_historical_50k",
    "febrl3",
    "febrl4",
    "splink_fake_1000",
    "rosas_br_silver",
)


@dataclass(frozen=True)
class Quality:
    """One row: a set under a model, over whole clusters. Seconds and memory are of import, training and resolving."""

    name: str
    model: str
    records: int
    precision: float
    recall: float
    f1: float
    f1_low: float
    f1_high: float
    bcubed_f1: float
    seconds: float
    peak_bytes: int


def measure_quality(data: Path, *, seed: int, only: tuple[str, ...] = SETS) -> Iterator[Quality]:
    """Every set with the trained model and then, on the same records, with the prior model."""
    for name in only:
        with tempfile.TemporaryDirectory(prefix="cdp-quality-") as directory:
            home = Path(directory)
            run_cdp("migrate", home=home)
            imported = run_cdp("import", str(data / name / "records.jsonl.gz"), "--no-resolve", home=home)
            trained = run_cdp("train", "--activate", "--seed", str(seed), home=home)
            resolved = run_cdp("resolve", home=home)
            steps = (imported, trained, resolved)
            yield _quality(name, "trained", data, home, steps)
            yield _quality(
                name, "prior", data, home, (imported, run_cdp("resolve", "--model", "0", home=home))
            )


def _quality(name: str, model: str, data: Path, home: Path, steps: Sequence[Measured]) -> Quality:
    found = run_cdp("evaluate", "--truth", str(data / name / "truth.csv"), home=home).output
    return Quality(
        name=name,
        model=model,
        records=found["record_count"],
        precision=found["precision"]["value"],
        recall=found["recall"]["value"],
        f1=found["f1"]["value"],
        f1_low=found["f1"]["low"],
        f1_high=found["f1"]["high"],
        bcubed_f1=found["bcubed_f1"]["value"],
        seconds=sum(step.seconds for step in steps),
        peak_bytes=max(step.peak_bytes for step in steps),
    )
