"""Resolution runs: when everything was resolved, with which model, and what came of it.

Grain: one row per run. A run that was begun and neither published nor given up is `running`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, ScalarSelect, func, insert, select, update

from cdp.canonical import canonical_json
from cdp.store.quick import QuickStatement
from cdp.store.schema import model_activations
from cdp.store.schema import resolution_runs as runs


@dataclass(frozen=True)
class PublishedRun:
    run_id: int
    kind: str
    model_version: int
    started_at: datetime
    counts: Mapping[str, Any]


def insert_run(connection: Connection, model_version: int, *, now: datetime) -> int:
    """A batch run that begins now; returns its id."""
    statement = (
        insert(runs)
        .values(kind="batch", model_version_id=model_version, started_at=now, state="running", counts="{}")
        .returning(runs.c.run_id)
    )
    run_id: int = connection.scalars(statement).one()
    return run_id


def insert_online_run(connection: Connection, model_version: int, *, now: datetime) -> None:
    """What was published by the batch before is from now on changed record by record."""
    connection.execute(
        insert(runs).values(
            kind="online",
            model_version_id=model_version,
            started_at=now,
            finished_at=now,
            state="published",
            counts="{}",
        )
    )


def abandon_runs(connection: Connection, *, now: datetime) -> int:
    """Close the batch runs that were begun before and never ended; returns how many."""
    left = update(runs).where(runs.c.state == "running", runs.c.kind == "batch")
    return connection.execute(left.values(state="abandoned", finished_at=now)).rowcount


def close_run(
    connection: Connection, run_id: int, state: str, *, counts: Mapping[str, Any], now: datetime
) -> bool:
    """End a run; False when it is not running any more, because another one took its place.

    What came online while a batch worked changed nothing that this one started from, or it would not be published:
    its run is over too, and the batch is the last one that was published.
    """
    statement = update(runs).where(runs.c.run_id == run_id, runs.c.state == "running")
    closed = connection.execute(statement.values(state=state, finished_at=now, counts=canonical_json(counts)))
    if state == "published":
        meanwhile = (runs.c.run_id > run_id) & (runs.c.kind == "online") & (runs.c.state == "published")
        connection.execute(update(runs).where(meanwhile).values(state="abandoned"))
    return closed.rowcount == 1


def select_last_published(connection: Connection) -> PublishedRun | None:
    """A batch's, or the one that stands for all that came online since the batch before it."""
    last = _LAST_PUBLISHED.first(connection)
    if last is None:
        return None
    return PublishedRun(
        last.run_id, last.kind, last.model_version_id, last.started_at, orjson.loads(last.counts)
    )


def version_in_use() -> ScalarSelect[Any]:
    """SQL for the version that the profiles were made with; before there are any, that in force."""
    made_with = select(runs.c.model_version_id).where(runs.c.state == "published")
    active = select(model_activations.c.model_version_id).where(model_activations.c.valid_to.is_(None))
    return select(
        func.coalesce(
            made_with.order_by(runs.c.run_id.desc()).limit(1).scalar_subquery(), active.scalar_subquery()
        )
    ).scalar_subquery()


def select_version_in_use(connection: Connection) -> int | None:
    """The version that a record is resolved with which comes now; None in a store without a model."""
    found = _VERSION_IN_USE.first(connection)
    return None if found is None else found.model_version


_VERSION_IN_USE = QuickStatement(select(version_in_use().label("model_version")))
_LAST_PUBLISHED = QuickStatement(
    select(runs.c.run_id, runs.c.kind, runs.c.model_version_id, runs.c.started_at, runs.c.counts)
    .where(runs.c.state == "published")
    .order_by(runs.c.run_id.desc())
    .limit(1)
)
