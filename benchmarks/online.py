"""Real time: rates of writing and looking up under load, as ratios to an empty route, and the cost by store size."""

from __future__ import annotations

import gzip
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from benchmarks.cost import GENERATED
from benchmarks.load import Load, read_etags, request_bytes, send_all, send_in_turns
from benchmarks.processes import run_cdp
from benchmarks.serving import Address, served

STORE_RECORDS = 100_000
INGEST_SIZES = (10_000, 100_000, 1_000_000)
CLIENTS = 8
BATCH_CLIENTS = 2
SINGLES = 3_000
LOOKUPS = 6_000
PROFILES = 500
BATCHES = 12
BATCH_SIZE = 500
SEQUENTIAL = 400
# Each kind of request comes in so many parts, in turn with the others: a ratio is of what the machine did at one time.
ROUNDS = 6
WARMING = 200

Raw = dict[str, Any]


@dataclass(frozen=True)
class Rates:
    """Requests a second by what was asked for; batch_records a second; latencies of single writes in seconds."""

    records: int
    loads: Mapping[str, Load]
    batch_records_per_second: float

    def ratio(self, name: str) -> float:
        return self.loads[name].rate / self.loads["empty route"].rate


def measure_rates(records: int, *, seed: int) -> Rates:
    """On a resolved store of generated customers, through gunicorn; half of what arrives is of known people."""
    with tempfile.TemporaryDirectory(prefix="cdp-online-") as directory:
        home = Path(directory)
        shutil.copyfile(resolved_store(records, seed=seed), home / "cdp.db")
        secret = _create_key(home)
        count = SINGLES + BATCHES * BATCH_SIZE
        arriving = list(islice(arrivals(records, seed=seed), count))
        singles = [
            request_bytes("POST", "/v1/records", body=orjson.dumps(raw), secret=secret)
            for raw in arriving[:SINGLES]
        ]
        batches = [
            request_bytes(
                "POST", "/v1/records/batch", body=orjson.dumps({"records": list(batch)}), secret=secret
            )
            for batch in _cut(arriving[SINGLES:], BATCH_SIZE)
        ]
        lookups = [
            request_bytes("POST", "/v1/profiles/lookup", body=orjson.dumps(asked), secret=secret)
            for asked in _identifiers(home / "cdp.db", seed=seed)
        ]
        empty = [request_bytes("POST", "/", body=b"{}")] * LOOKUPS
        with served("benchmarks.empty:app", home) as nothing, served("wsgi:app", home) as service:
            asked = {"empty route": (nothing, empty), "lookup": (service, lookups)}
            asked |= _profile_requests(service, home / "cdp.db", secret, seed=seed)
            for address, requests in asked.values():
                send_all(address, requests[:WARMING], clients=CLIENTS)
            loads = send_in_turns(asked, clients=CLIENTS, rounds=ROUNDS)
            # After the reads: a record that comes changes profiles, and with them their ETags.
            send_all(service, singles[:WARMING], clients=CLIENTS)
            writing = {"empty route": (nothing, empty), "one record": (service, singles[WARMING:])}
            written_alone = send_in_turns(writing, clients=CLIENTS, rounds=ROUNDS)
            loads["empty route"].add(written_alone["empty route"])
            loads["one record"] = written_alone["one record"]
            written = send_all(service, batches, clients=BATCH_CLIENTS)
        loads["batch of 500"] = written
        for name, load in loads.items():
            if load.failures:
                raise RuntimeError(f"{load.failures} requests of {name} failed")
            if name.startswith("profile, ") and set(load.statuses) != {int(name[-3:])}:
                raise RuntimeError(f"{name}: {dict(load.statuses)}")
        return Rates(records, loads, BATCHES * BATCH_SIZE / written.duration)


def _profile_requests(
    address: Address, store: Path, secret: str, *, seed: int
) -> dict[str, tuple[Address, list[bytes]]]:
    """Profiles by their ids: whole, and as a caller asks who has them already."""
    paths = [f"/v1/profiles/{profile_id}?view=agent" for profile_id in _profile_ids(store, seed=seed)]
    whole = [request_bytes("GET", path, secret=secret) for path in paths]
    known = [
        request_bytes("GET", path, secret=secret, headers={"If-None-Match": etag})
        for path, etag in zip(paths, read_etags(address, whole), strict=True)
    ]
    times = LOOKUPS // PROFILES
    return {"profile, 200": (address, whole * times), "profile, 304": (address, known * times)}


def rate_lines(rates: Rates) -> list[str]:
    """The table of the results."""
    lines = [
        f"A store of {rates.records:,} generated records, trained and resolved, on SQLite; gunicorn with its "
        f"settings of every day, {CLIENTS} clients at once on the same machine ({BATCH_CLIENTS} for batches). Half "
        "of the records that come are of people the store knows. Profiles are read by their ids in the agent's view, "
        "as they are and with If-None-Match. The empty route is a Flask application of one, under the same gunicorn; "
        "requests are not counted (CDP_RATE_LIMIT=off). But for batches, "
        f"the kinds take turns, {ROUNDS} times, so that what else the machine does meets all of them.",
        "",
        "| request | a second | of the empty route | median | 99 % within |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, load in rates.loads.items():
        lines.append(
            f"| {name} | {load.rate:,.1f} | {rates.ratio(name):.2f} | {load.percentile(0.5) * 1e3:.1f} ms "
            f"| {load.percentile(0.99) * 1e3:.1f} ms |"
        )
    taken = (
        f"In batches of {BATCH_SIZE}, {rates.batch_records_per_second:,.0f} records are taken in a second."
    )
    return [*lines, "", taken]


def growth_lines(seconds_of_one: Mapping[int, float]) -> list[str]:
    """Store size to seconds: the table of the results."""
    smallest = seconds_of_one[min(seconds_of_one)]
    lines = [
        f"One record after the other in one process, median of {SEQUENTIAL}:",
        "",
        "| records in the store | one more | of the smallest store |",
        "|---:|---:|---:|",
    ]
    for size, seconds in sorted(seconds_of_one.items()):
        lines.append(f"| {size:,} | {seconds * 1e3:.2f} ms | {seconds / smallest:.2f} |")
    return lines


def measure_ingest_by_size(sizes: Sequence[int], *, seed: int) -> dict[int, float]:
    """Store size to the median seconds of one record taken in, one after the other, in this process."""
    from cdp.realtime.incoming import take_record
    from cdp.realtime.ingest import Resolver, ingest_records
    from cdp.realtime.known_sources import select_known_sources
    from cdp.realtime.online_models import OnlineModels
    from cdp.store import open_store, read

    found = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="cdp-online-") as directory:
            path = Path(directory) / "cdp.db"
            shutil.copyfile(resolved_store(size, seed=seed), path)
            engine = open_store(f"sqlite:///{path}")
            raws = list(islice(arrivals(size, seed=seed), SEQUENTIAL + 20))
            with read(engine) as connection:
                sources = select_known_sources(connection, raws, allowed=None)
            now = datetime.now(UTC)
            resolver = Resolver(engine, OnlineModels())
            seconds = []
            for raw in raws:
                begun = time.perf_counter()
                ingest_records(resolver, [take_record(raw, sources, now=now)], author="bench", now=now)
                seconds.append(time.perf_counter() - begun)
            found[size] = statistics.median(seconds[20:])
            engine.dispose()
    return found


def resolved_store(records: int, *, seed: int) -> Path:
    """A store of generated customers, trained and resolved; kept for the next time."""
    path = GENERATED / f"store-{records}-{seed}"
    if (path / "cdp.db").exists():
        run_cdp("migrate", home=path)
    if not _is_current(path / "cdp.db"):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        run_cdp("migrate", home=path)
        run_cdp("import", str(_generated(records, seed)), "--no-resolve", home=path)
        run_cdp("train", "--activate", "--seed", str(seed), home=path)
        run_cdp("resolve", home=path)
    return path / "cdp.db"


def arrivals(records: int, *, seed: int) -> Iterator[Raw]:
    """New records: in turn one more contact of somebody in the store, and one of somebody else."""
    chance = random.Random(seed)
    known = _read(_generated(records, seed))
    others = _read(_generated(20_000, seed + 1))
    step = max(1, records // 20_000)
    for number, (mine, other) in enumerate(zip(islice(known, 0, None, step), others, strict=False)):
        for raw, key in ((mine, f"again-{number}"), (other, f"new-{number}")):
            values = {name: value for name, value in raw.items() if name not in ("emails", "attributes")}
            values |= {name: raw[name] for name in ("emails",) if name in raw and chance.random() < 0.7}
            yield {**values, "source_record_id": key, "occurred_at": "2026-11-22T12:00:00Z"}


def _identifiers(store: Path, *, seed: int) -> Iterator[dict[str, str]]:
    """Phones and e-mails that the store knows, as they come."""
    query = "SELECT kind, value FROM identifiers WHERE kind IN ('phone', 'email')"
    with closing(sqlite3.connect(store)) as connection:
        known = connection.execute(query).fetchall()
    for kind, value in random.Random(seed).choices(known, k=LOOKUPS):
        yield {"type": kind, "value": value}


def _profile_ids(store: Path, *, seed: int) -> list[str]:
    with closing(sqlite3.connect(store)) as connection:
        live = connection.execute("SELECT profile_id FROM profiles WHERE state = 'live'").fetchall()
    return [profile_id for (profile_id,) in random.Random(seed).choices(live, k=PROFILES)]


def _read(path: Path) -> Iterator[Raw]:
    with gzip.open(path) as file:
        for line in file:
            yield orjson.loads(line)


def _generated(records: int, seed: int) -> Path:
    out = GENERATED / f"{records}-{seed}"
    if not (out / "truth.csv").exists():
        run_cdp(
            "demo", "generate", "--records", str(records), "--seed", str(seed), "--out", str(out), home=out
        )
    return out / "records.jsonl.gz"


def _is_current(path: Path) -> bool:
    from cdp.store import StoreError, open_store

    try:
        open_store(f"sqlite:///{path}").dispose()
    except StoreError:
        return False
    return True


def _create_key(home: Path) -> str:
    made = run_cdp("key", "create", "--name", "bench", "--scope", "admin", home=home)
    secret: str = made.output["secret"]
    return secret


def _cut(items: Sequence[Raw], size: int) -> Iterator[Sequence[Raw]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
