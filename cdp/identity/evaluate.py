"""Score the profiles of the store against a truth."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from cdp.identity.export import stream_memberships
from cdp.intake.truth import RecordKey, Truth
from cdp.store import read
from resolution.evaluation import Evaluation, evaluate_clusters


def evaluate_profiles(
    engine: Engine,
    truth: Truth,
    *,
    replicates: int = 200,
    seed: int = 0,
    shown: int = 10,
    on_progress: Callable[[int], None] = lambda records_read: None,
) -> Evaluation:
    """Memberships as they are now against the truth; records without a profile stand alone."""
    found: dict[RecordKey, str] = {}
    with read(engine) as connection:
        for rows in stream_memberships(connection):
            found.update(((source, record), profile_id) for source, record, _, profile_id in rows)
            on_progress(len(found))
    return evaluate_clusters(
        truth.entities, found, flags=truth.flags or None, replicates=replicates, seed=seed, shown=shown
    )
