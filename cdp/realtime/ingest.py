"""Take records in: stored, resolved among their neighbours, published, audited and told, in one transaction.

The same people come out as `cdp resolve` finds over everything, in whatever order records come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, select, update

from cdp.errors import CdpError
from cdp.idempotency import Once, carry_out_once
from cdp.identity.candidates import Proposal
from cdp.identity.golden import select_survivorship
from cdp.identity.leads import LeadChange
from cdp.identity.profile_ids import profile_ids
from cdp.identity.redo_queue import CONDITION_FAILED, set_aside
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.realtime.foresight import Foresight
from cdp.realtime.incoming import IncomingRecord
from cdp.realtime.ingested import Effect, Ingested, answers_of, told_of
from cdp.realtime.linkage_index import StoreIndex
from cdp.realtime.local_candidates import synchronize_local_candidates
from cdp.realtime.online_models import (
    NoModelError,
    OnlineModels,
    StoreNotResolvedError,
    prepare_store,
    require_online_version,
)
from cdp.realtime.publish_region import Cause, Published, publish_region
from cdp.realtime.versions import store_versions
from cdp.store import retry_write
from cdp.store.quick import QuickStatement
from cdp.store.schema import (
    engagement_states,
    identifiers,
    ledger_entries,
    profiles,
    source_records,
    sources,
)
from resolution import (
    Change,
    IndexedRecord,
    IndexOutdatedError,
    LocalResolution,
    Value,
    resolve_changes,
)

REASON = "online resolution"
REASON_OF_DELETION = "record deleted"

Result = TypeVar("Result")

_NOTHING_RESTORED: Mapping[int, str] = MappingProxyType({})
_NOTHING_WRITTEN: Mapping[int, IncomingRecord] = MappingProxyType({})
_NO_LEADS: Mapping[str, LeadChange] = MappingProxyType({})


class UnknownRecordError(CdpError):
    """There is no live record of this key."""

    reason = "unknown_record"


@dataclass(frozen=True)
class Deleted:
    """profiles_touched: the profile that held the record, and those that came of it."""

    profiles_touched: Sequence[str]
    model_version: int


@dataclass(frozen=True)
class Resolver:
    """What resolving online needs besides the store; one a process."""

    engine: Engine
    models: OnlineModels
    new_ids: Callable[[datetime, str | None], Callable[[], str]] = lambda now, after: profile_ids(
        now, after=after
    )


def ingest_records(
    resolver: Resolver,
    records: Sequence[IncomingRecord],
    *,
    author: str,
    now: datetime,
    begin: Callable[[Connection], None] | None = None,
    end: Callable[[Connection, Sequence[Ingested]], None] | None = None,
    foresight: Foresight | None = None,
) -> list[Ingested]:
    """Take records in at once; the answers are in their order.

    Begin and end are part of the write, before anything is done and when all is. Foresight: what was worked out of the
    records before.
    """

    def work(connection: Connection) -> list[Ingested]:
        if begin is not None:
            begin(connection)
        moment = not_before_the_ledger(connection, now)
        answers = take_in(connection, resolver, records, author=author, now=moment, foresight=foresight)
        if end is not None:
            end(connection, answers)
        return answers

    return write_online(resolver, work, now=now)


def take_in(
    connection: Connection,
    resolver: Resolver,
    records: Sequence[IncomingRecord],
    *,
    author: str,
    now: datetime,
    foresight: Foresight | None = None,
) -> list[Ingested]:
    """The part of ingest_records that is inside the write. Now: not before the ledger."""
    stored = store_versions(connection, records, now=now)
    version = require_online_version(connection, now=now)
    effect = None
    if stored.changes:
        cause = Cause(author, REASON, version)
        effect = resolve_and_publish(
            connection,
            resolver,
            stored.changes,
            cause,
            written=stored.written,
            foresight=foresight,
            now=now,
        )
        told = {"records": [change.record_id for change in stored.changes]}
        entry = AuditEntry(author, "records.write", "records", "", now, told | told_of(effect))
        append_audit(connection, [entry])
    return answers_of(connection, stored, effect, version)


def delete_record(
    resolver: Resolver,
    source: str,
    source_record_id: str,
    *,
    author: str,
    now: datetime,
    once: Once[Deleted] | None = None,
) -> Deleted:
    """Take a record out. Raises UnknownRecordError.

    It comes back only in a version that is younger than its deletion.
    """

    def work(connection: Connection) -> Deleted:
        moment = not_before_the_ledger(connection, now)
        before = _select_live(connection, source, source_record_id)
        connection.execute(
            update(source_records)
            .where(source_records.c.record_id == before.record_id)
            .values(deleted_at=moment)
        )
        connection.execute(identifiers.delete().where(identifiers.c.record_id == before.record_id))
        connection.execute(
            engagement_states.delete().where(engagement_states.c.record_id == before.record_id)
        )
        version = require_online_version(connection, now=moment)
        cause = Cause(author, REASON_OF_DELETION, version)
        changes = [Change(before.record_id, before)]
        effect = resolve_and_publish(connection, resolver, changes, cause, now=moment)
        entry = AuditEntry(author, "records.delete", "record", str(before.record_id), moment, told_of(effect))
        append_audit(connection, [entry])
        return Deleted(sorted(effect.published.versions), version)

    return write_online(resolver, work, now=now, once=once)


def write_online(
    resolver: Resolver,
    work: Callable[[Connection], Result],
    *,
    now: datetime,
    once: Once[Result] | None = None,
) -> Result:
    """Run `work` in a write, as carry_out_once does; in a store without a model, with the shipped one put in force
    before."""

    def transaction(connection: Connection) -> Result:
        return carry_out_once(connection, once, work)

    try:
        return retry_write(resolver.engine, transaction)
    except NoModelError:
        prepare_store(resolver.engine, now=now)
        return retry_write(resolver.engine, transaction)


def resolve_and_publish(
    connection: Connection,
    resolver: Resolver,
    changes: Sequence[Change],
    cause: Cause,
    *,
    written: Mapping[int, IncomingRecord] = _NOTHING_WRITTEN,
    concerned: Collection[int] = (),
    holding: Mapping[Value, bool] | None = None,
    repinned: Collection[int] = (),
    restored: Mapping[int, str] = _NOTHING_RESTORED,
    leads: Mapping[str, LeadChange] = _NO_LEADS,
    foresight: Foresight | None = None,
    now: datetime,
) -> Effect:
    """Resolve what changed and publish its people, as part of the caller's write.

    Written: the changed records that the caller stored, which are not read back. Concerned: records that are to be
    derived anew for another reason: queued ones, those of new rulings. Holding: see resolution.resolve_changes.
    Repinned: records whose golden record is to be made anew. Restored: record id to the profile id that an undo gives
    it back to; leads: see publish_region. Records that a condition of the model fails on are noted in the queue. Raises
    StoreNotResolvedError when the index of the store is another model's.
    """
    survivorship = select_survivorship(connection)
    index = StoreIndex(
        connection,
        cause.model_version,
        now=now,
        source_names={source_id: name for source_id, (name, _) in survivorship.sources.items()},
        written={record_id: record.indexed(record_id) for record_id, record in written.items()},
        texts=None if foresight is None else foresight.texts,
    )
    model = resolver.models.require(connection, cause.model_version)
    try:
        resolution = resolve_changes(
            index,
            model,
            changes,
            concerned=[*concerned, *repinned],
            holding=holding,
            readings=None if foresight is None else foresight.readings(model),
        )
    except IndexOutdatedError as error:
        raise StoreNotResolvedError(str(error)) from error
    if resolution.unscored:
        set_aside(connection, resolution.unscored, CONDITION_FAILED, now=now)
    published = publish_region(
        connection,
        resolution,
        survivorship,
        cause,
        written=written,
        changed=(frozenset(change.record_id for change in changes) | frozenset(repinned)) - resolution.gone,
        restored=restored,
        leads=leads,
        new_id=_new_ids(connection, resolver, now).__next__,
        now=now,
    )
    candidates = _synchronize(connection, index, resolution, published, cause, now)
    return Effect(resolution, published, candidates, cause.model_version)


def _new_ids(connection: Connection, resolver: Resolver, now: datetime) -> Iterator[str]:
    """Read from the store when the first is asked for: most records that come bring nobody new."""
    [newest] = _NEWEST_PROFILE.first(connection)
    new_id = resolver.new_ids(now, newest)
    while True:
        yield new_id()


_LAST_ENTRY = QuickStatement(
    select(ledger_entries.c.recorded_at).order_by(ledger_entries.c.ledger_entry_id.desc()).limit(1)
)
_NEWEST_PROFILE = QuickStatement(select(func.max(profiles.c.profile_id).label("profile_id")))


def not_before_the_ledger(connection: Connection, now: datetime) -> datetime:
    """Now, or the moment of the last entry when the clock went back: no membership ends before it began."""
    last = _LAST_ENTRY.first(connection)
    return now if last is None else max(now, last.recorded_at)


def _synchronize(
    connection: Connection,
    index: StoreIndex,
    resolution: LocalResolution,
    published: Published,
    cause: Cause,
    now: datetime,
) -> dict[int, tuple[str, str]]:
    sharing = {
        record_id
        for record_ids in index.select_cluster_records(resolution.sharing_clusters).values()
        for record_id in record_ids
    }
    refusals = [refusal for refusal in resolution.refusals if refusal.reason != "cannot_link"]
    ends = {key for refusal in refusals for key in (refusal.key_l, refusal.key_r)}
    profile_of = {**index.select_clusters(ends - published.profile_of.keys()), **published.profile_of}
    proposals = [
        Proposal(
            record_id_l=refusal.key_l,
            record_id_r=refusal.key_r,
            profile_id_l=profile_of[refusal.key_l],
            profile_id_r=profile_of[refusal.key_r],
            match_weight=refusal.match_weight,
            reason=refusal.reason,
        )
        for refusal in refusals
    ]
    return synchronize_local_candidates(
        connection,
        proposals,
        region={*published.profile_of, *resolution.gone},
        sharing=sharing,
        model_version=cause.model_version,
        author=cause.author,
        now=now,
    )


def _select_live(connection: Connection, source: str, source_record_id: str) -> IndexedRecord:
    record_id = connection.scalar(
        select(source_records.c.record_id)
        .join(sources, sources.c.source_id == source_records.c.source_id)
        .where(
            sources.c.name == source,
            source_records.c.source_record_id == source_record_id,
            source_records.c.deleted_at.is_(None),
        )
    )
    if record_id is None:
        raise UnknownRecordError("There is no such record of this source, or it was deleted already.")
    return StoreIndex(connection, 0).select_records([record_id])[record_id]
