"""Work off the queue: records that wait are resolved anew, and what fails on one of them stops no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from cdp.errors import CdpError
from cdp.identity.redo_queue import CONDITION_FAILED, delete_queued, select_due, set_aside
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.realtime.ingest import Resolver, not_before_the_ledger, resolve_and_publish, write_online
from cdp.realtime.ingested import told_of
from cdp.realtime.online_models import require_online_version
from cdp.realtime.publish_region import Cause
from cdp.store import read

AUTHOR = "service:redo"
REASON = "values became shared, or ceased to be"


@dataclass(frozen=True)
class Drained:
    """How many records were taken from the queue; of them, those that are set aside, with the reason."""

    taken: int
    set_aside: dict[int, str] = field(default_factory=dict)


def drain_redo(resolver: Resolver, *, at_most: int, now: datetime) -> Drained:
    """Resolve records that wait in the queue, oldest first.

    When that fails for a reason that is neither the store's nor the model's, each is tried for itself, and one that
    fails alone is set aside. The error may hold values of people: only its name is kept.
    """
    try:
        return _drain(resolver, now, at_most=at_most)
    except CdpError:
        raise
    except Exception:
        return _drain_singly(resolver, now, at_most=at_most)


def _drain_singly(resolver: Resolver, now: datetime, *, at_most: int) -> Drained:
    with read(resolver.engine) as connection:
        due = select_due(connection, at_most=at_most, now=now)
    failed: dict[int, str] = {}
    for record_id in due:
        try:
            failed.update(_drain(resolver, now, at_most=1, only=[record_id]).set_aside)
        except CdpError:
            raise
        except Exception as error:
            failed[record_id] = type(error).__name__
            _put_aside(resolver, record_id, failed[record_id], now)
    return Drained(len(due), failed)


def _put_aside(resolver: Resolver, record_id: int, reason: str, now: datetime) -> None:
    def work(connection: Connection) -> None:
        delete_queued(connection, [record_id])
        set_aside(connection, [record_id], reason, now=now)

    write_online(resolver, work, now=now)


def _drain(resolver: Resolver, now: datetime, *, at_most: int, only: Sequence[int] | None = None) -> Drained:
    def work(connection: Connection) -> Drained:
        record_ids = only or select_due(connection, at_most=at_most, now=now)
        if not record_ids:
            return Drained(0)
        moment = not_before_the_ledger(connection, now)
        version = require_online_version(connection, now=moment)
        cause = Cause(AUTHOR, REASON, version)
        delete_queued(connection, record_ids)
        effect = resolve_and_publish(connection, resolver, [], cause, concerned=record_ids, now=moment)
        told = {"record_count": len(record_ids)} | told_of(effect)
        append_audit(connection, [AuditEntry(AUTHOR, "records.redo", "records", "", moment, told)])
        failed = effect.resolution.unscored.intersection(record_ids)
        return Drained(len(record_ids), dict.fromkeys(sorted(failed), CONDITION_FAILED))

    return write_online(resolver, work, now=now)
