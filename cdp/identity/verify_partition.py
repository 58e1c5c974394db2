"""The check that the profiles are what records, model and rulings give: everything is resolved anew and compared."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection, select

from cdp.identity.agreement import Found, compare_partitions, disagreeing_records
from cdp.identity.batch_memory import batch_memory
from cdp.identity.identifier_reports import select_held_values
from cdp.identity.linkage_records import stream_linkage_records, stream_record_days
from cdp.identity.memberships import select_current_profiles
from cdp.identity.models import require_model
from cdp.identity.redo_queue import select_concerned
from cdp.identity.snapshot import select_constraints
from cdp.store import stream_rows
from cdp.store.schema import edges
from resolution import BatchResolution, resolve_batch

Pair = tuple[int, int]


@dataclass(frozen=True)
class PartitionCheck:
    """found: where profiles and clusters differ. disagreement: the share of records whose people differ, see
    `disagreeing_records`; None where none was compared. waiting: records whose people the queue may still change;
    neither tells of them."""

    found: list[Found]
    disagreement: float | None
    waiting: int


def check_partition(connection: Connection, model_version: int) -> PartitionCheck:
    """Resolve all live records anew under the version that the profiles were made with."""
    current = select_current_profiles(connection)
    model = require_model(connection, model_version)
    with resolve_batch(
        stream_linkage_records(connection),
        model,
        select_constraints(connection),
        held=select_held_values(connection),
        days=stream_record_days(connection),
        memory_limit=batch_memory(),
        threads=os.cpu_count() or 1,
    ) as resolution:
        clusters = [cluster.record_ids for cluster in resolution.clusters]
        waiting = _waiting(connection, resolution)
    differing = disagreeing_records(clusters, current) - waiting
    looked_at = sum(map(len, clusters)) - len(waiting)
    return PartitionCheck(
        list(compare_partitions(clusters, current, waiting=waiting)),
        len(differing) / looked_at if looked_at else None,
        len(waiting),
    )


def _waiting(connection: Connection, resolution: BatchResolution) -> set[int]:
    """The live records whose people the queue may still change: all that links, those of the store or those found
    now, connect with records that it concerns."""
    specification = resolution.model.specification
    concerned = select_concerned(connection, specification.sharing)
    if not concerned:
        return set()
    link = specification.thresholds.link
    stored = select(edges.c.record_id_l, edges.c.record_id_r).where(edges.c.match_weight >= link)
    found = (
        (left, right)
        for chunk in resolution.edges()
        for left, right, weight, _, _ in zip(*chunk, strict=True)
        if weight >= link
    )
    kept = ((row.record_id_l, row.record_id_r) for chunk in stream_rows(connection, stored) for row in chunk)
    reached = _connected(concerned, chain(found, kept, select_constraints(connection).together))
    live = {record_id for cluster in resolution.clusters for record_id in cluster.record_ids}
    return reached & live


def _connected(start: Iterable[int], pairs: Iterator[Pair]) -> set[int]:
    """All that pairs connect with the start, and the start itself."""
    beside: dict[int, list[int]] = defaultdict(list)
    for left, right in pairs:
        beside[left].append(right)
        beside[right].append(left)
    reached = set(start)
    frontier = list(reached)
    while frontier:
        new = {each for record_id in frontier for each in beside.get(record_id, ())} - reached
        reached |= new
        frontier = list(new)
    return reached
