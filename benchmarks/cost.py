"""What it costs: a labelled set of 100,000, and generated customers of growing number up to a million."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

from benchmarks.processes import run_cdp

STEPS = ("import", "train", "resolve")
GENERATED = Path("var/benchmarks")


@dataclass(frozen=True)
class Cost:
    """One row: seconds on the clock by step, most memory in any step, size of the store afterwards."""

    name: str
    records: int
    seconds: dict[str, float]
    peak_bytes: dict[str, int]
    store_bytes: int

    @property
    def total_seconds(self) -> float:
        return sum(self.seconds.values())


def measure_set(data: Path, name: str, *, seed: int) -> Cost:
    return _measure(name, data / name / "records.jsonl.gz", seed=seed)


def measure_generated(sizes: Sequence[int], *, seed: int) -> Iterator[Cost]:
    """`cdp demo generate` for each size, its own time not counted, then the three steps.

    The files are kept in GENERATED for the next time: the same size and seed give the same bytes.
    """
    for size in sizes:
        out = GENERATED / f"{size}-{seed}"
        if not (out / "truth.csv").exists():
            arguments = ("--records", str(size), "--seed", str(seed), "--out", str(out))
            run_cdp("demo", "generate", *arguments, home=out)
        yield _measure("generated", out / "records.jsonl.gz", seed=seed)


def growth(smaller: Cost, larger: Cost) -> float:
    """The exponent k of time = n^k between two sizes."""
    return log(larger.total_seconds / smaller.total_seconds) / log(larger.records / smaller.records)


def _measure(name: str, records: Path, *, seed: int) -> Cost:
    with tempfile.TemporaryDirectory(prefix="cdp-cost-") as directory:
        home = Path(directory)
        run_cdp("migrate", home=home)
        measured = {
            "import": run_cdp("import", str(records), "--no-resolve", home=home),
            "train": run_cdp("train", "--activate", "--seed", str(seed), home=home),
            "resolve": run_cdp("resolve", home=home),
        }
        return Cost(
            name=name,
            records=measured["train"].output["record_count"],
            seconds={step: measured[step].seconds for step in STEPS},
            peak_bytes={step: measured[step].peak_bytes for step in STEPS},
            store_bytes=sum(path.stat().st_size for path in home.glob("*.db*")),
        )
