"""Measure from time to time how far the profiles are from what their records give, and note it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from cdp.identity.models import UncompilableModelError, UnreadableModelError
from cdp.realtime.disagreement import Disagreement, measure_disagreement
from cdp.realtime.measurements import Measurement, insert_measurement, select_last_measurement
from cdp.realtime.online_models import OnlineModels, StoreNotResolvedError, select_online_version
from cdp.store import read, retry_write


@dataclass(frozen=True)
class Sampling:
    """every: between two measurements; records: how many are drawn for one."""

    every: timedelta
    records: int


def measure_when_due(
    engine: Engine, models: OnlineModels, sampling: Sampling, *, seed: int, now: datetime
) -> Disagreement | None:
    """What was measured and noted; None when it is not time, another worker was quicker, or nothing can be compared.

    A store that must be resolved first, or whose model this release cannot use, is not compared.
    """
    with read(engine) as connection:
        last = select_last_measurement(connection)
        if not _is_due(last, sampling, now):
            return None
        try:
            version = select_online_version(connection)
            if version is None:
                return None
            model = models.require(connection, version)
            found = measure_disagreement(connection, model, sampling.records, seed)
        except (StoreNotResolvedError, UncompilableModelError, UnreadableModelError):
            return None

    def note(connection: Connection) -> Disagreement | None:
        if select_last_measurement(connection) != last:
            return None
        insert_measurement(connection, found, model_version=version, seed=seed, now=now)
        return found

    return retry_write(engine, note)


def _is_due(last: Measurement | None, sampling: Sampling, now: datetime) -> bool:
    """Also when the clock went back behind the last one."""
    return last is None or not timedelta() <= now - last.measured_at < sampling.every
