"""A queue of invented candidates over a few invented records, for what only the queue decides."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from cdp.identity.candidates import probability_of
from cdp.identity.models import insert_model
from cdp.stewardship.priority import people_of, uncertainty_of, value_of
from cdp.store import insert_rows, schema, write
from cdp.store.days import days_since_epoch
from resolution import default_specification_text, initial_model, parse_specification

SOURCES = ("crm", "shop", "web")
REASONS = ("review_band", "exclusive_conflict", "exclusive_shared", "size_limit")


def fill_queue(
    engine: Engine, count: int, *, seed: int, now: datetime, columns: Sequence[str] | None = None
) -> None:
    """So many open candidates between people of one record each, with whatever the queue is sorted by. Columns: the
    first of COLUMNS, for a store of a version that has no others."""
    columns = columns or COLUMNS
    chance = random.Random(seed)
    record_count = 2 * count
    with write(engine) as connection:
        model = initial_model(parse_specification(default_specification_text()))
        insert_model(connection, model, label="prior", report={}, seed=0, record_count=0, now=now)
        _insert_people(connection, record_count, now)
        rows = [row[: len(columns)] for row in _candidates(chance, count, now)]
        insert_rows(connection, schema.merge_candidates, rows, columns=columns)


def _insert_people(connection: Connection, count: int, now: datetime) -> None:
    insert_rows(
        connection,
        schema.sources,
        [(place, name, "BR", "dmy", 50, "{}", now) for place, name in enumerate(SOURCES, 1)],
        columns=(
            "source_id",
            "name",
            "default_region",
            "date_order",
            "trust",
            "settings",
            "created_at",
        ),
    )
    record_columns = (
        "record_id",
        "source_id",
        "source_record_id",
        "occurred_at",
        "received_at",
        "raw",
        "raw_hash",
        "standardized",
        "standardizer_version",
    )
    records = (
        (each, 1 + each % len(SOURCES), f"r{each}", now, now, "{}", "0" * 32, "{}", 1)
        for each in range(1, count + 1)
    )
    insert_rows(connection, schema.source_records, records, columns=record_columns)
    names = ("profile_id", "state", "version", "record_count", "golden", "created_at", "updated_at")
    people = ((profile_id(each), "live", 1, 1, "{}", now, now) for each in range(1, count + 1))
    insert_rows(connection, schema.profiles, people, columns=names)


def profile_id(record_id: int) -> str:
    return f"pf_{record_id:026d}"


COLUMNS = (
    "candidate_id",
    "record_id_l",
    "record_id_r",
    "profile_id_l",
    "profile_id_r",
    "match_weight",
    "match_probability",
    "reason",
    "state",
    "model_version_id",
    "created_at",
    "record_count",
    "source_id_l",
    "source_id_r",
    "identifier_kinds",
    "assignee",
    "due_at",
    "worth",
    "standing",
    "opened_day",
)


def _candidates(chance: random.Random, count: int, now: datetime) -> Iterator[Sequence[Any]]:
    for each in range(1, count + 1):
        left, right = 2 * each - 1, 2 * each
        # Few different values, so that many tie.
        weight = chance.randrange(-8, 20) / 2
        opened_at = now - timedelta(days=chance.randrange(30), hours=chance.randrange(3))
        due_at = now + timedelta(days=chance.randrange(9)) if chance.random() < 0.2 else None
        reason, records = chance.choice(REASONS), chance.choice((2, 2, 2, 3, 5, 40))
        worth = chance.choice((0, 2, 4, 30))
        probability = probability_of(weight)
        yield (
            each,
            left,
            right,
            profile_id(left),
            profile_id(right),
            weight,
            probability,
            reason,
            "open",
            0,
            opened_at,
            records,
            1 + left % len(SOURCES),
            1 + right % len(SOURCES),
            chance.randrange(128),
            chance.choice((None, None, "ana", "rui")),
            due_at,
            worth,
            uncertainty_of(probability, reason) * people_of(records) * value_of(worth),
            days_since_epoch(opened_at),
        )
