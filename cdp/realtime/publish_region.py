"""Put the people of a region into the store: ids kept, memberships, ledger, golden records, candidates, events.

What `cdp.identity.publish` does for everything, by the same rules, in few statements on few rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, bindparam, select, update

from cdp.identity.change_telling import NO_EVIDENCE, change_event, change_evidence, retired_and_told
from cdp.identity.continuity import Continuity, keep_profile_ids
from cdp.identity.golden import NO_GOLDEN, Survivorship
from cdp.identity.leads import Lead, LeadChange, note_leads, restore_leads, select_leads
from cdp.identity.memberships import select_former_profiles
from cdp.identity.reconciliation import Reconciliation, reconcile
from cdp.identity.repointing import repoint_absorbed, select_pointing
from cdp.realtime.golden_records import make_golden_records
from cdp.realtime.incoming import IncomingRecord
from cdp.store import insert_rows, reserve_ids
from cdp.store.quick import QuickStatement, quick
from cdp.store.schema import ledger_entries, ledger_moves, memberships, outbox_events, profiles
from cdp.store.sets import set_values, text_set
from resolution import LocalResolution


@dataclass(frozen=True)
class Cause:
    """Who changed what is published, and why. action_id: of a steward's action. report_id: of a report about an
    identifier."""

    author: str
    reason: str
    model_version: int
    action_id: int | None = None
    report_id: int | None = None


@dataclass(frozen=True)
class Published:
    """profile_of: record id to its profile, of the records of the region. versions: of the profiles touched.

    absorbed: profile to those it absorbed now. entry_ids: the ledger's, in order. events: kind and profile of what the
    outbox holds of it, in order.
    """

    profile_of: Mapping[int, str]
    former: Mapping[int, str]
    versions: Mapping[str, int]
    created: Collection[str]
    absorbed: Mapping[str, Sequence[str]]
    entry_ids: Sequence[int]
    events: Sequence[tuple[str, str]]


def publish_region(
    connection: Connection,
    resolution: LocalResolution,
    survivorship: Survivorship,
    cause: Cause,
    *,
    written: Mapping[int, IncomingRecord],
    changed: frozenset[int],
    restored: Mapping[int, str],
    leads: Mapping[str, LeadChange],
    new_id: Callable[[], str],
    now: datetime,
) -> Published:
    """Changed: records whose content changed, so that their golden records are made anew. Written: see
    make_golden_records. Restored: record id to
    the profile id that an undo gives it back to. Leads: what the undone action changed of ids that were nobody's."""
    clusters = [cluster.record_ids for cluster in resolution.clusters]
    listed = [record_id for cluster in clusters for record_id in cluster]
    current = resolution.former
    continuity = keep_profile_ids(
        clusters,
        current,
        lambda record_ids: select_former_profiles(connection, record_ids),
        new_id,
        restored=_restorable(connection, restored, listed, current),
    )
    plan = reconcile(clusters, continuity, current)
    touched = _touched(clusters, continuity, plan, changed)
    was = _leads_before(connection, plan, continuity, leads) if cause.action_id is not None else {}
    members = {profile_id: clusters[place] for profile_id, place in touched.items()}
    golden = make_golden_records(connection, members, survivorship, written)
    versions = _write_profiles(connection, members, golden, continuity, now)
    entries = _write_ledger(connection, resolution, plan, cause, now)
    repoint_absorbed(connection, plan, continuity, now=now)
    if entries and was:
        restore_leads(connection, leads, was, now=now)
        note_leads(connection, min(min(of_profile) for of_profile in entries.values()), was)
    events = _write_events(connection, clusters, touched, continuity, plan, entries, versions, now)
    return Published(
        profile_of={
            record_id: continuity.profile_of[place]
            for place, cluster in enumerate(clusters)
            for record_id in cluster
        },
        former=current,
        versions=versions,
        created=continuity.created,
        absorbed={change.profile_id: change.absorbed for change in plan.changes if change.absorbed},
        entry_ids=[entry_id for of_profile in entries.values() for entry_id in of_profile],
        events=events,
    )


def _leads_before(
    connection: Connection, plan: Reconciliation, continuity: Continuity, leads: Collection[str]
) -> dict[str, Lead]:
    return select_leads(connection, {*leads, *select_pointing(connection, plan, continuity)})


def _restorable(
    connection: Connection, restored: Mapping[int, str], listed: Collection[int], current: Mapping[int, str]
) -> dict[int, str]:
    """Without the ids that are erased, or that other records bear now."""
    wanted = {record_id: restored[record_id] for record_id in listed if record_id in restored}
    if not wanted:
        return {}
    bound = set_values(connection, "ids", set(wanted.values()))
    states = dict(_states(connection.dialect.name).tuples(connection, **bound))
    own = set(current.values())
    return {
        record_id: profile_id
        for record_id, profile_id in wanted.items()
        if states[profile_id] in ("absorbed", "empty") or profile_id in own
    }


def _touched(
    clusters: Sequence[Sequence[int]],
    continuity: Continuity,
    plan: Reconciliation,
    changed: frozenset[int],
) -> dict[str, int]:
    """Profile to its cluster, where the golden record is made anew."""
    wanted = {change.profile_id for change in plan.changes} | plan.parted.keys() | plan.detached.keys()
    return {
        profile_id: place
        for place, profile_id in enumerate(continuity.profile_of)
        if profile_id in wanted or not changed.isdisjoint(clusters[place])
    }


def _write_profiles(
    connection: Connection,
    members: Mapping[str, Sequence[int]],
    golden: Mapping[str, str],
    continuity: Continuity,
    now: datetime,
) -> dict[str, int]:
    """Insert the new ones, update the others; returns the versions they have now."""
    created = [
        (profile_id, "live", 1, len(listed), golden[profile_id], now, now)
        for profile_id, listed in members.items()
        if profile_id in continuity.created
    ]
    names = ("profile_id", "state", "version", "record_count", "golden", "created_at", "updated_at")
    insert_rows(connection, profiles, created, columns=names)
    rows: list[tuple[str, str | None, int, str, str]] = [
        ("live", None, len(listed), golden[profile_id], profile_id)
        for profile_id, listed in members.items()
        if profile_id not in continuity.created
    ]
    rows += [("absorbed", survivor, 0, NO_GOLDEN, each) for each, survivor in continuity.absorbed.items()]
    rows += [("empty", None, 0, NO_GOLDEN, each) for each in continuity.emptied]
    versions = dict.fromkeys((row[0] for row in created), 1)
    if rows:
        bound = ("to_state", "to_survivor", "to_count", "to_golden", "of_profile")
        _UPDATE.run_many(connection, [dict(zip(bound, row, strict=True)) | {"now": now} for row in rows])
        changed = set_values(connection, "ids", [row[-1] for row in rows])
        versions.update(_versions(connection.dialect.name).tuples(connection, **changed))
    return versions


def _write_ledger(
    connection: Connection,
    resolution: LocalResolution,
    plan: Reconciliation,
    cause: Cause,
    now: datetime,
) -> dict[str, list[int]]:
    """The entries, what they moved, the memberships; returns profile id to its new entries."""
    told = [
        (
            change.kind,
            change.profile_id,
            change_evidence(change, resolution.clusters[change.cluster].joins),
            [(record_id, before, change.profile_id) for record_id, before in change.moves],
        )
        for change in plan.changes
    ]
    told += [
        ("detach", profile_id, NO_EVIDENCE, [(record_id, profile_id, None) for record_id in record_ids])  # type: ignore[misc]
        for profile_id, record_ids in plan.detached.items()
    ]
    entry_ids = reserve_ids(connection, ledger_entries.c.ledger_entry_id, len(told))
    tail = (cause.author, cause.reason, cause.model_version, cause.action_id, cause.report_id, now)
    insert_rows(
        connection,
        ledger_entries,
        [
            (entry_id, kind, profile_id, evidence, *tail)
            for entry_id, (kind, profile_id, evidence, _) in zip(entry_ids, told, strict=True)
        ],
        columns=(
            "ledger_entry_id",
            "kind",
            "profile_id",
            "evidence",
            "author",
            "reason",
            "model_version_id",
            "action_id",
            "report_id",
            "recorded_at",
        ),
    )
    moves = [
        (entry_id, *move)
        for entry_id, (*_, of_entry) in zip(entry_ids, told, strict=True)
        for move in of_entry
    ]
    _move(connection, moves, now)
    entries: dict[str, list[int]] = {}
    for entry_id, (_, profile_id, *_) in zip(entry_ids, told, strict=True):
        entries.setdefault(profile_id, []).append(entry_id)
    return entries


def _move(
    connection: Connection, moves: Sequence[tuple[int, int, str | None, str | None]], now: datetime
) -> None:
    left = [{"left_id": record_id, "now": now} for _, record_id, before, _ in moves if before is not None]
    if left:
        _LEAVE.run_many(connection, left)
    opened = [(record_id, to, entry_id, now) for entry_id, record_id, _, to in moves if to is not None]
    names = ("record_id", "profile_id", "ledger_entry_id", "valid_from")
    insert_rows(connection, memberships, opened, columns=names)
    names = ("ledger_entry_id", "record_id", "from_profile_id", "to_profile_id")
    insert_rows(connection, ledger_moves, moves, columns=names)


def _write_events(
    connection: Connection,
    clusters: Sequence[Sequence[int]],
    touched: Mapping[str, int],
    continuity: Continuity,
    plan: Reconciliation,
    entries: Mapping[str, list[int]],
    versions: Mapping[str, int],
    now: datetime,
) -> list[tuple[str, str]]:
    """Returns the kinds and the profiles they are about."""
    change_of = {change.profile_id: change for change in plan.changes}

    def rows() -> Iterator[tuple[str, str, str, datetime]]:
        for profile_id, place in touched.items():
            kind, payload = change_event(profile_id, change_of.get(profile_id), continuity, plan)
            payload["record_count"] = len(clusters[place])
            yield _event(kind, profile_id, payload)
        for profile_id, state in retired_and_told(continuity, plan):
            yield _event("profile.updated", profile_id, {"state": state, "record_count": 0})

    def _event(kind: str, profile_id: str, payload: dict[str, object]) -> tuple[str, str, str, datetime]:
        payload |= {
            "profile_id": profile_id,
            "version": versions[profile_id],
            "ledger_entry_ids": entries.get(profile_id, []),
        }
        return kind, profile_id, orjson.dumps(payload, option=orjson.OPT_SORT_KEYS).decode(), now

    told = list(rows())
    insert_rows(connection, outbox_events, told, columns=("kind", "subject_id", "payload", "created_at"))
    return [(kind, profile_id) for kind, profile_id, _payload, _now in told]


_UPDATE = QuickStatement(
    update(profiles)
    .where(profiles.c.profile_id == bindparam("of_profile"))
    .values(
        state=bindparam("to_state"),
        absorbed_into=bindparam("to_survivor"),
        record_count=bindparam("to_count"),
        golden=bindparam("to_golden"),
        updated_at=bindparam("now"),
        version=profiles.c.version + 1,
    )
)
_LEAVE = QuickStatement(
    update(memberships)
    .where(memberships.c.record_id == bindparam("left_id"), memberships.c.valid_to.is_(None))
    .values(valid_to=bindparam("now"))
)


@quick
def _versions(dialect: str) -> Select[Any]:
    ids = text_set(dialect, "ids")
    return select(profiles.c.profile_id, profiles.c.version).where(
        profiles.c.profile_id.in_(select(ids.c.id))
    )


@quick
def _states(dialect: str) -> Select[Any]:
    ids = text_set(dialect, "ids")
    return select(profiles.c.profile_id, profiles.c.state).where(profiles.c.profile_id.in_(select(ids.c.id)))
