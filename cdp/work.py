"""What waits in the store and is done beside the requests: records to be resolved anew, audit entries to be
sealed, the disagreement to be measured, answers kept for repeated calls to be deleted.

Everything waits in the store itself: whoever works it off may stop at any moment, and several may do it side by side.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Engine

from cdp.errors import CdpError
from cdp.idempotency import delete_expired_answers
from cdp.identity.redo_queue import select_due
from cdp.privacy.audit import count_unsealed, seal_audit
from cdp.realtime.disagreement import Disagreement
from cdp.realtime.ingest import Resolver
from cdp.realtime.measure import Sampling, measure_when_due
from cdp.realtime.redo import drain_redo
from cdp.stopping import Wait
from cdp.store import StoreError, read
from cdp.store.errors import (
    StoreBusyError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
    WriteConflictError,
)

# Records in one write: requests of others wait for it on SQLite, and may conflict with it on PostgreSQL.
REDO_AT_A_STEP = 100

# Tries of work that the store does not let be done now, with pauses of about 1, 2, 4, ... seconds between.
ATTEMPTS = 8
LONGEST_PAUSE_SECONDS = 60.0

# What may be over after a while.
_PASSING: tuple[type[StoreError], ...] = (
    StoreBusyError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
    WriteConflictError,
)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Worked:
    """resolved: records that waited in the queue; sealed: audit entries that have their place in the chain now;
    set_aside: records of the queue that could not be resolved as they should be, with the reason; disagreement: as it
    was measured, None when it was not time; expired: stored answers to calls that nobody repeats any more, deleted."""

    resolved: int
    sealed: int
    set_aside: dict[int, str] = field(default_factory=dict)
    disagreement: Disagreement | None = None
    expired: int = 0

    def is_anything(self) -> bool:
        return bool(self.resolved or self.sealed or self.set_aside or self.disagreement or self.expired)


def work_off(
    resolver: Resolver, *, clock: Callable[[], datetime], wait: Wait, sampling: Sampling | None = None
) -> Worked:
    """Do all that is due, step by step, until nothing is left or it is time to stop.

    Sampling: None to measure no disagreement.
    """
    try:
        taken, set_aside = _drain(resolver, clock, wait)
    except StoreError:
        raise
    except CdpError:
        # The queue cannot be worked off until somebody does something; the audit need not wait for that.
        _seal(resolver.engine)
        raise
    measured = _measure(resolver, sampling, clock()) if sampling is not None and not wait(0) else None
    expired = _delete_expired(resolver.engine, clock, wait)
    return Worked(taken - len(set_aside), _seal(resolver.engine), set_aside, measured, expired)


def _delete_expired(engine: Engine, clock: Callable[[], datetime], wait: Wait) -> int:
    deleted = 0
    while not wait(0) and (step := delete_expired_answers(engine, now=clock())):
        deleted += step
    return deleted


def _measure(resolver: Resolver, sampling: Sampling, now: datetime) -> Disagreement | None:
    seed = random.SystemRandom().randrange(2**31)
    return measure_when_due(resolver.engine, resolver.models, sampling, seed=seed, now=now)


def _drain(resolver: Resolver, clock: Callable[[], datetime], wait: Wait) -> tuple[int, dict[int, str]]:
    taken, set_aside = 0, dict[int, str]()
    while _has_due(resolver.engine, clock()) and not wait(0):
        drained = drain_redo(resolver, at_most=REDO_AT_A_STEP, now=clock())
        if not drained.taken:
            break  # Another one was quicker.
        taken += drained.taken
        set_aside |= drained.set_aside
    return taken, set_aside


def insist(work: Callable[[], Result], *, wait: Wait, tell: Callable[[str], None]) -> Result | None:
    """Do the work, again after a pause while the store does not let it; None when it is time to stop.

    Raises the last StoreError after ATTEMPTS, and at once one that will not pass.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work()
        except _PASSING as error:
            if attempt == ATTEMPTS:
                raise
            pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** (attempt - 1)) * random.uniform(0.75, 1.25)
            tell(f"{error} Try {attempt} of {ATTEMPTS} failed; the next is in {pause:.1f} seconds.")
            if wait(pause):
                return None
    raise AssertionError("unreachable")


def keep_working(
    work: Callable[[], Worked],
    *,
    poll_seconds: float,
    wait: Wait,
    show: Callable[[Worked], None],
    tell: Callable[[str], None],
) -> None:
    """Do what is due, then look again after a pause, until it is time to stop. The pauses of several differ."""
    while not wait(0):
        worked = insist(work, wait=wait, tell=tell)
        if worked is None:
            return
        if worked.is_anything():
            show(worked)
        if wait(poll_seconds * random.uniform(0.75, 1.25)):
            return


def _has_due(engine: Engine, now: datetime) -> bool:
    """By reading: a write would stop others on SQLite, and mostly there is nothing to do."""
    with read(engine) as connection:
        return bool(select_due(connection, at_most=1, now=now))


def _seal(engine: Engine) -> int:
    with read(engine) as connection:
        waiting = count_unsealed(connection)
    return seal_audit(engine) if waiting else 0
