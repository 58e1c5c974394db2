"""Check the invariants of the store: what must hold after every write, told breach by breach.

Reading only. Each check is a query or a recomputation that gives nothing when all is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, exists, func, or_, select

from cdp.engagement.verify_events import check_engagement, check_events
from cdp.identity.agreement import Found
from cdp.identity.batch_memory import describe_failure
from cdp.identity.golden import select_survivorship
from cdp.identity.linkage_records import count_live_records, count_outdated_records
from cdp.identity.models import select_active_version
from cdp.identity.redo_queue import count_waiting, select_set_aside
from cdp.identity.resolution_runs import PublishedRun, select_last_published
from cdp.identity.snapshot import find_differing_golden
from cdp.identity.verify_candidates import check_candidates
from cdp.identity.verify_effects import check_effects, check_imports, check_outbox
from cdp.identity.verify_partition import check_partition
from cdp.identity.verify_people import check_separation
from cdp.identity.verify_reports import check_reports
from cdp.privacy.audit import find_breach
from cdp.stewardship.verify_rulings import check_rulings
from cdp.store import read, stream_rows
from cdp.store.schema import ledger_moves, memberships, profiles, source_records
from resolution import ResolutionError

# Breaches of one kind that are told one by one.
TOLD = 20

# Recomputing the partition of more records takes minutes: only when it is asked for.
PARTITION_AT_MOST = 200_000

NOT_RESOLVED = "nothing was resolved yet"


@dataclass(frozen=True)
class Breach:
    check: str
    message: str
    ids: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """checks: those that were done, with how many breaches each found; skipped: the others, and why.

    notes: what is no breach and good to know. disagreement: the share of records whose people differ from those
    computed anew, None where none was compared.
    """

    checks: dict[str, int]
    breaches: list[Breach]
    skipped: dict[str, str]
    notes: dict[str, str] = field(default_factory=dict)
    disagreement: float | None = None


def verify_store(
    engine: Engine,
    *,
    partition: bool | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Run every check over one snapshot. Partition None: recompute it when the records are not too many."""
    with read(engine) as connection:
        last = select_last_published(connection)
        found = {name: _done(progress, name, check(connection)) for name, check in CHECKS.items()}
        notes = _notes(connection, last)
        skipped, disagreement = {}, None
        reason = _reason_to_skip_partition(connection, last, partition)
        if last is None or reason is not None:
            skipped["partition"] = reason or NOT_RESOLVED
        else:
            progress("partition")
            try:
                compared = check_partition(connection, last.model_version)
            except ResolutionError as error:
                skipped["partition"] = f"it cannot be computed: {describe_failure(error)}"
            else:
                found["partition"] = told("partition", compared.found)
                disagreement = compared.disagreement
                if compared.waiting:
                    notes["partition"] = (
                        f"{compared.waiting:,} records are left out, whose people the queue may change"
                    )
    return Verification(
        checks={name: count for name, (_, count) in found.items()},
        breaches=[breach for breaches, _ in found.values() for breach in breaches],
        skipped=skipped,
        notes=notes,
        disagreement=disagreement,
    )


def _done(progress: Callable[[str], None], name: str, found: Iterable[Found]) -> tuple[list[Breach], int]:
    progress(name)
    return told(name, found)


def _notes(connection: Connection, last: PublishedRun | None) -> dict[str, str]:
    notes = {}
    if waiting := count_waiting(connection):
        notes["redo"] = f"{waiting:,} records wait to be resolved anew; `cdp worker --once` does it"
    aside = select_set_aside(connection, at_most=TOLD)
    if aside.reasons:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(aside.reasons.items()))
        ids = ", ".join(map(str, aside.first_ids))
        notes["set_aside"] = (
            f"{sum(aside.reasons.values()):,} records could not be resolved as they should be "
            f"({reasons}): {ids}; docs/resolution.md says what to do"
        )
    if outdated := count_outdated_records(connection):
        notes["standardizer"] = (
            f"{outdated:,} records are as an earlier version standardized them; `cdp standardize` does it anew"
        )
    active = select_active_version(connection)
    if last is not None and active != last.model_version:
        notes["model"] = (
            f"model version {active} is in force and waits for `cdp resolve`; "
            f"the profiles are of version {last.model_version} and are compared with it"
        )
    return notes


def _reason_to_skip_partition(
    connection: Connection, last: PublishedRun | None, wanted: bool | None
) -> str | None:
    if wanted is False:
        return "it was not asked for"
    if last is None:
        return NOT_RESOLVED
    if wanted is None and (count := count_live_records(connection)) > PARTITION_AT_MOST:
        return f"{count:,} records are more than {PARTITION_AT_MOST:,}; `cdp verify --full` does it"
    return None


def told(name: str, found: Iterable[Found]) -> tuple[list[Breach], int]:
    """The first breaches of a check, and how many there are."""
    iterator = iter(found)
    breaches = [Breach(name, message, ids) for message, ids in islice(iterator, TOLD)]
    more = sum(1 for _ in iterator)
    if more:
        breaches.append(Breach(name, f"... and {more:,} more of this kind"))
    return breaches, len(breaches) - bool(more) + more


def check_memberships(connection: Connection) -> Iterator[Found]:
    """Every live record is in exactly one live profile; the unique index sees to 'at most one'."""
    is_open = memberships.c.valid_to.is_(None)
    belongs = exists().where(memberships.c.record_id == source_records.c.record_id, is_open)
    homeless = select(source_records.c.record_id).where(source_records.c.deleted_at.is_(None), ~belongs)
    for row in _rows(connection, homeless.order_by(source_records.c.record_id)):
        yield f"record {row.record_id} is in no profile: run `cdp resolve`", (row.record_id,)
    wrong = (
        select(
            memberships.c.record_id, memberships.c.profile_id, profiles.c.state, source_records.c.deleted_at
        )
        .join_from(memberships, profiles, profiles.c.profile_id == memberships.c.profile_id)
        .join(source_records, source_records.c.record_id == memberships.c.record_id)
        .where(is_open, or_(profiles.c.state != "live", source_records.c.deleted_at.is_not(None)))
        .order_by(memberships.c.record_id)
    )
    for row in _rows(connection, wrong):
        ids = (row.record_id, row.profile_id)
        if row.state != "live":
            yield f"record {row.record_id} is in profile {row.profile_id}, which is {row.state}", ids
        if row.deleted_at is not None:
            yield f"deleted record {row.record_id} is still in profile {row.profile_id}", ids


def check_record_counts(connection: Connection) -> Iterator[Found]:
    """A live profile has records and knows how many; no other has any."""
    held = (
        select(memberships.c.profile_id, func.count().label("held_count"))
        .where(memberships.c.valid_to.is_(None))
        .group_by(memberships.c.profile_id)
        .subquery("held")
    )
    count = func.coalesce(held.c.held_count, 0)
    statement = (
        select(profiles.c.profile_id, profiles.c.record_count, profiles.c.state, count.label("held_count"))
        .select_from(profiles.outerjoin(held, held.c.profile_id == profiles.c.profile_id))
        .where(
            or_(profiles.c.record_count != count, (profiles.c.state == "live") & (count == 0)),
        )
        .order_by(profiles.c.profile_id)
    )
    for row in _rows(connection, statement):
        told = (
            f"profile {row.profile_id} is {row.state}, says {row.record_count} records, has {row.held_count}"
        )
        yield told, (row.profile_id,)


def check_ids(connection: Connection) -> Iterator[Found]:
    """Every id answers: the way from an absorbed one ends, and not at an absorbed one."""
    absorbed = dict(
        connection.execute(
            select(profiles.c.profile_id, profiles.c.absorbed_into)
            .where(profiles.c.state == "absorbed")
            .order_by(profiles.c.profile_id)
        ).all()
    )
    for profile_id in absorbed:
        seen = {profile_id}
        place = absorbed[profile_id]
        while place in absorbed and place not in seen:
            seen.add(place)
            place = absorbed[place]
        if place in seen:
            yield f"profile {profile_id} was absorbed in a circle", tuple(sorted(seen))


def check_ledger(connection: Connection) -> Iterator[Found]:
    """Replaying the moves from nothing gives the open memberships; each begins where the last ended."""
    record, entry = ledger_moves.c.record_id, ledger_moves.c.ledger_entry_id
    before = func.lag(ledger_moves.c.to_profile_id).over(partition_by=record, order_by=entry)
    after = func.lead(entry).over(partition_by=record, order_by=entry)
    replayed = select(
        ledger_moves.c.ledger_entry_id,
        ledger_moves.c.record_id,
        ledger_moves.c.from_profile_id,
        ledger_moves.c.to_profile_id,
        before.label("was_in"),
        after.label("next_entry_id"),
    ).subquery("replayed")
    broken = (
        select(replayed.c.ledger_entry_id, replayed.c.record_id)
        .where(replayed.c.from_profile_id.is_distinct_from(replayed.c.was_in))
        .order_by(replayed.c.ledger_entry_id, replayed.c.record_id)
    )
    for row in _rows(connection, broken):
        told = f"ledger entry {row.ledger_entry_id} moves record {row.record_id} from where it was not"
        yield told, (row.ledger_entry_id, row.record_id)
    now_in = (
        select(memberships.c.record_id, memberships.c.profile_id)
        .where(memberships.c.valid_to.is_(None))
        .subquery("now_in")
    )
    last = (
        select(replayed.c.record_id, replayed.c.to_profile_id)
        .where(replayed.c.next_entry_id.is_(None))
        .subquery("last")
    )
    differing = (
        select(last.c.record_id, last.c.to_profile_id, now_in.c.profile_id)
        .select_from(last.outerjoin(now_in, now_in.c.record_id == last.c.record_id))
        .where(last.c.to_profile_id.is_distinct_from(now_in.c.profile_id))
        .order_by(last.c.record_id)
    )
    for row in _rows(connection, differing):
        told = f"the ledger has record {row.record_id} in {row.to_profile_id}, it is in {row.profile_id}"
        yield told, (row.record_id,)


def check_golden(connection: Connection) -> Iterator[Found]:
    """Every golden record is what survivorship makes of the members now."""
    for profile_id in find_differing_golden(connection, select_survivorship(connection)):
        yield f"the golden record of profile {profile_id} is not what its records give", (profile_id,)


def check_audit_chain(connection: Connection) -> Iterator[Found]:
    breach = find_breach(connection)
    if breach is not None:
        position = breach.chain_position
        yield f"the audit chain is broken at position {position}: {breach.what}", (position,)


def _rows(connection: Connection, statement: Select[Any]) -> Iterator[Row[Any]]:
    for chunk in stream_rows(connection, statement):
        yield from chunk


# In this order: cheap ones first, and those that explain others before them.
CHECKS: dict[str, Callable[[Connection], Iterable[Found]]] = {
    "audit_chain": check_audit_chain,
    "ids": check_ids,
    "memberships": check_memberships,
    "record_counts": check_record_counts,
    "ledger": check_ledger,
    "effects": check_effects,
    "outbox": check_outbox,
    "imports": check_imports,
    "candidates": check_candidates,
    "rulings": check_rulings,
    "reports": check_reports,
    "separation": check_separation,
    "golden": check_golden,
    "events": check_events,
    "engagement": check_engagement,
}
