"""Put what a resolution found out about pairs into the store: edges, blocking keys, values, candidates.

All of it is replaced by what the run found; what the store holds already is not written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import Connection, Table, func, select

from cdp.identity.candidates import Proposal, synchronize_candidates
from cdp.identity.publish import Plan
from cdp.identity.resolution_runs import PublishedRun
from cdp.store import replace_rows
from cdp.store.schema import blocking_keys, edges, identifier_values
from resolution import BatchResolution

# What the store calls the identifiers that the engine keeps in columns; variants are no identifiers.
KIND_OF_COLUMN = {
    "phones": "phone",
    "emails": "email",
    "handles": "handle",
    "loyalty_ids": "loyalty_id",
    "device_ids": "device_id",
    "documents": "document",
    "other_documents": "document",
    "whatsapp_bsuids": "whatsapp_bsuid",
}


@dataclass(frozen=True)
class Evidence:
    """The edges and blocking keys of a resolution, known by digests and counts before they are written."""

    edges_digest: str
    edge_count: int
    blocking_keys_digest: str
    blocking_key_count: int


def digest_evidence(resolution: BatchResolution) -> Evidence:
    edges_digest, edge_count = _digest(resolution.edges())
    keys_digest, key_count = _digest(resolution.blocking_keys())
    return Evidence(edges_digest, edge_count, keys_digest, key_count)


def publish_evidence(
    connection: Connection, plan: Plan, evidence: Evidence, last: PublishedRun | None, *, now: datetime
) -> None:
    """Edges, blocking keys and shared values; what the store holds already is not written again."""
    known = last.counts if last is not None and last.model_version == plan.model_version else {}
    resolution, version = plan.resolution, plan.model_version
    if not _is_stored(connection, edges, known, evidence.edges_digest, evidence.edge_count):
        rows = (
            (left, right, version, weight, told)
            for chunk in resolution.edges()
            for left, right, weight, told in chunk
        )
        names = ("record_id_l", "record_id_r", "model_version_id", "match_weight", "evidence")
        replace_rows(connection, edges, rows, columns=names)
    if not _is_stored(
        connection, blocking_keys, known, evidence.blocking_keys_digest, evidence.blocking_key_count
    ):
        keys = chain.from_iterable(resolution.blocking_keys())
        replace_rows(connection, blocking_keys, keys, columns=("blocking_key", "record_id"))
    _publish_shared_values(connection, resolution, now)


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
    return synchronize_candidates(connection, proposals, plan.model_version, author=plan.author, now=now)


def _publish_shared_values(connection: Connection, resolution: BatchResolution, now: datetime) -> None:
    found = {
        (KIND_OF_COLUMN[column], value): (holder_count, sharing)
        for chunk in resolution.shared_values()
        for column, value, holder_count, sharing in chunk
        if column in KIND_OF_COLUMN
    }
    table = identifier_values
    stored = {
        (row.kind, row.value): (row.holder_count, row.sharing) for row in connection.execute(select(table))
    }
    if found != stored:
        rows = ((*key, *counted, now) for key, counted in sorted(found.items()))
        replace_rows(
            connection, table, rows, columns=("kind", "value", "holder_count", "sharing", "counted_at")
        )


def _is_stored(
    connection: Connection, table: Table, known: Mapping[str, Any], digest: str, count: int
) -> bool:
    """Whether the table holds these rows: written by the last run, and as many there are."""
    if known.get(f"{table.name}_digest") != digest:
        return False
    return connection.scalars(select(func.count()).select_from(table)).one() == count


def _digest(chunks: Iterable[Sequence[Any]]) -> tuple[str, int]:
    digest, count = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(orjson.dumps(chunk))
        count += len(chunk)
    return digest.hexdigest(), count
