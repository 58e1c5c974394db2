"""Take in that an identifier is not, or no longer, of the person it is held by, and take such a report back.

While a report stands, the value counts as shared at least: it weighs little between the records that hold it, and joins
nobody by itself. All of it is one transaction: the report, the people found again, ledger, audit and events.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, or_, select, union

from cdp.canonical import canonical_json
from cdp.errors import CdpError
from cdp.idempotency import Once
from cdp.identity.identifier_reports import (
    Report,
    close_report,
    insert_report,
    is_reported,
    require_report,
    select_places_before_reports,
    select_same_report,
)
from cdp.identity.profile_reads import require_profile, select_visible
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.realtime.ingest import Resolver, not_before_the_ledger, resolve_and_publish, write_online
from cdp.realtime.ingested import Effect
from cdp.realtime.online_models import require_online_version, select_online_version
from cdp.realtime.publish_region import Cause
from cdp.store.schema import (
    identifiers,
    ledger_entries,
    ledger_moves,
    memberships,
    outbox_events,
    redo_records,
    source_records,
    sources,
    value_holders,
)
from resolution import value_key
from resolution.standardize import Identifier


class UnheldIdentifierError(CdpError):
    """No record of the sources that the caller is bound to holds the identifier."""

    reason = "identifier_not_found"


class UnknownReportSourceError(CdpError):
    """There is no source of this name."""

    reason = "unknown_source"


@dataclass(frozen=True)
class NewReport:
    """source: the name of the system that found out. profile_id: the person it was tried for. reason: in words."""

    identifier: Identifier
    outcome: str
    source: str | None = None
    profile_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Reporter:
    """Who reports. sources: those that the caller is bound to, None for all."""

    author: str
    sources: Collection[str] | None = None


@dataclass(frozen=True)
class Reported:
    """A report as it stands now. has_changed: whether this call changed it. profiles_touched: those that the reporter
    may know of. is_waiting: whether holders of the value wait for the queue, because they are many. model_version:
    None where nothing was resolved yet."""

    report: Report
    has_changed: bool
    profiles_touched: list[str]
    is_waiting: bool
    model_version: int | None


def report_identifier(
    resolver: Resolver,
    new: NewReport,
    reporter: Reporter,
    *,
    now: datetime,
    once: Once[Reported] | None = None,
) -> Reported:
    """The same report again, while it stands, changes nothing. Once: see write_online.

    Raises UnknownReportSourceError, UnknownProfileError, ErasedProfileError, and UnheldIdentifierError for a reporter
    who is bound to sources of which no record holds the identifier.
    """

    def work(connection: Connection) -> Reported:
        identifier = new.identifier
        source_id = None if new.source is None else _require_source(connection, new.source)
        if reporter.sources is not None:
            _require_held(connection, identifier, reporter.sources)
        profile_id = (
            new.profile_id
            and require_profile(connection, new.profile_id, sources=reporter.sources).profile_id
        )
        same = select_same_report(
            connection, identifier, new.outcome, source_id=source_id, profile_id=profile_id
        )
        if same is not None:
            return _unchanged(connection, same)
        moment = not_before_the_ledger(connection, now)
        report_id = insert_report(
            connection,
            identifier,
            new.outcome,
            source_id=source_id,
            profile_id=profile_id,
            reason=new.reason,
            author=reporter.author,
            reported_at=now,
            valid_from=moment,
        )
        return _follow(connection, resolver, report_id, reporter, moment)

    return write_online(resolver, work, now=now, once=once)


def withdraw_report(
    resolver: Resolver,
    report_id: int,
    reporter: Reporter,
    *,
    reason: str | None,
    now: datetime,
    once: Once[Reported] | None = None,
) -> Reported:
    """The people come out as if the report had not been, unless another one about the same value stands.

    Withdrawing it again changes nothing. Raises UnknownReportError, also for a reporter who is bound to sources that it
    is not of.
    """

    def work(connection: Connection) -> Reported:
        report = require_report(connection, report_id, of_sources=reporter.sources)
        if report.closed_at is not None:
            return _unchanged(connection, report)
        moment = not_before_the_ledger(connection, now)
        close_report(connection, report_id, author=reporter.author, reason=reason, now=moment)
        return _follow(connection, resolver, report_id, reporter, moment)

    return write_online(resolver, work, now=now, once=once)


def _follow(
    connection: Connection, resolver: Resolver, report_id: int, reporter: Reporter, moment: datetime
) -> Reported:
    """Find the people again that the report, or its end, changes."""
    report = require_report(connection, report_id)
    is_withdrawn = report.closed_at is not None
    why = f"identifier report {report_id}{' withdrawn' if is_withdrawn else f': {report.outcome}'}"
    version = require_online_version(connection, now=moment)
    is_held = is_reported(connection, report.kind, report.value, report.variant)
    effect = resolve_and_publish(
        connection,
        resolver,
        [],
        Cause(reporter.author, why, version, report_id=report.report_id),
        holding=dict.fromkeys(report.held_values, is_held),
        restored=_places_before(connection, report) if is_withdrawn else {},
        now=moment,
    )
    _record(connection, report, effect, reporter.author, moment)
    touched = select_visible(connection, effect.published.versions, reporter.sources)
    return Reported(report, True, sorted(touched), _is_waiting(connection, report), version)


def _places_before(connection: Connection, report: Report) -> dict[int, str]:
    """Where reports found the records that this one moved, and those that are with a holder of its value."""
    keys = [value_key(*value) for value in report.held_values]
    holding = select(value_holders.c.record_id).where(value_holders.c.value_key.in_(keys))
    theirs = select(memberships.c.profile_id).where(
        memberships.c.record_id.in_(holding), memberships.c.valid_to.is_(None)
    )
    beside = select(memberships.c.record_id).where(
        memberships.c.profile_id.in_(theirs), memberships.c.valid_to.is_(None)
    )
    moved = (
        select(ledger_moves.c.record_id)
        .join(ledger_entries, ledger_entries.c.ledger_entry_id == ledger_moves.c.ledger_entry_id)
        .where(ledger_entries.c.report_id == report.report_id)
    )
    return select_places_before_reports(connection, connection.scalars(union(beside, moved)))


def _unchanged(connection: Connection, report: Report) -> Reported:
    version = select_online_version(connection)
    return Reported(report, False, [], _is_waiting(connection, report), version)


def _record(connection: Connection, report: Report, effect: Effect, author: str, moment: datetime) -> None:
    """The audit entry and the event of the report, without the value."""
    is_withdrawn = report.closed_at is not None
    told = {
        "report_id": report.report_id,
        "type": report.kind,
        "outcome": report.outcome,
        "source": report.source,
        "profile_id": report.profile_id,
        "model_version": effect.model_version,
        "profile_ids": sorted(effect.published.versions),
        "ledger_entry_ids": sorted(effect.published.entry_ids),
    }
    told = {name: value for name, value in told.items() if value is not None}
    action = "identifiers.withdraw_report" if is_withdrawn else "identifiers.report"
    subject = str(report.report_id)
    append_audit(connection, [AuditEntry(author, action, "identifier_report", subject, moment, told)])
    event = {
        "kind": "identifier.report_withdrawn" if is_withdrawn else "identifier.reported",
        "subject_id": subject,
        "payload": canonical_json(told),
        "created_at": moment,
    }
    connection.execute(outbox_events.insert(), event)


def _require_source(connection: Connection, name: str) -> int:
    source_id: int | None = connection.scalar(select(sources.c.source_id).where(sources.c.name == name))
    if source_id is None:
        raise UnknownReportSourceError("There is no source of this name.")
    return source_id


def _require_held(connection: Connection, identifier: Identifier, of_sources: Collection[str]) -> None:
    same = identifiers.c.value == identifier.value
    if identifier.variant is not None:
        same = or_(same, identifiers.c.variant == identifier.variant)
    held = (
        select(identifiers.c.record_id)
        .join(source_records, source_records.c.record_id == identifiers.c.record_id)
        .join(sources, sources.c.source_id == source_records.c.source_id)
        .where(identifiers.c.kind == identifier.kind, same, sources.c.name.in_(sorted(of_sources)))
        .limit(1)
    )
    if connection.scalar(held) is None:
        raise UnheldIdentifierError("No record of these sources holds the identifier.")


def _is_waiting(connection: Connection, report: Report) -> bool:
    """Whether records that hold the value wait to be resolved anew."""
    keys = [value_key(*value) for value in report.held_values]
    waiting = exists().where(
        value_holders.c.record_id == redo_records.c.record_id,
        value_holders.c.value_key.in_(keys),
        redo_records.c.reason.is_(None),
    )
    return bool(connection.scalar(select(waiting)))
