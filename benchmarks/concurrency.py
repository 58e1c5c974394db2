"""Concurrency: eight processes that bring the same people at the same time find the people that one alone finds."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerContext
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, text

from benchmarks.findings import Findings, differences, findings
from cdp.identity.models import insert_model, replace_activation
from cdp.identity.sources import NewSource, insert_sources
from cdp.identity.verify import verify_store
from cdp.privacy.audit import seal_audit
from cdp.realtime.incoming import take_record
from cdp.realtime.ingest import Resolver
from cdp.realtime.ingest_queue import IngestQueue
from cdp.realtime.known_sources import select_known_sources
from cdp.realtime.online_models import OnlineModels
from cdp.realtime.receive import drain_what_waits
from cdp.realtime.redo import drain_redo
from cdp.store import migrate, open_store, read, write
from cdp.store.schema import source_records
from resolution import default_specification_text, initial_model, parse_specification
from resolution.standardize import SourceSettings

PROCESSES = 8
PEOPLE = 500
RECORDS_EACH = 10
SOURCES = ("shop", "web")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
# Each process also resolves what waits, as the server does at the end of a batch.
DELIVERIES_BETWEEN_DRAINS = 40
SECONDS_BETWEEN_REPORTS = 30.0
# A client sends again when the store is busy; here it waits, on a machine that does other things too.
PATIENCE_SECONDS = 600.0
# One process alone has nobody to meet, and in batches it takes a tenth of the time.
ALONE_AT_ONCE = 200
# People of one shop, who leave its number and address now and then.
SHOP_SIZE = 24
# Families of three and of six in turn: some below the limits of sharing and some above.
TWO_FAMILIES, SMALL_FAMILY = 9, 3

_GIVEN = (
    *("Ana", "Bia", "Caio", "Davi", "Eva", "Fabio", "Gil", "Helena"),
    *("Igor", "Julia", "Karina", "Leo", "Marta", "Nuno", "Olga", "Paulo"),
)
_FAMILY = ("Reis", "Lima", "Prado", "Moura", "Campos", "Barbosa", "Dantas", "Klein", "Peixoto", "Okamoto")

Raw = dict[str, Any]


class ConcurrencyMattersError(Exception):
    """Several processes made something else of the records than one did."""


@dataclass(frozen=True)
class Crowd:
    """How many people there are, and how many records of each."""

    people: int
    records_each: int

    @property
    def records(self) -> int:
        return self.people * self.records_each


@dataclass(frozen=True)
class BroughtAtOnce:
    """What came of one way. waited: records the queue still held at the end; deadlocks: as the database counts."""

    database: str
    processes: int
    records: int
    deliveries: int
    waited: int
    deadlocks: int
    seconds: float
    found: Findings = field(repr=False)

    @property
    def values_by_sharing(self) -> Counter[str]:
        return Counter(sharing for _, _, _, sharing in self.found.shared)


def measure_concurrency(databases: Sequence[tuple[str, str]], crowd: Crowd) -> Iterator[BroughtAtOnce]:
    """One process alone on SQLite, then eight at once on each database: its name and the URL of an empty one.

    Raises ConcurrencyMattersError with the first difference.
    """
    with tempfile.TemporaryDirectory(prefix="cdp-concurrency-") as directory:
        alone = _measured("SQLite", f"sqlite:///{directory}/alone.db", crowd, processes=1)
        yield alone
        for name, url in databases:
            together = _measured(name, url, crowd, processes=PROCESSES)
            told = next(differences(alone.found, together.found), None)
            if told is not None:
                raise ConcurrencyMattersError(
                    f"One process (first) and {PROCESSES} on {name} (second): {told}"
                )
            yield together


def concurrency_lines(rows: Sequence[BroughtAtOnce], crowd: Crowd) -> list[str]:
    lines = [
        f"{crowd.records:,} records of {crowd.people:,} people, shuffled, a tenth of them told again later with other "
        "values and a third of all delivered twice: by eight processes one by one, which also drain the queue, and by "
        f"one alone in batches of {ALONE_AT_ONCE}. "
        "Families share a phone and an address, and a shop's own cross the limits on the way. People, merge "
        "candidates, edges with their weights, blocking keys, holders and shared values are those of one process "
        "alone; no record is missing or in two profiles; `cdp verify --full` finds no breach.",
        "",
        "| database | processes | deliveries | records | profiles | shared values | generic values "
        "| waited at the end | deadlocks | clock |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        by_sharing = row.values_by_sharing
        lines.append(
            f"| {row.database} | {row.processes} | {row.deliveries:,} | {row.records:,} "
            f"| {len(row.found.people):,} | {by_sharing['shared']:,} | {by_sharing['generic']:,} "
            f"| {row.waited:,} | {row.deadlocks} | {row.seconds:.0f} s |"
        )
    return lines


def deliveries_of_people(crowd: Crowd) -> list[Raw]:
    """Each record once, and every tenth once more as it was told later."""
    chance = random.Random(11)
    deliveries = []
    for person in range(crowd.people):
        for number in range(crowd.records_each):
            source = chance.choice(SOURCES)
            for day in (0, 30) if chance.random() < 0.1 else (0,):
                occurred_at = (NOW - timedelta(days=100 - day)).isoformat()
                head = {
                    "source": source,
                    "source_record_id": f"{person}-{number}",
                    "occurred_at": occurred_at,
                }
                deliveries.append(head | _told(person, chance))
    return deliveries


def share_of(crowd: Crowd, share: int, processes: int) -> list[Raw]:
    """What one process brings, in its own order: its part of all deliveries, and a third as many that anyone brings."""
    chance = random.Random(share)
    deliveries = deliveries_of_people(crowd)
    mine = deliveries[share::processes] + chance.sample(deliveries, len(deliveries) // (3 * processes))
    return chance.sample(mine, len(mine))


def bring(url: str, share: int, processes: int, crowd: Crowd, brought: Synchronized[int]) -> None:
    """What one process does. Brought: counts the deliveries of all."""
    deliveries = share_of(crowd, share, processes)
    engine = open_store(url, timeout_seconds=PATIENCE_SECONDS)
    with read(engine) as connection:
        sources = select_known_sources(connection, deliveries, allowed=None)
    resolver, queue = Resolver(engine, OnlineModels()), IngestQueue()
    at_once = ALONE_AT_ONCE if processes == 1 else 1
    for start in range(0, len(deliveries), at_once):
        records = [take_record(raw, sources, now=NOW) for raw in deliveries[start : start + at_once]]
        queue.ingest(resolver, records, author="crowd", now=NOW)
        if (start + at_once) % DELIVERIES_BETWEEN_DRAINS == 0:
            drain_what_waits(resolver, NOW)
        with brought.get_lock():
            brought.value += len(records)
    engine.dispose()


def process_context() -> ForkServerContext:
    """Processes that begin with what they need imported: importing it took each longer than its work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def bring_at_once(
    url: str,
    crowd: Crowd,
    *,
    processes: int,
    within_seconds: float,
    report: Callable[[int], None] = lambda _: None,
) -> list[int | None]:
    """Bring all deliveries in as many processes; returns their exit codes, None of one that did not end in time.

    Report: told now and then how many deliveries are done.
    """
    context = process_context()
    brought: Synchronized[int] = context.Value("i", 0)
    started = [
        context.Process(target=bring, args=(url, share, processes, crowd, brought))
        for share in range(processes)
    ]
    last_moment = time.monotonic() + within_seconds
    for process in started:
        process.start()
    while running := [process for process in started if process.is_alive()]:
        left = last_moment - time.monotonic()
        if left <= 0:
            break
        running[0].join(min(left, SECONDS_BETWEEN_REPORTS))
        report(brought.value)
    codes = [process.exitcode for process in started]
    for process in started:
        process.kill()
        process.join()
    return codes


def drain(engine: Engine) -> int:
    """Resolve all that waits; returns how many records that were."""
    resolver, total = Resolver(engine, OnlineModels()), 0
    while taken := drain_redo(resolver, at_most=100, now=NOW).taken:
        total += taken
    return total


def require_whole(engine: Engine, crowd: Crowd, found: Findings) -> None:
    """Raises ConcurrencyMattersError where a record is lost or in two profiles, or verification finds a breach."""
    with read(engine) as connection:
        kept = connection.scalars(select(func.count()).select_from(source_records)).one()
    members = [key for keys in found.people for key in keys]
    if not kept == len(members) == len(set(members)) == crowd.records:
        raise ConcurrencyMattersError(
            f"Of {crowd.records:,} records {kept:,} are stored, and {len(set(members)):,} are in profiles "
            f"{len(members):,} times."
        )
    seal_audit(engine)
    verification = verify_store(engine, partition=True)
    if verification.breaches or verification.skipped:
        raise ConcurrencyMattersError(f"Verification: {verification.breaches or verification.skipped}")


@contextmanager
def empty_databases() -> Iterator[list[tuple[str, str]]]:
    """Name and URL of an empty store on SQLite, and of one on PostgreSQL.

    Raises NoPostgresError when there is no server to start.
    """
    # The throw-away server is the tests' own; nothing else of them is wanted here.
    from tests.postgres import start_cluster

    directory = Path(tempfile.mkdtemp(prefix="cdp-concurrency-"))
    try:
        cluster = start_cluster()
        try:
            cluster.execute("CREATE DATABASE concurrency")
            yield [
                ("SQLite", f"sqlite:///{directory / 'cdp.db'}"),
                ("PostgreSQL", cluster.url("concurrency")),
            ]
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _told(person: int, chance: random.Random) -> Raw:
    """Some of what a person would say, and always something that names them."""
    place, pair = person % TWO_FAMILIES, person // TWO_FAMILIES
    family = 2 * pair + (place >= SMALL_FAMILY)
    shop = person // SHOP_SIZE
    phones = {
        f"11 9{70_000_000 + person}": 0.4,
        f"11 3{4_000_000 + family:07}": 0.3,
        f"11 2{1_000_000 + shop}": 0.1,
    }
    emails = {f"p{person}@example.com": 0.4, f"home{family}@example.com": 0.3, f"shop{shop}@example.com": 0.1}
    told: Raw = {
        "phones": [phone for phone, share in phones.items() if chance.random() < share],
        "emails": [email for email, share in emails.items() if chance.random() < share],
    }
    if chance.random() < 0.6:
        told["birth_date"] = f"{1940 + person % 60}-{1 + person % 12:02}-{1 + person % 28:02}"
    if chance.random() < 0.9 or not (told["phones"] or told["emails"]):
        told["full_name"] = f"{_GIVEN[person % len(_GIVEN)]} {_FAMILY[family % len(_FAMILY)]}"
    return {name: value for name, value in told.items() if value}


def _measured(name: str, url: str, crowd: Crowd, *, processes: int) -> BroughtAtOnce:
    _prepare(url)
    deliveries = sum(len(share_of(crowd, share, processes)) for share in range(processes))
    began = time.perf_counter()
    # Far more than it takes, so that whoever waits for ever is told and not waited for.
    codes = bring_at_once(
        url,
        crowd,
        processes=processes,
        within_seconds=60 + 3 * crowd.records,
        report=lambda done: print(
            f"{name}, {processes} at once: {done:,} of {deliveries:,} deliveries after "
            f"{time.perf_counter() - began:.0f} s",
            file=sys.stderr,
            flush=True,
        ),
    )
    seconds = time.perf_counter() - began
    if codes != [0] * processes:
        raise ConcurrencyMattersError(
            f"{name}: the processes ended with {codes}; None is one that did not end."
        )
    engine = open_store(url)
    try:
        waited, deadlocks = drain(engine), _count_deadlocks(engine)
        found = findings(engine)
        require_whole(engine, crowd, found)
    finally:
        engine.dispose()
    if deadlocks:
        raise ConcurrencyMattersError(f"{name} counts {deadlocks} deadlocks.")
    return BroughtAtOnce(name, processes, crowd.records, deliveries, waited, deadlocks, seconds, found)


def _prepare(url: str) -> None:
    """A migrated store with the sources and the shipped model in force."""
    migrate(url)
    model = initial_model(parse_specification(default_specification_text()))
    engine = open_store(url)
    with write(engine) as connection:
        insert_model(connection, model, label="shipped", report={}, seed=0, record_count=0, now=NOW)
        replace_activation(connection, model.version, author="benchmark", reason="concurrency", now=NOW)
        insert_sources(connection, [NewSource(name, SourceSettings()) for name in SOURCES], now=NOW)
    engine.dispose()


def _count_deadlocks(engine: Engine) -> int:
    if engine.dialect.name != "postgresql":
        return 0  # One writer at a time has nobody to wait for in a circle.
    asked = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    with read(engine) as connection:
        return int(connection.execute(asked).scalar_one())
