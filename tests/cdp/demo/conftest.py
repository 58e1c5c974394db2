"""One demo for all tests that only read it."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cdp.demo import DemoSummary, generate_demo

RECORD_COUNT = 6_000


@dataclass(frozen=True)
class Demo:
    """What the four files hold."""

    summary: DemoSummary
    records: list[dict[str, Any]]
    truth: list[dict[str, str]]
    interactions: list[dict[str, Any]]
    interactions_truth: list[dict[str, str]]

    @property
    def flags(self) -> list[list[str]]:
        return [row["flags"].split("|") if row["flags"] else [] for row in self.truth]


def read_demo(directory: Path, summary: DemoSummary) -> Demo:
    return Demo(
        summary,
        read_json_lines(directory / "records.jsonl.gz"),
        list(csv.DictReader((directory / "truth.csv").read_text("utf-8").splitlines())),
        read_json_lines(directory / "interactions.jsonl.gz"),
        list(
            csv.DictReader(
                gzip.decompress((directory / "interactions_truth.csv.gz").read_bytes()).decode().splitlines()
            )
        ),
    )


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Long enough for two blocks."""
    directory = tmp_path_factory.mktemp("demo")
    return read_demo(directory, generate_demo(directory, record_count=RECORD_COUNT, seed=11))
