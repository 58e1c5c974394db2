"""Every check of the store, and in place of resolving everything anew a sample of records: for large stores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from cdp.identity.verify import Verification, told, verify_store
from cdp.realtime.disagreement import Disagreement, measure_disagreement
from cdp.realtime.online_models import OnlineModels, select_online_version
from cdp.store import read


@dataclass(frozen=True)
class SampledVerification:
    """measured: None where nothing was resolved yet."""

    verification: Verification
    measured: Disagreement | None


def verify_sample(
    engine: Engine,
    *,
    sample_size: int,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> SampledVerification:
    """Raises StoreNotResolvedError for profiles of a release that kept no index."""
    verification = verify_store(engine, partition=False, progress=progress)
    progress("partition of a sample")
    with read(engine) as connection:
        version = select_online_version(connection)
        if version is None:
            return SampledVerification(verification, None)
        model = OnlineModels().require(connection, version)
        measured = measure_disagreement(connection, model, sample_size, seed)
    breaches, count = told("partition", measured.found)
    sampled = replace(
        verification,
        checks=verification.checks | {"partition": count},
        breaches=verification.breaches + breaches,
        skipped={name: reason for name, reason in verification.skipped.items() if name != "partition"},
        disagreement=measured.share,
    )
    return SampledVerification(sampled, measured)
