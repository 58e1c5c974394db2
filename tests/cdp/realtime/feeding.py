"""A store that is fed record by record, and looks at all that follows from its records."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from benchmarks.findings import Findings as Findings
from benchmarks.findings import findings as findings
from cdp.identity.activate import activate_model
from cdp.identity.models import insert_model, replace_activation, require_model
from cdp.identity.sources import NewSource, insert_sources
from cdp.realtime.incoming import IncomingRecord, take_record
from cdp.realtime.ingest import Resolver, delete_record, ingest_records
from cdp.realtime.ingested import Ingested
from cdp.realtime.known_sources import select_known_sources
from cdp.realtime.online_models import OnlineModels
from cdp.realtime.redo import drain_redo
from cdp.store import read, write
from resolution import initial_model
from resolution.standardize import SourceSettings
from tests.resolution.builders import SMALL

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SOURCES = ("shop", "web")


@dataclass(frozen=True)
class Limits:
    """How small the specification's limits are, so that few records cross them."""

    cap: int = 60
    complete_size: int = 60
    window_days: int | None = None


@dataclass
class Feed:
    """A store with sources `shop` and `web`, and the small model in force; fresh: whether it has them yet to get."""

    engine: Engine
    limits: Limits = Limits()
    fresh: bool = True
    resolver: Resolver = field(init=False)

    def __post_init__(self) -> None:
        self.resolver = Resolver(self.engine, OnlineModels())
        if self.fresh:
            self._set_up()

    def _set_up(self) -> None:
        rules = tuple(replace(rule, cap=self.limits.cap) for rule in SMALL.blocking_rules)
        specification = replace(
            SMALL,
            blocking_rules=rules,
            complete_size=self.limits.complete_size,
            sharing={
                column: replace(each, window_days=self.limits.window_days)
                for column, each in SMALL.sharing.items()
            },
        )
        model = replace(initial_model(specification), rule_names=tuple(rule.name for rule in rules))
        with write(self.engine) as connection:
            insert_model(connection, model, label="small", report={}, seed=0, record_count=0, now=NOW)
            replace_activation(connection, 0, author="test", reason="quick", now=NOW)
            new = [NewSource(name, SourceSettings()) for name in SOURCES]
            insert_sources(connection, new, now=NOW)

    def take(self, raw: Mapping[str, Any], *, now: datetime = NOW) -> IncomingRecord:
        with read(self.engine) as connection:
            sources = select_known_sources(connection, [raw], allowed=None)
        return take_record(raw, sources, now=now)

    def ingest(self, *raws: Mapping[str, Any], now: datetime = NOW) -> list[Ingested]:
        records = [self.take(raw, now=now) for raw in raws]
        return ingest_records(self.resolver, records, author="test", now=now)

    def delete(self, source: str, key: str, *, now: datetime = NOW) -> list[str]:
        return list(delete_record(self.resolver, source, key, author="test", now=now).profiles_touched)

    def drain(self) -> int:
        """Resolve all that waits, a few records at a time."""
        total = 0
        while taken := drain_redo(self.resolver, at_most=20, now=NOW).taken:
            total += taken
        return total


def activate_failing_model(store: Engine) -> None:
    """Version 2, which compares given names letter by letter: that fails on names of different length."""
    name, *others = SMALL.comparisons
    missing, equal, different = name.levels
    condition = "hamming(given_name_l, given_name_r) = 1"
    close = replace(different, label="one letter", condition=condition, m=0.05, u=0.02)
    levels = (missing, equal, close, replace(different, m=0.05, u=0.96))
    model = initial_model(replace(SMALL, comparisons=(replace(name, levels=levels), *others)), 2)
    with write(store) as connection:
        insert_model(connection, model, label="failing", report={}, seed=0, record_count=0, now=NOW)
    activate_model(store, 2, author="lead", reason="first", now=NOW)


def keep_model(store: Engine, version: int, **changes: Any) -> None:
    """Another version of the small model."""
    with write(store) as connection:
        model = replace(require_model(connection, 0), version=version)
        model = replace(model, specification=replace(model.specification, **changes))
        insert_model(connection, model, label="other", report={}, seed=0, record_count=0, now=NOW)


def a_record(key: str, *, source: str = "shop", day: int = 0, **values: Any) -> dict[str, Any]:
    occurred_at = (NOW - timedelta(days=100 - day)).isoformat()
    return {"source": source, "source_record_id": key, "occurred_at": occurred_at, **values}


def random_records(seed: int, count: int) -> list[dict[str, Any]]:
    """Few names, addresses and dates, so that most records have something in common with others."""
    chance = random.Random(seed)
    records = []
    for _ in range(count):
        values: dict[str, Any] = {}
        if chance.random() < 0.9:
            given = chance.choice(("Ana", "Bia", "Caio", "Davi", "Eva", "Fabio"))
            values["full_name"] = f"{given} {chance.choice(('Reis', 'Lima', 'Prado', 'Moura'))}"
        if chance.random() < 0.6:
            values["emails"] = [f"x{chance.randrange(max(3, count // 6))}@example.com"]
        if chance.random() < 0.2:
            values["emails"] = [*values.get("emails", ()), f"x{chance.randrange(count)}@example.com"]
        if chance.random() < 0.5:
            values["birth_date"] = (
                f"198{chance.randrange(3)}-0{chance.randrange(1, 3)}-0{chance.randrange(1, 4)}"
            )
        if chance.random() < 0.4:
            values["address"] = {"city": chance.choice(("Sao Paulo", "Lisboa", "Porto"))}
        if chance.random() < 0.2:
            number = chance.choice(("390.533.447-05", "529.982.247-25", "111.444.777-35"))
            values["documents"] = [{"type": "cpf", "number": number}]
        key = str(chance.randrange(count))
        records.append(a_record(key, source=chance.choice(SOURCES), day=chance.randrange(50), **values))
    return records
