"""Receive records as a channel sends them: each taken in, or refused with its reason, and none in another's way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from cdp.idempotency import Once
from cdp.identity.redo_queue import CONDITION_FAILED, select_due
from cdp.realtime.incoming import IncomingRecord, RefusedRecordError, take_record
from cdp.realtime.ingest import Resolver
from cdp.realtime.ingest_queue import IngestQueue
from cdp.realtime.ingested import Ingested
from cdp.realtime.known_sources import KnownSources, select_known_sources
from cdp.realtime.redo import drain_redo
from cdp.store import StoreError, read
from cdp.store.turns import writing_turn
from resolution.standardize import Refusal

# Records of the queue that are resolved at the end of a batch.
DRAINED_AT_MOST = 200

logger = structlog.get_logger(__name__)


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

    Records: as parsed; a RefusedRecordError in the place of one that could not be read is its answer. Once: see
    carry_out_once; where every record is refused nothing is carried out.

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
    ingested = queue.ingest(resolver, incoming, author=author, now=now, once=told)
    if len(incoming) > 1:
        drain_what_waits(resolver, now)
    return _put_together(taken, ingested)


def _put_together(
    taken: Sequence[IncomingRecord | RefusedRecordError], ingested: Sequence[Ingested]
) -> list[Received | RefusedRecordError]:
    rest = iter(ingested)
    return [_received(next(rest), each) if isinstance(each, IncomingRecord) else each for each in taken]


def drain_what_waits(resolver: Resolver, now: datetime) -> None:
    """After a batch, which makes values shared more often than one record does. It is taken in: what waits on for
    another reason is the worker's."""
    with read(resolver.engine) as connection:
        is_waiting = bool(select_due(connection, at_most=1, now=now))
    if is_waiting:
        try:
            with writing_turn(resolver.engine):
                drain_redo(resolver, at_most=DRAINED_AT_MOST, now=now)
        except StoreError as error:
            logger.warning("redo.delayed", reason=error.reason)


def _received(ingested: Ingested, record: IncomingRecord) -> Received:
    """What the model fails on concerns the record as a whole."""
    failed = (Refusal("", CONDITION_FAILED),) if ingested.is_set_aside else ()
    return Received(ingested, (*record.refusals, *failed))


def _take(values: object, known: KnownSources, now: datetime) -> IncomingRecord | RefusedRecordError:
    if isinstance(values, RefusedRecordError):
        return values
    if not isinstance(values, Mapping):
        return RefusedRecordError("wrong_type", "not an object", "")
    try:
        return take_record(values, known, now=now)
    except RefusedRecordError as error:
        return error
