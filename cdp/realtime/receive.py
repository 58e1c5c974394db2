"""Receive records as a channel sends them: each taken in, or refused with its reason, and none in another's way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cdp.idempotency import Once
from cdp.identity.redo_queue import CONDITION_FAILED
from cdp.realtime.incoming import IncomingRecord, RefusedRecordError, take_record
from cdp.realtime.ingest import Ingested, Resolver
from cdp.realtime.ingest_queue import IngestQueue
from cdp.realtime.known_sources import KnownSources, select_known_sources
from cdp.store import read
from resolution.standardize import Refusal


@dataclass(frozen=True)
class Received:
    """A record that was taken in. refusals: the values of it that were not used, and with an empty field what concerns
    the record as a whole."""

    ingested: Ingested
    refusals: Sequence[Refusal]


def receive_records(
    resolver: Resolver,
    queue: IngestQueue,
    records: Sequence[object],
    *,
    sources: Collection[str] | None,
    author: str,
    now: datetime,
    once: Once[list[Received | RefusedRecordError]] | None = None,
) -> list[Received | RefusedRecordError]:
    """What became of each record, in their order; those that are taken in are so together.

    Once: see carry_out_once; where every record is refused nothing is carried out.

    Sources: those that the caller is bound to, None for all; another one is as unknown as one that there is not.
    """
    with read(resolver.engine) as connection:
        known = select_known_sources(connection, records, allowed=sources)
    taken = [_take(values, known, now) for values in records]
    incoming = [each for each in taken if isinstance(each, IncomingRecord)]
    if not incoming:
        return _put_together(taken, [])
    told: Once[list[Ingested]] | None = None
    if once is not None:
        told = once.after(lambda ingested: _put_together(taken, ingested))
    return _put_together(taken, queue.ingest(resolver, incoming, author=author, now=now, once=told))


def _put_together(
    taken: Sequence[IncomingRecord | RefusedRecordError], ingested: Sequence[Ingested]
) -> list[Received | RefusedRecordError]:
    rest = iter(ingested)
    return [_received(next(rest), each) if isinstance(each, IncomingRecord) else each for each in taken]


def _received(ingested: Ingested, record: IncomingRecord) -> Received:
    """What the model fails on concerns the record as a whole."""
    failed = (Refusal("", CONDITION_FAILED),) if ingested.is_set_aside else ()
    return Received(ingested, (*record.refusals, *failed))


def _take(values: object, known: KnownSources, now: datetime) -> IncomingRecord | RefusedRecordError:
    if not isinstance(values, Mapping):
        return RefusedRecordError("wrong_type", "not an object", "")
    try:
        return take_record(values, known, now=now)
    except RefusedRecordError as error:
        return error
