"""Who works on which candidate until when, and who put which back.

Grain: one row per candidate claimed, the last claim of it; one row per person and candidate put back. A lease that is
over is nobody's, and anybody may take it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, insert, or_, select, update

from cdp.store import id_set
from cdp.store.schema import candidate_leases as leases
from cdp.store.schema import candidate_skips as skips


@dataclass(frozen=True)
class Lease:
    candidate_id: int
    owner: str
    claimed_at: datetime
    expires_at: datetime

    def is_live(self, now: datetime) -> bool:
        return now < self.expires_at


_COLUMNS = tuple(leases.c[name] for name in Lease.__dataclass_fields__)


def select_lease(connection: Connection, candidate_id: int) -> Lease | None:
    """The last one, live or not."""
    row = connection.execute(select(*_COLUMNS).where(leases.c.candidate_id == candidate_id)).first()
    return None if row is None else Lease(*row)


def select_live_leases(
    connection: Connection, candidate_ids: Collection[int], *, now: datetime
) -> dict[int, Lease]:
    """By candidate."""
    if not candidate_ids:
        return {}
    wanted = select(id_set(connection, sorted(candidate_ids)).c.id)
    rows = connection.execute(
        select(*_COLUMNS).where(leases.c.candidate_id.in_(wanted), leases.c.expires_at > now)
    )
    return {row.candidate_id: Lease(*row) for row in rows}


def select_leases_of(connection: Connection, owner: str, *, now: datetime) -> list[Lease]:
    """What somebody works on, the latest first."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(leases.c.owner == owner, leases.c.expires_at > now)
        .order_by(leases.c.claimed_at.desc(), leases.c.candidate_id.desc())
    )
    return [Lease(*row) for row in rows]


def take_lease(connection: Connection, lease: Lease) -> bool:
    """Put it in force unless another's is; the write it is part of must be alone, or seem so."""
    free = or_(leases.c.owner == lease.owner, leases.c.expires_at <= lease.claimed_at)
    values: dict[str, Any] = {
        "owner": lease.owner,
        "claimed_at": lease.claimed_at,
        "expires_at": lease.expires_at,
    }
    of_candidate = leases.c.candidate_id == lease.candidate_id
    if connection.execute(update(leases).where(of_candidate, free).values(values)).rowcount:
        return True
    if connection.scalar(select(leases.c.candidate_id).where(of_candidate)) is not None:
        return False
    connection.execute(insert(leases), {"candidate_id": lease.candidate_id, **values})
    return True


def extend_lease(
    connection: Connection, candidate_id: int, owner: str, *, now: datetime, until: datetime
) -> bool:
    """Of one that is the owner's and live."""
    extended = connection.execute(
        update(leases)
        .where(
            leases.c.candidate_id == candidate_id,
            leases.c.owner == owner,
            leases.c.expires_at > now,
        )
        .values(expires_at=until)
    )
    return bool(extended.rowcount)


def delete_lease(connection: Connection, candidate_id: int, owner: str) -> bool:
    deleted = connection.execute(
        leases.delete().where(leases.c.candidate_id == candidate_id, leases.c.owner == owner)
    )
    return bool(deleted.rowcount)


def delete_leases(connection: Connection, candidate_id: int) -> None:
    """Whosever it is: the candidate needs nobody any more."""
    connection.execute(leases.delete().where(leases.c.candidate_id == candidate_id))


def put_skip(
    connection: Connection, candidate_id: int, person: str, *, now: datetime, hidden_until: datetime
) -> None:
    of_both = and_(skips.c.candidate_id == candidate_id, skips.c.person == person)
    connection.execute(skips.delete().where(skips.c.person == person, skips.c.hidden_until <= now))
    connection.execute(skips.delete().where(of_both))
    connection.execute(
        insert(skips),
        {"person": person, "candidate_id": candidate_id, "skipped_at": now, "hidden_until": hidden_until},
    )


def claimed(*, by: str | None = None, by_others_than: str | None = None, now: datetime) -> Select[tuple[int]]:
    """The candidates that a live lease is on: anybody's, that of one, or that of another one."""
    held = select(leases.c.candidate_id).where(leases.c.expires_at > now)
    if by is not None:
        held = held.where(leases.c.owner == by)
    if by_others_than is not None:
        held = held.where(leases.c.owner != by_others_than)
    return held


def skipped(*, by: str, now: datetime) -> Select[tuple[int]]:
    """The candidates that this person put back for a while."""
    return select(skips.c.candidate_id).where(skips.c.person == by, skips.c.hidden_until > now)
