"""How the profiles of a store look as a whole: how many, how large, what is shared by too many."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, case, func, select

from cdp.store import read
from cdp.store.schema import profiles, shared_values

# Grouping a million profiles takes half a second, and what it tells changes slowly.
FRESH_FOR = timedelta(seconds=60)
LARGEST = 5
# Records of a profile from one number to another, None for no end.
SIZES: tuple[tuple[int, int | None], ...] = ((1, 1), (2, 2), (3, 5), (6, 10), (11, 50), (51, None))


@dataclass(frozen=True)
class LargeProfile:
    profile_id: str
    record_count: int


@dataclass(frozen=True)
class Health:
    """sizes: live profiles by SIZES, in order. shared: (column, sharing) to how many values."""

    profile_count: int
    record_count: int
    sizes: Sequence[int]
    largest: Sequence[LargeProfile]
    shared: Mapping[tuple[str, str], int]

    @property
    def records_per_profile(self) -> float | None:
        return self.record_count / self.profile_count if self.profile_count else None


def select_health(connection: Connection) -> Health:
    is_live = profiles.c.state == "live"
    size = profiles.c.record_count
    place = case(
        *((size <= most, place) for place, (_, most) in enumerate(SIZES) if most), else_=len(SIZES) - 1
    )
    grouped = select(place.label("place"), func.count().label("profiles"), func.sum(size).label("records"))
    found = {row.place: row for row in connection.execute(grouped.where(is_live).group_by(place))}
    large = select(profiles.c.profile_id, size).where(is_live, size > 1)
    largest = connection.execute(large.order_by(size.desc(), profiles.c.profile_id).limit(LARGEST))
    column, sharing = shared_values.c.column_name, shared_values.c.sharing
    shared = connection.execute(
        select(column, sharing, func.count()).group_by(column, sharing).order_by(column, sharing)
    )
    return Health(
        profile_count=sum(row.profiles for row in found.values()),
        record_count=int(sum(row.records for row in found.values())),
        sizes=[found[place].profiles if place in found else 0 for place in range(len(SIZES))],
        largest=[LargeProfile(*row) for row in largest],
        shared={(row[0], row[1]): row[2] for row in shared},
    )


class HealthKeeper:
    """One a process: keeps what was found last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[datetime, Health] | None = None

    def look(self, engine: Engine, now: datetime) -> Health:
        with self._lock:
            if self._last is None or not timedelta() <= now - self._last[0] < FRESH_FOR:
                with read(engine) as connection:
                    self._last = now, select_health(connection)
            return self._last[1]
