"""Score the profiles of the store against a truth."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from cdp.errors import CdpError
from cdp.identity.export import stream_memberships
from cdp.intake.truth import RecordKey, Truth
from cdp.store import read
from resolution.evaluation import Evaluation, evaluate_clusters


class NothingToEvaluateError(CdpError):
    """A score of nothing would look like a good one."""

    reason = "nothing_to_evaluate"


def evaluate_profiles(
    engine: Engine,
    truth: Truth,
    *,
    replicates: int = 200,
    seed: int = 0,
    shown: int = 10,
    on_progress: Callable[[int], None] = lambda records_read: None,
) -> Evaluation:
    """Memberships as they are now against the truth; records without a profile stand alone.

    Raises NothingToEvaluateError when no record of the truth has a profile.
    """
    found: dict[RecordKey, str] = {}
    with read(engine) as connection:
        for rows in stream_memberships(connection):
            found.update(((source, record), profile_id) for source, record, _, profile_id in rows)
            on_progress(len(found))
    if not found:
        raise NothingToEvaluateError(
            "No record is in a profile: `cdp import` some, then `cdp resolve`, and evaluate again."
        )
    if found.keys().isdisjoint(truth.entities):
        raise NothingToEvaluateError(
            f"None of the {len(truth.entities):,} records of the truth is in a profile: its sources and keys "
            "must be those that the records were imported with."
        )
    return evaluate_clusters(
        truth.entities, found, flags=truth.flags or None, replicates=replicates, seed=seed, shown=shown
    )
