"""Put a model version in force together with the people it finds, or show what that would change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from cdp.identity.activate import activate_model, require_active_model
from cdp.identity.models import compile_online, require_model
from cdp.identity.resolution_runs import select_last_published
from cdp.identity.resolve import ResolutionReport, resolve_all
from cdp.store import read


@dataclass(frozen=True)
class AppliedModel:
    """changed: whether another version is in force now, or would be. resolution: None where no profile had to be
    made anew: there are none yet, or those there are were made with this version."""

    model_version: int
    changed: bool
    resolution: ResolutionReport | None


def apply_model(
    engine: Engine,
    version: int,
    *,
    author: str,
    reason: str,
    clock: Callable[[], datetime],
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> AppliedModel:
    """Resolve everything with the version and put it in force in the same write; ids are kept.

    Raises UnknownModelError, UnreadableModelError, UncompilableModelError, and what resolve_all raises: the version
    before is then in force as it was.
    """
    active = require_active_model(engine, now=clock()).version
    with read(engine) as connection:
        compile_online(require_model(connection, version))
        last = select_last_published(connection)
    if last is not None and last.model_version != version:
        report = resolve_all(
            engine,
            model_version=version,
            clock=clock,
            dry_run=dry_run,
            author=author,
            reason=reason,
            progress=progress,
        )
        return AppliedModel(version, True, report)
    if dry_run:
        return AppliedModel(version, version != active, None)
    changed = activate_model(engine, version, author=author, reason=reason, now=clock())
    return AppliedModel(version, changed, None)
