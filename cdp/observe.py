"""What operators watch of a store: how much there is, what waits and for how long, how far the profiles are off."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, func, select

from cdp.identity.linkage_records import count_live_records
from cdp.identity.models import select_active_version
from cdp.identity.redo_queue import count_set_aside, count_waiting, select_oldest_waiting
from cdp.identity.resolution_runs import select_version_in_use
from cdp.privacy.audit import count_unsealed
from cdp.realtime.measurements import Measurement, select_last_measurement
from cdp.store import read
from cdp.store.schema import merge_candidates, outbox_events

# Counting a million records and as many events takes 0.2 seconds: whoever asks more often gets what was counted before.
FRESH_FOR = timedelta(seconds=15)


@dataclass(frozen=True)
class Observation:
    """Of one moment. A moment of None: nothing waits. Versions: see docs/resolution.md; None: there is none yet."""

    records: int
    open_candidates: int
    redo_waiting: int
    redo_oldest_at: datetime | None
    redo_set_aside: int
    outbox_waiting: int
    outbox_oldest_at: datetime | None
    audit_unsealed: int
    version_in_use: int | None
    version_in_force: int | None
    measurement: Measurement | None


def observe_store(connection: Connection) -> Observation:
    is_open = merge_candidates.c.state == "open"
    is_due = outbox_events.c.delivered_at.is_(None)
    oldest_event = (
        select(outbox_events.c.created_at).where(is_due).order_by(outbox_events.c.event_id).limit(1)
    )
    return Observation(
        records=count_live_records(connection),
        open_candidates=connection.scalars(select(func.count()).where(is_open)).one(),
        redo_waiting=count_waiting(connection),
        redo_oldest_at=select_oldest_waiting(connection),
        redo_set_aside=count_set_aside(connection),
        outbox_waiting=connection.scalars(select(func.count()).where(is_due)).one(),
        outbox_oldest_at=connection.scalar(oldest_event),
        audit_unsealed=count_unsealed(connection),
        version_in_use=select_version_in_use(connection),
        version_in_force=select_active_version(connection),
        measurement=select_last_measurement(connection),
    )


class Observer:
    """One a process: keeps what was observed last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[datetime, Observation] | None = None

    def observe(self, engine: Engine, now: datetime) -> Observation:
        with self._lock:
            if self._last is None or not timedelta() <= now - self._last[0] < FRESH_FOR:
                with read(engine) as connection:
                    self._last = now, observe_store(connection)
            return self._last[1]
