"""A quality sample: some decisions and automatic joins come back, blind, to somebody else.

Each has a known chance to be drawn, by a hash of its id, so that who draws again draws the same; live precision is
estimated from this stream alone. Of a ledger entry of the machine that was drawn, one of the joins that it made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, exists, func, insert, select, update

from cdp.privacy.audit import AuditEntry, append_audit
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import SecondPersonNeededError, UnknownSampleError
from cdp.stewardship.estimation import Share, kappa, weighted_share, wilson
from cdp.store import read, retry_write
from cdp.store.schema import ledger_entries, ledger_moves, merge_candidates, quality_draws, source_records
from cdp.store.schema import quality_samples as samples
from cdp.store.schema import steward_actions as actions

ANSWERS = ("same", "different", "unsure")
MACHINE = "machine"
_JOINING = ("create", "attach", "join", "move")


@dataclass(frozen=True)
class BlindSample:
    """Two records to be read; whether anybody held them to be one person is not told."""

    sample_id: int
    record_id_l: int
    record_id_r: int


@dataclass(frozen=True)
class Quality:
    """waiting_count: not read yet. unsure_count: read and left unsure, which no share counts.

    agreement: decisions that a second reader made the same way; kappa: the same beyond chance. precision: automatic
    joins that the reader held to be right, weighted by their chance to be drawn.
    """

    waiting_count: int
    unsure_count: int
    agreement: Share
    kappa: float | None
    precision: Share


def draw_samples(engine: Engine, rules: DeskRules, *, author: str, now: datetime) -> int:
    """Give every decision and automatic join since the last draw its chance; returns how many were drawn."""

    def work(connection: Connection) -> int:
        last = _select_last(connection)
        up_to = _newest(connection)
        drawn = [
            *_drawn_decisions(connection, last[0], up_to[0], rules.quality_decision_share),
            *_drawn_joins(connection, last[1], up_to[1], rules.quality_join_share),
        ]
        if up_to == last:
            return 0
        row = {
            "drawn_at": now,
            "up_to_action_id": up_to[0],
            "up_to_entry_id": up_to[1],
            "decision_share": rules.quality_decision_share,
            "join_share": rules.quality_join_share,
            "sample_count": len(drawn),
        }
        draw_id = connection.scalars(insert(quality_draws).returning(quality_draws.c.draw_id), row).one()
        if drawn:
            connection.execute(insert(samples), [{"draw_id": draw_id, **each} for each in drawn])
        entry = AuditEntry(author, "quality.draw", "draw", str(draw_id), now, {"samples": len(drawn)})
        append_audit(connection, [entry])
        return len(drawn)

    return retry_write(engine, work)


def draw_when_due(
    engine: Engine, rules: DeskRules, *, author: str, now: datetime, every: timedelta = timedelta(hours=1)
) -> int:
    """Draw unless somebody did lately."""
    with read(engine) as connection:
        last = connection.scalar(select(func.max(quality_draws.c.drawn_at)))
    return (
        0 if last is not None and now < last + every else draw_samples(engine, rules, author=author, now=now)
    )


def select_next_sample(connection: Connection, *, author: str) -> BlindSample | None:
    """What this person may read next: nothing of their own."""
    row = connection.execute(
        select(samples.c.sample_id, samples.c.record_id_l, samples.c.record_id_r)
        .where(*_may_read(author))
        .order_by(samples.c.sample_id)
        .limit(1)
    ).first()
    return None if row is None else BlindSample(*row)


def count_readable(connection: Connection, *, author: str) -> int:
    """How many samples wait that this person may read."""
    return connection.scalar(select(func.count()).select_from(samples).where(*_may_read(author))) or 0


def answer_sample(engine: Engine, sample_id: int, answer: str, *, author: str, now: datetime) -> None:
    """It changes nobody: what differs is for people to look at. Raises UnknownSampleError, SecondPersonNeededError."""

    def work(connection: Connection) -> None:
        row = connection.execute(
            select(samples.c.first_author).where(samples.c.sample_id == sample_id, samples.c.answer.is_(None))
        ).first()
        if row is None:
            raise UnknownSampleError(
                f"Sample {sample_id} is none that waits: take the next.", ids=[sample_id]
            )
        if row.first_author == author:
            raise SecondPersonNeededError(
                f"You decided what sample {sample_id} is about: somebody else reads it.", ids=[sample_id]
            )
        connection.execute(
            update(samples)
            .where(samples.c.sample_id == sample_id)
            .values(answer=answer, answered_by=author, answered_at=now)
        )
        append_audit(connection, [AuditEntry(author, "quality.answer", "sample", str(sample_id), now)])

    retry_write(engine, work)


def estimate_quality(connection: Connection) -> Quality:
    rows = connection.execute(
        select(samples.c.kind, samples.c.first_answer, samples.c.answer, samples.c.chance)
    ).all()
    told = [row for row in rows if row.answer in ("same", "different")]
    twice = [(row.first_answer, row.answer) for row in told if row.kind == "decision"]
    return Quality(
        waiting_count=sum(row.answer is None for row in rows),
        unsure_count=sum(row.answer == "unsure" for row in rows),
        agreement=wilson(sum(one == other for one, other in twice), len(twice)),
        kappa=kappa(twice),
        precision=weighted_share(
            (row.answer == "same", 1.0 / row.chance) for row in told if row.kind == "join"
        ),
    )


def _may_read(author: str) -> tuple[ColumnElement[bool], ...]:
    """What lost a record since is read by nobody: its source took the values back."""
    is_gone = (
        exists()
        .where(
            source_records.c.record_id.in_((samples.c.record_id_l, samples.c.record_id_r)),
            source_records.c.deleted_at.is_not(None),
        )
        .correlate(samples)
    )
    return samples.c.answer.is_(None), samples.c.first_author != author, ~is_gone


def is_drawn(kind: str, item_id: int, share: float) -> bool:
    """The same for the same item, whenever it is asked; of many items, their share."""
    return _number(f"{kind}:{item_id}") < share * 2.0**64


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _select_last(connection: Connection) -> tuple[int, int]:
    row = connection.execute(
        select(quality_draws.c.up_to_action_id, quality_draws.c.up_to_entry_id)
        .order_by(quality_draws.c.draw_id.desc())
        .limit(1)
    ).first()
    return (0, 0) if row is None else (row[0], row[1])


def _newest(connection: Connection) -> tuple[int, int]:
    newest = select(
        select(func.coalesce(func.max(actions.c.action_id), 0)).scalar_subquery(),
        select(func.coalesce(func.max(ledger_entries.c.ledger_entry_id), 0)).scalar_subquery(),
    )
    row = connection.execute(newest).one()
    return row[0], row[1]


def _drawn_decisions(
    connection: Connection, after: int, up_to: int, share: float
) -> Iterator[Mapping[str, Any]]:
    rows = connection.execute(
        select(
            actions.c.action_id,
            actions.c.decision,
            actions.c.author,
            merge_candidates.c.record_id_l,
            merge_candidates.c.record_id_r,
        )
        .join(merge_candidates, merge_candidates.c.candidate_id == actions.c.candidate_id)
        .where(
            actions.c.action_id > after,
            actions.c.action_id <= up_to,
            actions.c.decision.in_(("same", "different")),
            actions.c.undone_by.is_(None),
        )
        .order_by(actions.c.action_id)
    )
    for row in rows:
        if is_drawn("decision", row.action_id, share):
            yield _sample("decision", row, row.decision, row.author, share, action_id=row.action_id)


def _drawn_joins(connection: Connection, after: int, up_to: int, share: float) -> Iterator[Mapping[str, Any]]:
    is_machines = (
        ledger_entries.c.action_id.is_(None),
        ledger_entries.c.report_id.is_(None),
        ledger_entries.c.kind.in_(_JOINING),
    )
    ids = connection.scalars(
        select(ledger_entries.c.ledger_entry_id)
        .where(
            ledger_entries.c.ledger_entry_id > after, ledger_entries.c.ledger_entry_id <= up_to, *is_machines
        )
        .order_by(ledger_entries.c.ledger_entry_id)
    )
    for entry_id in [each for each in ids if is_drawn("join", each, share)]:
        joins = _joins_of(connection, entry_id)
        if joins:
            chosen = joins[_number(f"pair:{entry_id}") % len(joins)]
            chance = share / len(joins)
            yield _sample("join", _Pair(*chosen), "same", MACHINE, chance, ledger_entry_id=entry_id)


@dataclass(frozen=True)
class _Pair:
    record_id_l: int
    record_id_r: int


def _joins_of(connection: Connection, entry_id: int) -> Sequence[tuple[int, int]]:
    """The pairs that the entry brought together: an entry tells all joins of its profile, and those between records
    that were there before are of other entries."""
    evidence = connection.scalars(
        select(ledger_entries.c.evidence).where(ledger_entries.c.ledger_entry_id == entry_id)
    ).one()
    moved = set(
        connection.scalars(select(ledger_moves.c.record_id).where(ledger_moves.c.ledger_entry_id == entry_id))
    )
    told = json.loads(evidence)
    pairs = [
        (min(ends), max(ends))
        for join in (told.get("joins", ()) if isinstance(told, Mapping) else ())
        if join.get("kind", "evidence") == "evidence"
        for ends in [(join["record_id_l"], join["record_id_r"])]
    ]
    bridging = sorted(pair for pair in pairs if len(moved.intersection(pair)) == 1)
    return bridging or sorted(pair for pair in pairs if moved.issuperset(pair))


def _sample(
    kind: str, pair: Any, first_answer: str, first_author: str, chance: float, **about: int
) -> Mapping[str, Any]:
    return {
        "kind": kind,
        "action_id": about.get("action_id"),
        "ledger_entry_id": about.get("ledger_entry_id"),
        "record_id_l": pair.record_id_l,
        "record_id_r": pair.record_id_r,
        "first_answer": first_answer,
        "first_author": first_author,
        "chance": chance,
    }
