"""Bring a resolution of everything up to date with what happened while it was made, inside the write that publishes it.

Its evidence is in the store, as of its snapshot; each record and ruling that changed since is followed from there, the
way records are that come one at a time. Their people are then found under the model of the resolution, whatever the
one was that answered meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from cdp.identity.continuity import keep_profile_ids
from cdp.identity.memberships import select_current_profiles, select_former_profiles
from cdp.identity.publish import Plan
from cdp.identity.reconciliation import reconcile
from cdp.identity.redo_queue import CONDITION_FAILED, set_aside
from cdp.identity.snapshot import StoreChangedError, StoreChanges, find_differing_golden
from cdp.realtime.linkage_index import StoreIndex
from cdp.realtime.planned_index import PlannedIndex
from cdp.realtime.planned_people import PlannedPeople
from cdp.store import id_set, stream_rows
from cdp.store.schema import profiles, source_records, sources
from resolution import Cluster, OnlineModel, resolve_changes

if TYPE_CHECKING:
    # Splink and DuckDB come with it, and the server does without them.
    from resolution import BatchResolution

# All other writers wait meanwhile: some milliseconds a record.
FOLLOWED_AT_MOST = 20_000

# Records whose neighbours are held in memory at once.
FOLLOWED_AT_ONCE = 500


def catch_up(
    connection: Connection,
    before: Connection,
    plan: Plan,
    changes: StoreChanges,
    model: OnlineModel,
    *,
    new_ids: Callable[[str | None], Callable[[], str]],
    now: datetime,
) -> Plan:
    """The plan for the store as it is. The evidence of the resolution is in the store, and is brought up to date.

    Before: reads the snapshot that the resolution started from. New ids: makes ids that follow the newest one. Raises
    StoreChangedError when too much changed.
    """
    resolution = plan.resolution
    if changes.of_evidence:
        resolution = _follow(connection, before, resolution, changes, model, now=now)
    clusters = [cluster.record_ids for cluster in resolution.clusters]
    current = select_current_profiles(connection)
    newest = connection.scalar(select(func.max(profiles.c.profile_id)))
    continuity = keep_profile_ids(
        clusters,
        current,
        lambda record_ids: select_former_profiles(connection, record_ids),
        new_ids(newest),
    )
    touched = (*changes.records.added, *changes.records.updated)
    asked = plan.stale | {current[record_id] for record_id in touched if record_id in current}
    return replace(
        plan,
        resolution=resolution,
        continuity=continuity,
        reconciliation=reconcile(clusters, continuity, current),
        survivorship=changes.survivorship,
        stale=_find_stale(connection, changes, asked),
    )


def _follow(
    connection: Connection,
    before: Connection,
    resolution: BatchResolution,
    changes: StoreChanges,
    model: OnlineModel,
    *,
    now: datetime,
) -> BatchResolution:
    changed = sorted((*changes.records.added, *changes.records.updated, *changes.records.gone))
    if len(changed) > FOLLOWED_AT_MOST:
        raise StoreChangedError(
            f"{len(changed):,} records changed while everything was resolved, more than can be followed at once; the "
            "profiles are as they were. Run `cdp resolve` again."
        )
    people = PlannedPeople(resolution.clusters, resolution.refusals)
    as_seen = StoreIndex(before, resolution.model.version).select_records(changed)
    index = PlannedIndex(
        connection,
        resolution.model.version,
        people,
        {record_id: as_seen.get(record_id) for record_id in changed},
        now=now,
    )
    # First with the records as they were: the rulings are those of now from the beginning.
    if changes.ruled or changes.holding:
        found = resolve_changes(index, model, [], concerned=changes.ruled, holding=changes.holding)
        people.take(found)
        set_aside(connection, found.unscored, CONDITION_FAILED, now=now)
    for record_ids in _cut(changed, FOLLOWED_AT_ONCE):
        found = resolve_changes(index, model, index.follow(record_ids))
        people.take(found)
        set_aside(connection, found.unscored, CONDITION_FAILED, now=now)
    clusters = _in_key_order(connection, people.clusters)
    counts = {
        "records": sum(len(cluster.record_ids) for cluster in clusters),
        "clusters": len(clusters),
        "largest_cluster": max((len(cluster.record_ids) for cluster in clusters), default=0),
    }
    return replace(resolution, clusters=clusters, refusals=people.refusals, counts=resolution.counts | counts)


def _in_key_order(connection: Connection, clusters: Collection[Cluster]) -> list[Cluster]:
    """In the order of the record keys of their first records."""
    firsts = {cluster.record_ids[0] for cluster in clusters}
    names = dict(connection.execute(select(sources.c.source_id, sources.c.name)).all())
    # An index holds all three.
    table = source_records
    keys = select(table.c.record_id, table.c.source_id, table.c.source_record_id)
    key_of = {
        row.record_id: (names[row.source_id], row.source_record_id)
        for chunk in stream_rows(connection, keys)
        for row in chunk
        if row.record_id in firsts
    }
    return sorted(clusters, key=lambda cluster: key_of[cluster.record_ids[0]])


def _find_stale(connection: Connection, changes: StoreChanges, asked: Collection[str]) -> frozenset[str]:
    """The profiles whose golden record is not what their members give: among those asked, or all."""
    if changes.other_golden:
        return frozenset(find_differing_golden(connection, changes.survivorship))
    if not asked:
        return frozenset()
    among = select(id_set(connection, sorted(asked)).c.id)
    return frozenset(find_differing_golden(connection, changes.survivorship, among))


def _cut(items: Iterable[int], size: int) -> Iterator[Sequence[int]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part
