"""What is unsettled about a profile now: the candidates it waits in, and what its holders should know of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select

from cdp.identity.profile_reads import Profile, select_ledger_entries
from cdp.stewardship.candidates import OPEN, is_visible
from cdp.stewardship.confirmations import waits_for_second
from cdp.stewardship.freeze import select_freezes
from cdp.store.schema import merge_candidates as candidates

ALERTS = ("recently_joined", "recently_split", "awaiting_second_person", "pinned_values", "frozen")
RECENT = timedelta(days=7)
# Of these many changes at most, a join and a split are told.
_CHANGES_LOOKED_AT = 20
_CHANGES = {"join": "recently_joined", "split": "recently_split"}


@dataclass(frozen=True)
class Alert:
    """code: one of ALERTS. since: when it was so changed; ledger_entry_id: by which entry. attributes: those pinned."""

    code: str
    since: datetime | None = None
    ledger_entry_id: int | None = None
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProfileState:
    open_candidate_count: int
    alerts: list[Alert]


def select_profile_state(
    connection: Connection, profile: Profile, *, sources: Collection[str] | None, now: datetime
) -> ProfileState:
    """Sources: what the caller is bound to; candidates are counted that it may know of."""
    waiting, confirming = _count_candidates(connection, profile.profile_id, sources)
    alerts = _changed(connection, profile.profile_id, now)
    if confirming:
        alerts.append(Alert("awaiting_second_person"))
    pinned = tuple(sorted(name for name, value in profile.golden.items() if value.get("rule") == "pinned"))
    alerts += [
        Alert("frozen", each.recorded_at) for each in select_freezes(connection, profile.profile_id)[:1]
    ]
    if pinned:
        alerts.append(Alert("pinned_values", attributes=pinned))
    return ProfileState(waiting, alerts)


def _changed(connection: Connection, profile_id: str, now: datetime) -> list[Alert]:
    """The newest join and the newest split of the last days, those that stand."""
    found: dict[str, Alert] = {}
    for entry in select_ledger_entries(connection, profile_id, limit=_CHANGES_LOOKED_AT):
        code = _CHANGES.get(entry.kind)
        if code and entry.undone_by is None and entry.recorded_at > now - RECENT:
            found.setdefault(code, Alert(code, entry.recorded_at, entry.ledger_entry_id))
    return list(found.values())


def _count_candidates(
    connection: Connection, profile_id: str, sources: Collection[str] | None
) -> tuple[int, int]:
    """The open ones that it is part of; of them, those that were decided and wait for a second person."""
    waits = candidates.c.candidate_id.in_(waits_for_second(connection))
    statement = select(func.count(), func.count().filter(waits)).where(
        candidates.c.state == OPEN,
        or_(candidates.c.profile_id_l == profile_id, candidates.c.profile_id_r == profile_id),
    )
    if sources is not None:
        statement = statement.where(is_visible(sources))
    waiting, confirming = connection.execute(statement).one()
    return waiting, confirming
