"""Resolve everything: score and partition all records, then publish profiles, ledger and evidence at once.

Until the one write at the end the profiles before it serve on; a run that dies leaves them as they are. What changes
meanwhile is followed in that write, see `catch_up`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, TypeVar

from sqlalchemy import Connection, Engine, Table, select

from cdp.errors import CdpError
from cdp.identity.activate import require_active_model, switch_model
from cdp.identity.batch_memory import batch_memory, describe_failure
from cdp.identity.catch_up import catch_up
from cdp.identity.continuity import keep_profile_ids
from cdp.identity.linkage_records import stream_linkage_records, stream_record_days
from cdp.identity.memberships import select_former_profiles
from cdp.identity.models import compile_online, require_model
from cdp.identity.preview import Preview, preview_plan
from cdp.identity.profile_ids import profile_ids
from cdp.identity.publish import Plan, publish_profiles
from cdp.identity.publish_evidence import digest_evidence, publish_candidates, publish_evidence
from cdp.identity.reconciliation import reconcile
from cdp.identity.redo_queue import count_waiting
from cdp.identity.resolution_runs import (
    abandon_runs,
    close_run,
    insert_online_run,
    insert_run,
    select_last_published,
)
from cdp.identity.snapshot import (
    Snapshot,
    StoreChangedError,
    find_changes,
    find_stale_profiles,
    select_snapshot,
)
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.realtime.ingest import Resolver
from cdp.realtime.online_models import OnlineModels
from cdp.realtime.redo import drain_redo
from cdp.store import StoreError, read, retry_write, schema
from cdp.store.errors import StoreBusyError
from cdp.store.turns import writing_turn
from resolution import Model, OnlineModel, ResolutionError

AUTHOR = "service:resolve"
REASON = "batch resolution"

# What a publication reads, and whose writers would end it, in the order in which those writers come to them. Not
# what it only adds to: looking at a profile adds to the audit, and goes on meanwhile.
PUBLISHED_TABLES = (
    schema.sources,
    schema.source_records,
    schema.identifiers,
    schema.pair_constraints,
    schema.frozen_records,
    schema.identifier_reports,
    schema.profiles,
    schema.ledger_entries,
    schema.ledger_moves,
    schema.memberships,
    schema.merge_candidates,
    schema.edges,
    schema.blocking_keys,
    schema.value_holders,
    schema.shared_values,
    schema.redo_records,
    schema.resolution_runs,
    schema.model_activations,
)

# For others to end what they write.
PATIENCE_SECONDS = 60.0

# Waiting records that are resolved in one write.
_DRAINED_AT_ONCE = 100

Progress = Callable[[str], None]

Result = TypeVar("Result")


class RunReplacedError(CdpError):
    """Another run began while this one worked; nothing of this one was published."""

    reason = "run_replaced"


class ResolutionFailedError(CdpError):
    """The engine could not resolve the records; the profiles are as they were."""

    reason = "resolution_failed"


class ResolutionReport(TypedDict):
    """run_id and changes are None and the preview is there for a dry run, the other way round for a run."""

    model_version: int
    run_id: int | None
    counts: dict[str, int]
    changes: dict[str, int] | None
    preview: Preview | None


def resolve_all(
    engine: Engine,
    *,
    model_version: int | None = None,
    clock: Callable[[], datetime],
    dry_run: bool = False,
    author: str = AUTHOR,
    reason: str = "",
    new_id: Callable[[], str] | None = None,
    progress: Progress = lambda _: None,
) -> ResolutionReport:
    """Resolve all live records with a model version, by default the one in force.

    Another version comes into force with the profiles it made, in the same write; reason: why, for the audit. Raises
    UnknownModelError, UncompilableModelError, StoreChangedError, RunReplacedError, ResolutionFailedError; the profiles
    are then as they were.
    The clock is asked when the run begins, when it publishes and when it ends.
    """
    now = clock()
    active = require_active_model(engine, now=now)
    if model_version is None or model_version == active.version:
        model = active
    else:
        with read(engine) as connection:
            model = require_model(connection, model_version)
    # What could not go on record by record is not begun.
    online = compile_online(model)
    order = _Order(model, online, author, reason, now, clock, new_id, progress)
    if dry_run:
        with _engine_errors(), _planned(engine, order, 0) as (plan, snapshot, _):
            return ResolutionReport(
                model_version=model.version,
                run_id=None,
                counts=plan.resolution.counts,
                changes=None,
                preview=preview_plan(plan, snapshot),
            )
    return _run(engine, order)


@dataclass(frozen=True)
class _Order:
    """What is to be done, and by whom. new_id: None for ids of the service's own making."""

    model: Model
    online: OnlineModel
    author: str
    reason: str
    started_at: datetime
    clock: Callable[[], datetime]
    new_id: Callable[[], str] | None
    progress: Progress

    def now(self) -> datetime:
        """A clock that was set back must not end a run before it began."""
        return max(self.started_at, self.clock())

    def new_ids(self, after: str | None) -> Callable[[], str]:
        return self.new_id or profile_ids(self.started_at, after=after)


def _run(engine: Engine, order: _Order) -> ResolutionReport:
    run_id = _write_in_turn(engine, lambda connection: _begin_run(connection, order))
    try:
        with _engine_errors(), _planned(engine, order, run_id) as (plan, snapshot, before):
            order.progress("publishing")
            published, changes = _publish(engine, before, plan, snapshot, order)
    except (StoreChangedError, RunReplacedError, KeyboardInterrupt):
        _give_up(engine, run_id, "abandoned", order.now())
        raise
    except Exception:
        _give_up(engine, run_id, "failed", order.now())
        raise
    _work_off_queue(engine, order)
    return ResolutionReport(
        model_version=published.model_version,
        run_id=run_id,
        counts=published.resolution.counts,
        changes=changes,
        preview=None,
    )


def _write_in_turn(
    engine: Engine, work: Callable[[Connection], Result], *, alone_on: Sequence[Table] = ()
) -> Result:
    """Who worked for minutes does not give up because another one writes for longer than a request would wait."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with writing_turn(engine, timeout_seconds=PATIENCE_SECONDS):
                return retry_write(engine, work, alone_on=alone_on)
        except StoreBusyError:
            if time.monotonic() > deadline:
                raise


def _work_off_queue(engine: Engine, order: _Order) -> None:
    """What came while everything was resolved may have made values shared that many hold."""
    with read(engine) as connection:
        waiting = count_waiting(connection)
    resolver = Resolver(engine, OnlineModels())
    # All is published: where the store is busy, the rest waits for `cdp worker`.
    with suppress(StoreError):
        while waiting > 0:
            order.progress(f"resolving {waiting:,} waiting records")
            with writing_turn(engine, timeout_seconds=PATIENCE_SECONDS):
                drained = drain_redo(resolver, at_most=_DRAINED_AT_ONCE, now=order.now())
            waiting = waiting - drained.taken if drained.taken else 0


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except ResolutionError as error:
        raise ResolutionFailedError(f"The records cannot be resolved: {describe_failure(error)}") from error


def _begin_run(connection: Connection, order: _Order) -> int:
    abandon_runs(connection, now=order.started_at)
    return insert_run(connection, order.model.version, now=order.started_at)


def _give_up(engine: Engine, run_id: int, state: str, now: datetime) -> None:
    # What went wrong is told by the error at hand; the next run sees to a row that stays open.
    with suppress(StoreError):
        _write_in_turn(engine, lambda connection: close_run(connection, run_id, state, counts={}, now=now))


@contextmanager
def _planned(engine: Engine, order: _Order, run_id: int) -> Iterator[tuple[Plan, Snapshot, Connection]]:
    """A plan over one snapshot of the store, which the connection reads; while the block lasts."""
    # Splink and DuckDB come with it: a server loads them when it first resolves everything, which few ever do.
    from resolution import resolve_batch

    with read(engine) as connection, ExitStack() as workspace:
        last = select_last_published(connection)
        snapshot = select_snapshot(connection)
        resolution = workspace.enter_context(
            resolve_batch(
                stream_linkage_records(connection),
                order.model,
                snapshot.constraints,
                held=snapshot.held,
                days=stream_record_days(connection),
                memory_limit=batch_memory(),
                threads=os.cpu_count() or 1,
                progress=order.progress,
            )
        )
        order.progress("keeping profile ids")
        clusters = [cluster.record_ids for cluster in resolution.clusters]
        continuity = keep_profile_ids(
            clusters,
            snapshot.current,
            lambda record_ids: select_former_profiles(connection, record_ids),
            order.new_ids(snapshot.newest_profile_id),
        )
        reconciliation = reconcile(clusters, continuity, snapshot.current)
        stale = find_stale_profiles(connection, snapshot, last)
        plan = Plan(
            run_id=run_id,
            author=order.author,
            reason=REASON,
            resolution=resolution,
            continuity=continuity,
            reconciliation=reconciliation,
            survivorship=snapshot.survivorship,
            stale=stale,
        )
        yield plan, snapshot, connection


def _publish(
    engine: Engine, before: Connection, planned: Plan, snapshot: Snapshot, order: _Order
) -> tuple[Plan, dict[str, int]]:
    """What was published, and what that changed. Before: reads the snapshot."""
    evidence = digest_evidence(planned.resolution)

    def work(connection: Connection) -> tuple[Plan, dict[str, int]]:
        meanwhile = find_changes(connection, snapshot)
        moment = _not_before_the_ledger(connection, order.now())
        last = select_last_published(connection)
        publish_evidence(connection, planned, evidence, last, now=moment)
        plan = planned
        if meanwhile is not None:
            order.progress(f"following {meanwhile.records.count:,} changed records")
            plan = catch_up(
                connection, before, plan, meanwhile, order.online, new_ids=order.new_ids, now=moment
            )
        changes = plan.reconciliation.kinds() | publish_profiles(connection, plan, now=moment)
        changes |= publish_candidates(connection, plan, now=moment)
        changes["records_followed"] = meanwhile.records.count if meanwhile is not None else 0
        digests = {
            **evidence.digests(),
            "records_digest": snapshot.records.digest,
            "survivorship_digest": plan.survivorship.digest(),
        }
        counts: Mapping[str, Any] = {**plan.resolution.counts, **changes, **digests}
        if not close_run(connection, plan.run_id, "published", counts=counts, now=max(moment, order.now())):
            raise RunReplacedError(
                f"Run {plan.run_id} was given up because another one began; the profiles are as they were.",
                ids=[plan.run_id],
            )
        if meanwhile is not None and meanwhile.of_evidence:
            # The store is not as the batch left it.
            insert_online_run(connection, plan.model_version, now=moment)
        why = f"run {plan.run_id}: {order.reason}" if order.reason else f"run {plan.run_id}"
        switch_model(connection, plan.model_version, author=plan.author, reason=why, now=moment)
        details = {"model_version": plan.model_version, **counts}
        entry = AuditEntry(plan.author, "resolution.publish", "run", str(plan.run_id), moment, details)
        append_audit(connection, [entry])
        return plan, changes

    return _write_in_turn(engine, work, alone_on=PUBLISHED_TABLES)


def _not_before_the_ledger(connection: Connection, now: datetime) -> datetime:
    """Now, or the moment of the last entry when the clock went back: no membership ends before it began."""
    entries = schema.ledger_entries
    last = select(entries.c.recorded_at).order_by(entries.c.ledger_entry_id.desc()).limit(1)
    recorded_at = connection.scalar(last)
    return now if recorded_at is None else max(now, recorded_at)
