"""Put what a resolution found out about pairs into the store: edges, blocking keys, values, candidates.

All of it is replaced by what the run found; what the store holds already is not written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Table, delete, func, select

from cdp.identity.candidate_weights import weigh_all_candidates
from cdp.identity.candidates import Proposal, synchronize_candidates
from cdp.identity.publish import Plan
from cdp.identity.resolution_runs import PublishedRun
from cdp.store import Columns, replace_columns
from cdp.store.schema import blocking_keys, edges, redo_records, shared_values, value_holders

if TYPE_CHECKING:
    # Splink and DuckDB come with it, and the server does without them.
    from resolution import BatchResolution


@dataclass(frozen=True)
class Evidence:
    """What a resolution found out about pairs and values, known by digest and count before it is written."""

    edges: tuple[str, int]
    blocking_keys: tuple[str, int]
    value_holders: tuple[str, int]

    def digests(self) -> dict[str, str]:
        return {
            "edges_digest": self.edges[0],
            "blocking_keys_digest": self.blocking_keys[0],
            "value_holders_digest": self.value_holders[0],
        }


def digest_evidence(resolution: BatchResolution) -> Evidence:
    return Evidence(
        _digest(resolution.edges()),
        _digest(resolution.blocking_keys()),
        _digest(resolution.value_holders()),
    )


def publish_evidence(
    connection: Connection, plan: Plan, evidence: Evidence, last: PublishedRun | None, *, now: datetime
) -> None:
    """Edges, blocking keys, holders and sharing of values; what the store holds already is not written again."""
    known = last.counts if last is not None and last.model_version == plan.model_version else {}
    resolution = plan.resolution
    if not _is_stored(connection, edges, known, evidence.edges):
        chunks = ((*found, [plan.model_version] * len(found[0])) for found in resolution.edges())
        names = ("record_id_l", "record_id_r", "match_weight", "origin", "evidence", "model_version_id")
        replace_columns(connection, edges, chunks, columns=names)
    if not _is_stored(connection, blocking_keys, known, evidence.blocking_keys):
        keys = resolution.blocking_keys()
        replace_columns(connection, blocking_keys, keys, columns=("blocking_key", "record_id"))
    if not _is_stored(connection, value_holders, known, evidence.value_holders):
        holders = resolution.value_holders()
        replace_columns(connection, value_holders, holders, columns=("value_key", "given_sound", "record_id"))
    _publish_shared_values(connection, resolution, now)
    connection.execute(delete(redo_records))


def publish_candidates(connection: Connection, plan: Plan, *, now: datetime) -> dict[str, int]:
    profile_of = {
        record_id: profile_id
        for cluster, profile_id in zip(plan.resolution.clusters, plan.continuity.profile_of, strict=True)
        for record_id in cluster.record_ids
    }
    proposals = (
        Proposal(
            record_id_l=refusal.key_l,
            record_id_r=refusal.key_r,
            profile_id_l=profile_of[refusal.key_l],
            profile_id_r=profile_of[refusal.key_r],
            match_weight=refusal.match_weight,
            reason=refusal.reason,
        )
        for refusal in plan.resolution.refusals
        # A steward has ruled on these.
        if refusal.reason != "cannot_link"
    )
    counts = synchronize_candidates(connection, proposals, plan.model_version, author=plan.author, now=now)
    weigh_all_candidates(connection)
    return counts


def _publish_shared_values(connection: Connection, resolution: BatchResolution, now: datetime) -> None:
    found = {
        value_key: tuple(told)
        for chunk in resolution.shared_values()
        for value_key, *told in zip(*chunk, strict=True)
    }
    table = shared_values
    stored = {
        row.value_key: (row.column_name, row.value, row.holder_count, row.sharing, row.is_held)
        for row in connection.execute(select(table))
    }
    if found != stored:
        rows = [(value_key, *told, now) for value_key, told in sorted(found.items())]
        names = ("value_key", "column_name", "value", "holder_count", "sharing", "is_held", "counted_at")
        replace_columns(connection, table, [list(zip(*rows, strict=True))] if rows else [], columns=names)


def _is_stored(
    connection: Connection, table: Table, known: Mapping[str, Any], digested: tuple[str, int]
) -> bool:
    """Whether the table holds these rows: written by the last run, and as many there are."""
    digest, count = digested
    if known.get(f"{table.name}_digest") != digest:
        return False
    return connection.scalars(select(func.count()).select_from(table)).one() == count


def _digest(chunks: Iterable[Columns]) -> tuple[str, int]:
    digest, count = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(orjson.dumps(chunk))
        count += len(chunk[0])
    return digest.hexdigest(), count
