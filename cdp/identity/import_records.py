"""Import files of records: read and prepare everything into a spool, then load it in one transaction.

Nothing is stored before the last row was read, and everything good is stored or nothing. The same files again
change nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, insert

from cdp.canonical import canonical_json
from cdp.errors import CdpError
from cdp.identity.record_loads import OUTCOMES, Load, VersionContent, VersionKey, load_versions
from cdp.identity.sources import (
    DEFAULT_TRUST,
    NewSource,
    Source,
    date_order_of,
    insert_sources,
    select_sources,
)
from cdp.intake.errors import MappingError
from cdp.intake.files import hash_file, open_input
from cdp.intake.key_digests import KeyDigests
from cdp.intake.mapper import MappingPlan, plan_mapping
from cdp.intake.mapping import ImportMapping, SourceDefaults
from cdp.intake.preparation import PreparationPlan, PreparedChunk
from cdp.intake.prepare import prepare_chunks
from cdp.intake.rejects import RejectsFile
from cdp.intake.rows import InputFile
from cdp.intake.spool import Spool
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.store import read, retry_write, schema
from resolution.standardize import STANDARDIZER_VERSION, SourceSettings

SMALL_FILE_BYTES = 1 << 20  # Below, starting worker processes takes longer than the work.
DEFAULT_REGION = "BR"
ACTOR = "command:import"

Progress = Callable[[str, int, int], None]


class NothingImportedError(CdpError):
    """There were rows, and every one was refused: the file or the mapping is not what it should be."""

    reason = "nothing_imported"


class SourceChangedError(CdpError):
    """A source was created or changed by someone else between reading the files and loading them."""

    reason = "source_changed"


@dataclass(frozen=True)
class ImportOptions:
    """`source` and `occurred_at` stand in for rows that have none; `worker_count` 0 works in this process."""

    mapping: ImportMapping = field(default_factory=ImportMapping)
    source: str | None = None
    occurred_at: datetime | None = None
    default_region: str | None = None
    worker_count: int = 2
    dry_run: bool = False


@dataclass
class FileReport:
    """What became of the rows of one file; `read` is the sum of the others."""

    file: str
    file_hash: str
    sources: list[str] = field(default_factory=list)
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
    rejected: int = 0

    def counts(self) -> dict[str, int]:
        names = ("read", *OUTCOMES, "rejected")
        return {name: getattr(self, name) for name in names}


@dataclass
class ImportReport:
    """What an import did, or would do. Refused values are single values of records that were taken in."""

    files: list[FileReport]
    dry_run: bool = False
    reject_reasons: dict[str, int] = field(default_factory=dict)
    reject_examples: list[str] = field(default_factory=list)
    rejects_file: str | None = None
    refused_values: dict[str, int] = field(default_factory=dict)
    transforms_without_effect: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def totals(self) -> dict[str, int]:
        totals: Counter[str] = Counter()
        for each in self.files:
            totals.update(each.counts())
        return {name: totals[name] for name in ("read", *OUTCOMES, "rejected")}

    def as_json(self) -> dict[str, object]:
        return {**self.totals(), **asdict(self)}


@dataclass
class _Reading:
    """Files on their way into the spool."""

    keys: Spool
    records: Spool
    rejects: RejectsFile
    key_digests: KeyDigests = field(default_factory=KeyDigests)
    reports: list[FileReport] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    refused_values: Counter[str] = field(default_factory=Counter)
    misfits: Counter[str] = field(default_factory=Counter)
    undated_count: int = 0


def import_files(
    engine: Engine,
    paths: Sequence[Path],
    options: ImportOptions,
    *,
    spool_directory: Path,
    rejects_path: Path | None,
    clock: Callable[[], datetime],
    progress: Progress = lambda phase, done, total: None,
) -> ImportReport:
    """Import files as one. Raises InputFileError or MappingError for a file that is none.

    The clock is asked twice: records are received when the import begins, its traces are of when it ends.
    """
    started_at = clock()
    plans = [_plan_file(path, options) for path in paths]
    with read(engine) as connection:
        sources = select_sources(connection)
    new_settings = _new_source_settings(options)
    known_settings = {name: source.settings for name, source in sources.items()}
    with (
        Spool(spool_directory) as keys,
        Spool(spool_directory) as records,
        RejectsFile(rejects_path) as rejects,
    ):
        reading = _Reading(keys, records, rejects)
        for path, (file, mapping_plan) in zip(paths, plans, strict=True):
            plan = PreparationPlan(
                mapping=mapping_plan,
                default_source=options.source,
                default_occurred_at=options.occurred_at,
                time_zone=options.mapping.time_zone,
                source_settings=known_settings,
                new_source_settings=new_settings,
            )
            _read_file(path, file, plan, options, reading, progress)
        report = _report(reading, options, sources, new_settings)
        if not any(each.read > each.rejected for each in reading.reports):
            _refuse_all_rejected(report)
            return report
        _load(engine, reading, report, sources, options, progress, started_at=started_at, clock=clock)
    return report


def _plan_file(path: Path, options: ImportOptions) -> tuple[InputFile, MappingPlan]:
    file = open_input(path, options.mapping.dialect)
    try:
        plan = plan_mapping(options.mapping, file.columns, file.nested_columns)
    except MappingError as error:
        raise MappingError(f"{path}: {error}") from error
    if not plan.names_source and options.source is None:
        raise MappingError(f"{path}: its rows name no source; give --source NAME.")
    if not plan.names_key:
        raise MappingError(
            f"{path}: no column holds the key of a record; name it source_record_id, or use a mapping file."
        )
    return file, plan


def _new_source_settings(options: ImportOptions) -> SourceSettings:
    wanted = options.mapping.source
    region = wanted.default_region or options.default_region or DEFAULT_REGION
    return SourceSettings(
        default_region=region,
        default_area_code=wanted.default_area_code,
        date_order=wanted.date_order or date_order_of(region),
        own_domains=frozenset(wanted.own_domains),
        claims=wanted.claims,
    )


def _read_file(
    path: Path,
    file: InputFile,
    plan: PreparationPlan,
    options: ImportOptions,
    reading: _Reading,
    progress: Progress,
) -> None:
    report = FileReport(path.name, hash_file(path))
    sources: set[str] = set()
    seen_columns: set[str] = set()
    worker_count = options.worker_count if file.size > SMALL_FILE_BYTES else 0
    for chunk in prepare_chunks(file.chunks(), plan, worker_count=worker_count):
        reading.keys.add(chunk.keys)
        reading.records.add(chunk.records)
        reading.key_digests.add(chunk.key_digests)
        reading.rejects.add(path.name, chunk.bad_rows)
        report.read += chunk.record_count + len(chunk.bad_rows)
        report.rejected += len(chunk.bad_rows)
        sources |= chunk.sources
        seen_columns |= chunk.seen_columns
        _add_counts(reading, chunk)
        progress(f"Reading {path.name}", file.position, file.size)
    if file.columns is None and report.read > report.rejected:
        _refuse_unseen_columns(path, plan.mapping, seen_columns)
    report.sources = sorted(sources)
    reading.sources |= sources
    reading.reports.append(report)


def _add_counts(reading: _Reading, chunk: PreparedChunk) -> None:
    reading.undated_count += chunk.undated_count
    reading.refused_values += chunk.refused_values
    reading.misfits += chunk.misfits


def _refuse_unseen_columns(path: Path, plan: MappingPlan, seen: set[str]) -> None:
    unseen = [name for name in (plan.fields.columns() if plan.fields else ()) if name not in seen]
    if unseen:
        raise MappingError(f"{path}: the mapping names keys that no row has: {', '.join(unseen)}.")


def _report(
    reading: _Reading,
    options: ImportOptions,
    sources: dict[str, Source],
    new_settings: SourceSettings,
) -> ImportReport:
    rejects = reading.rejects
    written = rejects.path if rejects.path is not None and rejects.reasons else None
    report = ImportReport(
        files=reading.reports,
        dry_run=options.dry_run,
        reject_reasons=dict(rejects.reasons.most_common()),
        reject_examples=rejects.examples,
        rejects_file=str(written) if written else None,
        refused_values=dict(reading.refused_values.most_common()),
        transforms_without_effect=dict(reading.misfits.most_common()),
    )
    if reading.undated_count:
        report.notes.append(
            f"{reading.undated_count} records carry no occurred_at and count as older than any that do; "
            f"give --occurred-at so that a later file can replace them."
        )
    asked = options.default_region is not None or options.mapping.source != SourceDefaults()
    kept = sorted(name for name in reading.sources & set(sources) if sources[name].settings != new_settings)
    if asked and kept:
        report.notes.append(f"known sources keep the settings they have: {', '.join(kept)}.")
    return report


def _refuse_all_rejected(report: ImportReport) -> None:
    if report.totals()["rejected"]:
        reasons = ", ".join(f"{reason} {count}" for reason, count in report.reject_reasons.items())
        raise NothingImportedError(
            f"Nothing was imported: all {report.totals()['rejected']} rows were refused ({reasons}). "
            f"The first: {report.reject_examples[0]}."
        )


class _UndoDryRun(Exception):
    """Ends the transaction of a dry run, so that nothing of it stays."""


def _load(
    engine: Engine,
    reading: _Reading,
    report: ImportReport,
    sources: dict[str, Source],
    options: ImportOptions,
    progress: Progress,
    *,
    started_at: datetime,
    clock: Callable[[], datetime],
) -> None:
    record_count = sum(each.read - each.rejected for each in reading.reports)
    # A source that appears meanwhile ends the import, see _require_sources.
    all_new = reading.sources.isdisjoint(sources) and not reading.key_digests.any_twice()

    def work(connection: Connection) -> None:
        source_ids = _require_sources(connection, reading.sources, sources, options, started_at)
        load = Load(
            keys=lambda: _spooled_keys(reading.keys, source_ids),
            contents=lambda: _spooled_contents(reading.records),
            part_sizes=[each.read - each.rejected for each in reading.reports],
            standardizer_version=STANDARDIZER_VERSION,
            all_new=all_new,
            progress=lambda done: progress("Storing", done, record_count),
        )
        counts = load_versions(connection, load, now=started_at, dry_run=options.dry_run)
        for file_report, outcomes in zip(reading.reports, counts, strict=True):
            for outcome in OUTCOMES:
                setattr(file_report, outcome, outcomes[outcome])
        if options.dry_run:
            raise _UndoDryRun
        # A clock that was set back must not end an import before it began.
        _leave_traces(connection, report, started_at, max(started_at, clock()))

    try:
        retry_write(engine, work)
    except _UndoDryRun:
        return
    progress("Storing", record_count, record_count)


def _require_sources(
    connection: Connection,
    names: set[str],
    known: dict[str, Source],
    options: ImportOptions,
    now: datetime,
) -> dict[str, int]:
    """The ids of the sources, those seen for the first time created."""
    stored = select_sources(connection)
    for name in sorted(names):
        if name in stored and (name not in known or known[name].settings != stored[name].settings):
            raise SourceChangedError(f"The source {name} was changed meanwhile; run the import again.")
    settings = _new_source_settings(options)
    trust = DEFAULT_TRUST if options.mapping.source.trust is None else options.mapping.source.trust
    new = [NewSource(name, settings, trust) for name in sorted(names - set(stored))]
    insert_sources(connection, new, now=now)
    return {name: source.source_id for name, source in select_sources(connection).items()}


def _spooled_keys(spool: Spool, source_ids: dict[str, int]) -> Iterator[VersionKey]:
    for source, source_record_id, occurred_at, raw_hash in spool.items():
        yield VersionKey(source_ids[source], source_record_id, datetime.fromisoformat(occurred_at), raw_hash)


def _spooled_contents(spool: Spool) -> Iterator[VersionContent]:
    for raw, standardized, identifiers, linkage_hash in spool.items():
        yield VersionContent(raw, standardized, identifiers, linkage_hash)


def _leave_traces(
    connection: Connection, report: ImportReport, started_at: datetime, finished_at: datetime
) -> None:
    """The import itself, its audit entry and its event. An import that changed nothing sends no event."""
    import_ids = [
        connection.scalar(
            insert(schema.imports)
            .values(
                file_name=each.file,
                file_hash=each.file_hash,
                sources=canonical_json(each.sources),
                started_at=started_at,
                finished_at=finished_at,
                counts=canonical_json(each.counts()),
            )
            .returning(schema.imports.c.import_id)
        )
        for each in report.files
    ]
    details: dict[str, object] = {"imports": import_ids, **report.totals()}
    import_id = str(import_ids[0])
    entry = AuditEntry(ACTOR, "records.import", "import", import_id, finished_at, details)
    append_audit(connection, [entry])
    if any(each.created or each.updated for each in report.files):
        connection.execute(
            insert(schema.outbox_events).values(
                kind="records.imported",
                subject_id=import_id,
                payload=canonical_json(details),
                created_at=finished_at,
            )
        )
