"""Measurements of disagreement.

Grain: one row per measurement; the newest one counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cdp.realtime.disagreement import Disagreement
from cdp.store.schema import disagreement_measurements as table


@dataclass(frozen=True)
class Measurement:
    """See Disagreement for the counts; model_version: of the profiles that were compared."""

    measurement_id: int
    measured_at: datetime
    model_version: int
    disagreement: Disagreement


def select_last_measurement(connection: Connection) -> Measurement | None:
    row = connection.execute(select(table).order_by(table.c.measurement_id.desc()).limit(1)).first()
    if row is None:
        return None
    counted = Disagreement(row.record_count, row.waiting_count, row.differing_count)
    return Measurement(row.measurement_id, row.measured_at, row.model_version_id, counted)


def insert_measurement(
    connection: Connection, found: Disagreement, *, model_version: int, seed: int, now: datetime
) -> None:
    connection.execute(
        table.insert(),
        {
            "measured_at": now,
            "model_version_id": model_version,
            "record_count": found.sampled,
            "waiting_count": found.waiting,
            "differing_count": found.differing,
            "seed": seed,
        },
    )
