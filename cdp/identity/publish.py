"""Put a resolution into the store: what follows from a plan, table by table, inside one write.

Everything goes in sets: rows are made in Python where a rule makes them, and moved by the database where not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import BigInteger, Connection, Table, Text, select, update

from cdp.identity.change_telling import NO_EVIDENCE, change_event, change_evidence, retired_and_told
from cdp.identity.continuity import Continuity
from cdp.identity.golden import NO_GOLDEN, Survivorship, stream_golden
from cdp.identity.memberships import apply_moves
from cdp.identity.reconciliation import Reconciliation
from cdp.identity.repointing import repoint_absorbed
from cdp.store import insert_rows, reserve_ids, temporary_table
from cdp.store.schema import ledger_entries, outbox_events, profiles

if TYPE_CHECKING:
    # Splink and DuckDB come with it, and the server does without them.
    from resolution import BatchResolution

_CHUNK = 5_000


@dataclass(frozen=True)
class Plan:
    """What a run will change. stale: profiles whose members changed in content but not in number."""

    run_id: int
    author: str
    reason: str
    resolution: BatchResolution
    continuity: Continuity
    reconciliation: Reconciliation
    survivorship: Survivorship
    stale: frozenset[str]

    @property
    def model_version(self) -> int:
        return self.resolution.model.version


@dataclass(frozen=True, slots=True)
class Touched:
    """A profile that will be live and is changed; cluster: the index of its records."""

    profile_id: str
    cluster: int


def publish_profiles(connection: Connection, plan: Plan, *, now: datetime) -> dict[str, int]:
    """Profiles, memberships and ledger entries; then one event for each changed profile."""
    touched = list_touched(plan)
    with _updates_table(connection) as updates:
        _write_golden(connection, plan, touched, updates, now)
        _retire_profiles(connection, plan, updates)
        _update_profiles(connection, updates, now)
        entries = _write_ledger(connection, plan, now)
        repoint_absorbed(connection, plan.reconciliation, plan.continuity, now=now)
        versions = dict(
            connection.execute(
                select(profiles.c.profile_id, profiles.c.version).join_from(
                    updates, profiles, profiles.c.profile_id == updates.c.profile_id
                )
            ).all()
        )
    event_count = _write_events(connection, plan, touched, entries, versions, now)
    return {"profiles_changed": event_count}


def list_touched(plan: Plan) -> list[Touched]:
    """The profiles whose golden record is made anew, in the order of the clusters."""
    wanted = {change.profile_id for change in plan.reconciliation.changes}
    wanted.update(plan.reconciliation.parted, plan.reconciliation.detached, plan.stale)
    return [
        Touched(profile_id, index)
        for index, profile_id in enumerate(plan.continuity.profile_of)
        if profile_id in wanted
    ]


@contextmanager
def _updates_table(connection: Connection) -> Iterator[Table]:
    """Profiles that are there already, with what they will be."""
    columns = {
        "profile_id": profiles.c.profile_id.type,
        "state": profiles.c.state.type,
        "absorbed_into": profiles.c.profile_id.type,
        "record_count": BigInteger(),
        "golden": Text(),
    }
    with temporary_table(connection, "profile_updates", columns, ()) as updates:
        yield updates


def _write_golden(
    connection: Connection, plan: Plan, touched: Sequence[Touched], updates: Table, now: datetime
) -> None:
    """Insert the new profiles, and note what the others will be."""
    clusters = plan.resolution.clusters
    assigned_rows = (
        (ordinal, record_id)
        for ordinal, each in enumerate(touched)
        for record_id in sorted(clusters[each.cluster].record_ids)
    )
    columns = {"profile_key": BigInteger(), "record_id": BigInteger()}
    with temporary_table(connection, "assigned", columns, assigned_rows, key=tuple(columns)) as assigned:
        golden = stream_golden(connection, assigned, plan.survivorship)
        for chunk in _chunks(golden, _CHUNK):
            named = [(touched[ordinal].profile_id, count, text) for ordinal, count, text in chunk]
            created = [
                (profile_id, "live", 1, count, text, now, now)
                for profile_id, count, text in named
                if profile_id in plan.continuity.created
            ]
            changed = [
                (profile_id, "live", None, count, text)
                for profile_id, count, text in named
                if profile_id not in plan.continuity.created
            ]
            names = ("profile_id", "state", "version", "record_count", "golden", "created_at", "updated_at")
            insert_rows(connection, profiles, created, columns=names)
            insert_rows(connection, updates, changed)


def _retire_profiles(connection: Connection, plan: Plan, updates: Table) -> None:
    absorbed = sorted(plan.continuity.absorbed.items())
    rows: list[tuple[str, str, str | None, int, str]] = [
        (profile_id, "absorbed", survivor, 0, NO_GOLDEN) for profile_id, survivor in absorbed
    ]
    rows += [(profile_id, "empty", None, 0, NO_GOLDEN) for profile_id in sorted(plan.continuity.emptied)]
    insert_rows(connection, updates, rows)


def _update_profiles(connection: Connection, updates: Table, now: datetime) -> None:
    names = ("state", "absorbed_into", "record_count", "golden")
    connection.execute(
        update(profiles)
        .where(profiles.c.profile_id == updates.c.profile_id)
        .values(
            {name: updates.c[name] for name in names} | {"version": profiles.c.version + 1, "updated_at": now}
        )
    )


def _write_ledger(connection: Connection, plan: Plan, now: datetime) -> dict[str, list[int]]:
    """The entries and what they moved; returns profile id to its new entries."""
    changes, detached = plan.reconciliation.changes, plan.reconciliation.detached
    entry_ids = reserve_ids(connection, ledger_entries.c.ledger_entry_id, len(changes) + len(detached))
    told = chain(
        (
            (
                change.kind,
                change.profile_id,
                change_evidence(change, plan.resolution.clusters[change.cluster].joins),
            )
            for change in changes
        ),
        (("detach", profile_id, NO_EVIDENCE) for profile_id in detached),
    )
    rows = (
        (entry_id, kind, profile_id, plan.author, plan.reason, plan.model_version, plan.run_id, evidence, now)
        for entry_id, (kind, profile_id, evidence) in zip(entry_ids, told, strict=True)
    )
    names = (
        "ledger_entry_id",
        "kind",
        "profile_id",
        "author",
        "reason",
        "model_version_id",
        "run_id",
        "evidence",
        "recorded_at",
    )
    insert_rows(connection, ledger_entries, rows, columns=names)
    columns = {
        "record_id": BigInteger(),
        "ledger_entry_id": BigInteger(),
        "from_profile_id": profiles.c.profile_id.type,
        "to_profile_id": profiles.c.profile_id.type,
    }
    with temporary_table(connection, "moves", columns, _move_rows(plan, entry_ids)) as moves:
        apply_moves(connection, moves, now=now)
    entries: dict[str, list[int]] = {}
    profile_ids = chain((change.profile_id for change in changes), detached)
    for entry_id, profile_id in zip(entry_ids, profile_ids, strict=True):
        entries.setdefault(profile_id, []).append(entry_id)
    return entries


def _move_rows(plan: Plan, entry_ids: Sequence[int]) -> Iterator[tuple[int, int, str | None, str | None]]:
    changes, detached = plan.reconciliation.changes, plan.reconciliation.detached
    for entry_id, change in zip(entry_ids, changes, strict=False):
        for record_id, before in change.moves:
            yield record_id, entry_id, before, change.profile_id
    for entry_id, (profile_id, record_ids) in zip(entry_ids[len(changes) :], detached.items(), strict=True):
        for record_id in record_ids:
            yield record_id, entry_id, profile_id, None


def _write_events(
    connection: Connection,
    plan: Plan,
    touched: Sequence[Touched],
    entries: Mapping[str, list[int]],
    versions: Mapping[str, int],
    now: datetime,
) -> int:
    change_of = {change.profile_id: change for change in plan.reconciliation.changes}

    def rows() -> Iterator[tuple[str, str, str, datetime]]:
        for each in touched:
            kind, payload = change_event(
                each.profile_id, change_of.get(each.profile_id), plan.continuity, plan.reconciliation
            )
            payload["version"] = versions.get(each.profile_id, 1)
            payload["record_count"] = len(plan.resolution.clusters[each.cluster].record_ids)
            yield kind, each.profile_id, _payload(plan, payload, entries, each.profile_id), now
        for profile_id, state in retired_and_told(plan.continuity, plan.reconciliation):
            payload = {"state": state, "version": versions[profile_id], "record_count": 0}
            yield "profile.updated", profile_id, _payload(plan, payload, entries, profile_id), now

    return insert_rows(
        connection, outbox_events, rows(), columns=("kind", "subject_id", "payload", "created_at")
    )


def _payload(
    plan: Plan, particulars: Mapping[str, Any], entries: Mapping[str, list[int]], profile_id: str
) -> str:
    payload = {
        **particulars,
        "profile_id": profile_id,
        "ledger_entry_ids": entries.get(profile_id, []),
        "run_id": plan.run_id,
    }
    return orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode()


def _chunks(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while chunk := list(islice(items, size)):
        yield chunk
