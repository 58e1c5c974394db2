"""Order: the same records one by one in random orders, in batches and all at once make the same people."""

from __future__ import annotations

import gzip
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine

from benchmarks.findings import Findings, differences, findings
from benchmarks.processes import run_cdp
from cdp.identity.models import insert_model, replace_activation, select_active_model
from cdp.identity.sources import insert_sources, select_sources
from cdp.realtime.incoming import take_record
from cdp.realtime.ingest import Resolver, ingest_records
from cdp.realtime.known_sources import select_known_sources
from cdp.realtime.online_models import OnlineModels
from cdp.realtime.redo import drain_redo
from cdp.store import open_store, read, write

ORDER_SET = "omni_share_10k"
ORDERS = 3
BATCH_SIZE = 1_000
DRAINED_AT_ONCE = 100

Raw = dict[str, Any]


class OrderMattersError(Exception):
    """Two ways to bring the same records ended in different stores."""


@dataclass(frozen=True)
class Way:
    """One way to bring the records: in what order, how many at once. seed: None for the order of the file."""

    name: str
    seed: int | None
    at_once: int


@dataclass(frozen=True)
class Brought:
    """What became of it. Seconds are of this process and of the clock; drained: records that waited at the end."""

    name: str
    seed: int | None
    records: int
    people: int
    drained: int
    processor_seconds: float | None
    seconds: float
    found: Findings = field(repr=False)


def measure_order(data: Path, *, seed: int, limit: int | None = None) -> Iterator[Brought]:
    """The set imported, trained and resolved at once, then brought to empty stores with that model, way by way.

    Raises OrderMattersError with the first difference, and where `cdp verify --full` finds a breach.
    """
    with tempfile.TemporaryDirectory(prefix="cdp-order-") as directory:
        whole = Path(directory) / "whole"
        path = _first_records(data / ORDER_SET / "records.jsonl.gz", whole, limit)
        run_cdp("migrate", home=whole)
        run_cdp("import", str(path), "--no-resolve", home=whole)
        run_cdp("train", "--activate", "--seed", str(seed), home=whole)
        raws = list(_read(path))
        resolved = _resolve(whole, len(raws))
        yield resolved
        ways = [
            *(Way("one by one", seed + place, 1) for place in range(ORDERS)),
            Way(f"in batches of {BATCH_SIZE:,}", None, BATCH_SIZE),
        ]
        for number, way in enumerate(ways):
            home = Path(directory) / str(number)
            _prepare_empty(home, whole)
            brought = _bring(home, raws, way)
            _require_same(resolved, brought)
            shutil.rmtree(home)
            yield brought


def order_lines(rows: Sequence[Brought]) -> list[str]:
    lines = [
        f"`{ORDER_SET}` brought to empty stores under one trained model; what waits in the queue is resolved at the "
        "end. The people, merge candidates, edges with their weights, blocking keys, holders of values and shared "
        "values of all stores are identical, and `cdp verify --full` finds no breach in any. Seconds of the one "
        "process that brings the records, and on the clock.",
        "",
        "| way | seed | records | people | waited at the end | processor | clock |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        processor = "" if row.processor_seconds is None else f"{row.processor_seconds:.0f} s"
        lines.append(
            f"| {row.name} | {'' if row.seed is None else row.seed} | {row.records:,} | {row.people:,} "
            f"| {row.drained:,} | {processor} | {row.seconds:.0f} s |"
        )
    return lines


def _first_records(path: Path, home: Path, limit: int | None) -> Path:
    """The file, or one with its first records."""
    home.mkdir()
    if limit is None:
        return path
    shorter = home / "records.jsonl.gz"
    with gzip.open(path) as file, gzip.open(shorter, "wb") as kept:
        kept.writelines(line for _, line in zip(range(limit), file, strict=False))
    return shorter


def _read(path: Path) -> Iterator[Raw]:
    with gzip.open(path) as file:
        for line in file:
            yield orjson.loads(line)


def _resolve(home: Path, record_count: int) -> Brought:
    resolved = run_cdp("resolve", home=home)
    _verify(home, "cdp resolve")
    with _opened(home) as engine:
        found = findings(engine)
    return Brought("`cdp resolve`", None, record_count, len(found.people), 0, None, resolved.seconds, found)


def _prepare_empty(home: Path, like: Path) -> None:
    """A store without records, with the sources and the model in force of another."""
    home.mkdir()
    run_cdp("migrate", home=home)
    now = datetime.now(UTC)
    with _opened(like) as other, read(other) as connection:
        model, sources = select_active_model(connection), select_sources(connection)
    assert model is not None
    with _opened(home) as engine, write(engine) as connection:
        insert_model(connection, model, label="the same", report={}, seed=0, record_count=0, now=now)
        replace_activation(connection, model.version, author="benchmark", reason="order", now=now)
        insert_sources(connection, sources.values(), now=now)


def _bring(home: Path, raws: Sequence[Raw], way: Way) -> Brought:
    ordered = list(raws) if way.seed is None else random.Random(way.seed).sample(raws, len(raws))
    with _opened(home) as engine:
        began, began_on_clock = time.process_time(), time.perf_counter()
        drained = feed(engine, ordered, way.at_once)
        processor, seconds = time.process_time() - began, time.perf_counter() - began_on_clock
        found = findings(engine)
    _verify(home, way.name)
    people = len(found.people)
    return Brought(way.name, way.seed, len(raws), people, drained, processor, seconds, found)


def feed(engine: Engine, raws: Sequence[Raw], at_once: int) -> int:
    """Bring the records and resolve what waits then; returns how many that were."""
    with read(engine) as connection:
        sources = select_known_sources(connection, raws, allowed=None)
    resolver = Resolver(engine, OnlineModels())
    for start in range(0, len(raws), at_once):
        now = datetime.now(UTC)
        taken = [take_record(raw, sources, now=now) for raw in raws[start : start + at_once]]
        ingest_records(resolver, taken, author="benchmark", now=now)
    drained = 0
    while done := drain_redo(resolver, at_most=DRAINED_AT_ONCE, now=datetime.now(UTC)).taken:
        drained += done
    return drained


def _require_same(resolved: Brought, brought: Brought) -> None:
    told = next(differences(resolved.found, brought.found), None)
    if told is not None:
        raise OrderMattersError(f"All at once and {brought.name}, seed {brought.seed}: {told}")


def _verify(home: Path, name: str) -> None:
    try:
        run_cdp("verify", "--full", home=home)
    except subprocess.CalledProcessError as error:
        raise OrderMattersError(f"cdp verify --full after {name}: {error.output}{error.stderr}") from error


@contextmanager
def _opened(home: Path) -> Iterator[Engine]:
    engine = open_store(f"sqlite:///{home / 'cdp.db'}")
    try:
        yield engine
    finally:
        engine.dispose()
