"""Parse, map, check and standardize chunks of rows: the expensive part of an import, in several processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import orjson

from cdp.intake.errors import InputFileError
from cdp.intake.key_digests import digest_key
from cdp.intake.mapper import MappingPlan, RecordMapper
from cdp.intake.rows import BadRow, Chunk, RefusedRowError, Row, shown
from cdp.intake.shape import UNDATED, CheckedRecord, check_record, format_instant
from cdp.intake.spool import pack
from resolution import linkage_hash
from resolution.standardize import SourceSettings, StandardizedRecord, Standardizer

CACHED_VALUES = 10_000  # Per kind of value and process: ten times as many gained no time on 80,000 records.
CHUNKS_AHEAD = 3  # Per process, so that none waits for the reader.


@dataclass(frozen=True)
class PreparationPlan:
    """Everything a worker needs to know about a file and its sources."""

    mapping: MappingPlan
    default_source: str | None
    default_occurred_at: datetime | None
    time_zone: str
    source_settings: dict[str, SourceSettings]
    new_source_settings: SourceSettings


@dataclass
class PreparedChunk:
    """What came of a chunk. `records` and `keys` are spool frames of `record_count` items, in the same order.

    A record is [raw, standardized, identifiers, linkage_hash], an identifier [kind, value, variant, verified], a key
    [source, source_record_id, occurred_at, raw_hash].
    """

    records: bytes
    keys: bytes
    key_digests: bytes = b""
    record_count: int = 0
    undated_count: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    refused_values: Counter[str] = field(default_factory=Counter)
    misfits: Counter[str] = field(default_factory=Counter)
    seen_columns: set[str] = field(default_factory=set)


class Preparer:
    """Prepares the chunks of one file. Sources of equal settings share a standardizer and its memory."""

    def __init__(self, plan: PreparationPlan) -> None:
        self._plan = plan
        self._time_zone = ZoneInfo(plan.time_zone)
        self._standardizers: dict[SourceSettings, Standardizer] = {}

    def prepare(self, chunk: Chunk) -> PreparedChunk:
        mapper = RecordMapper(self._plan.mapping)
        prepared = PreparedChunk(b"", b"")
        records: list[list[object]] = []
        keys: list[list[str]] = []
        for row in chunk.rows():
            if isinstance(row, BadRow):
                prepared.bad_rows.append(row)
                continue
            try:
                checked = self._check(mapper, row)
            except RefusedRowError as error:
                prepared.bad_rows.append(_bad_row(row, error))
                continue
            standardized = self._standardize(checked)
            self._count(prepared, checked, standardized)
            occurred_at = format_instant(checked.occurred_at)
            keys.append([checked.source, checked.source_record_id, occurred_at, checked.raw_hash])
            records.append(_spooled(checked.raw, standardized))
        prepared.record_count = len(records)
        prepared.misfits.update(mapper.misfits)
        prepared.seen_columns = mapper.seen_columns
        prepared.key_digests = b"".join([digest_key(key[0], key[1]) for key in keys])
        prepared.records, prepared.keys = pack(records), pack(keys)
        return prepared

    def _check(self, mapper: RecordMapper, row: Row) -> CheckedRecord:
        return check_record(
            mapper.to_record(row.values),
            default_source=self._plan.default_source,
            default_occurred_at=self._plan.default_occurred_at,
            time_zone=self._time_zone,
        )

    def _standardize(self, checked: CheckedRecord) -> StandardizedRecord:
        settings = self._plan.source_settings.get(checked.source, self._plan.new_source_settings)
        standardizer = self._standardizers.get(settings)
        if standardizer is None:
            standardizer = self._standardizers[settings] = Standardizer(settings, cache_size=CACHED_VALUES)
        return standardizer.standardize(checked.values)

    @staticmethod
    def _count(prepared: PreparedChunk, checked: CheckedRecord, standardized: StandardizedRecord) -> None:
        prepared.sources.add(checked.source)
        prepared.undated_count += checked.occurred_at == UNDATED
        for refusal in standardized.refusals:
            prepared.refused_values[f"{refusal.field.split('/')[1]}: {refusal.reason}"] += 1
        if checked.destroyed_count:
            prepared.refused_values["identifiers: spreadsheet_number"] += checked.destroyed_count


def _spooled(raw: str, standardized: StandardizedRecord) -> list[object]:
    text = orjson.dumps(
        {
            "values": standardized.values,
            "linkage": standardized.linkage,
            "refusals": standardized.refusals,
        },
        option=orjson.OPT_SORT_KEYS,
    )
    identifiers = [[each.kind, each.value, each.variant, each.verified] for each in standardized.identifiers]
    return [raw, text.decode(), identifiers, linkage_hash(standardized.linkage)]


def _bad_row(row: Row, error: RefusedRowError) -> BadRow:
    try:
        raw = shown(orjson.dumps(row.values, default=str)[:2000])
    except orjson.JSONEncodeError:
        raw = shown(repr(row.values)[:2000])
    return BadRow(row.line, error.reason, error.message, error.pointer, raw)


def prepare_chunks(
    chunks: Iterable[Chunk], plan: PreparationPlan, *, worker_count: int
) -> Iterator[PreparedChunk]:
    """Prepared chunks in the order of the chunks. With no workers the work is done here."""
    if worker_count == 0:
        preparer = Preparer(plan)
        yield from map(preparer.prepare, chunks)
        return
    context = multiprocessing.get_context("spawn")
    pickled_plan = pickle.dumps(plan)
    waiting = iter(chunks)
    with ProcessPoolExecutor(worker_count, mp_context=context, initializer=_set_up_worker) as pool:
        running: deque[Future[PreparedChunk]] = deque()
        try:
            for chunk in islice(waiting, worker_count * CHUNKS_AHEAD):
                running.append(pool.submit(_prepare_in_worker, pickled_plan, chunk))
            while running:
                prepared = running.popleft().result()
                for chunk in islice(waiting, 1):
                    running.append(pool.submit(_prepare_in_worker, pickled_plan, chunk))
                yield prepared
        except BrokenProcessPool as error:
            message = "a worker process was ended from outside (out of memory?); try --workers 1."
            raise InputFileError(message) from error
        finally:
            for future in running:
                future.cancel()


def _set_up_worker() -> None:
    # Ctrl-C is for the parent, which ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Records make no cycles, and what standardizers remember need not be walked again and again.
    gc.set_threshold(50_000, 50, 50)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _prepare_in_worker(pickled_plan: bytes, chunk: Chunk) -> PreparedChunk:
    return _preparer(pickled_plan).prepare(chunk)


@lru_cache(maxsize=1)
def _preparer(pickled_plan: bytes) -> Preparer:
    """One per process and file, so that its standardizers remember across chunks."""
    plan: PreparationPlan = pickle.loads(pickled_plan)
    return Preparer(plan)
