"""A steward's desk over a store that is fed record by record; records are named by their keys in the source `shop`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Table, select

from cdp.identity.verify import verify_store
from cdp.stewardship.candidates import Candidate, require_candidate
from cdp.stewardship.decide import decide
from cdp.stewardship.join import join
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.ruling import Order
from cdp.stewardship.split import split
from cdp.stewardship.undo import undo_action, undo_entry
from cdp.store import read
from cdp.store.schema import memberships, merge_candidates, profiles, source_records, steward_actions
from tests.cdp.realtime.feeding import NOW, Feed, Limits, a_record

ANA = {
    "full_name": "Ana Reis",
    "birth_date": "1980-02-29",
    "emails": ["ana@example.com"],
    "address": {"city": "Lisboa"},
}
BIA = {"full_name": "Bia Prado", "birth_date": "1981-01-01", "emails": ["bia@example.com"]}
CAIO = {"full_name": "Caio Lima", "birth_date": "1982-01-02", "emails": ["caio@example.com"]}
# Ana's name and another city: within the review band of the small model.
MAYBE_ANA = {"full_name": "Ana Reis", "address": {"city": "Porto"}}


@dataclass(frozen=True)
class People:
    """Who is who: profile to its records by key, to its golden record, and every id ever given to where it leads."""

    members: dict[str, list[str]]
    golden: dict[str, Any]
    answers: dict[str, str]


@dataclass
class Desk:
    """fresh: whether the store has no model yet."""

    engine: Engine
    fresh: bool = True
    limits: Limits = field(default_factory=Limits)
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = Feed(self.engine, self.limits, fresh=self.fresh)

    # ------------------------------------------------------------------------------------------------ verbs

    def take(self, *people: dict[str, Any], keys: str | None = None, now: datetime = NOW) -> list[str]:
        """Records of these people, keyed '1', '2', ... one after the other; returns their profiles."""
        numbers = keys or "".join(str(number) for number in range(1, len(people) + 1))
        for key, values in zip(numbers, people, strict=True):
            self.feed.ingest(a_record(key, **values), now=now)
        return [self.profile_of(key) for key in numbers]

    def join(self, *keys: str, **options: Any) -> Outcome:
        profile_ids = [self.profile_of(key) for key in keys]
        return join(self.feed.resolver, profile_ids, an_order(**options))

    def split(self, *keys: str, of: str | None = None, **options: Any) -> Outcome:
        profile_id = self.profile_of(of or keys[0])
        return split(
            self.feed.resolver, profile_id, [self.record_id(key) for key in keys], an_order(**options)
        )

    def decide(
        self,
        candidate: Candidate,
        decision: str,
        *,
        etag: str | None = None,
        needs_claim: bool = False,
        **options: Any,
    ) -> Outcome:
        return decide(
            self.feed.resolver,
            candidate.candidate_id,
            decision,
            an_order(**options),
            seen=[candidate.etag if etag is None else etag],
            needs_claim=needs_claim,
        )

    def leave(self, candidate: Candidate, **options: Any) -> Outcome:
        """Unsure, of two people: the second one's outcome."""
        self.decide(candidate, "unsure", author="first", **options)
        return self.decide(self.candidate(candidate.candidate_id), "unsure", author="second", **options)

    def undo(self, outcome: Outcome, **options: Any) -> Outcome:
        assert outcome.action_id is not None
        return undo_action(self.feed.resolver, outcome.action_id, an_order(**options))

    def undo_entry(self, ledger_entry_id: int, **options: Any) -> Outcome:
        return undo_entry(self.feed.resolver, ledger_entry_id, an_order(**options))

    # ------------------------------------------------------------------------------------------------ looks

    def record_id(self, key: str) -> int:
        with read(self.engine) as connection:
            return connection.scalars(
                select(source_records.c.record_id).where(source_records.c.source_record_id == key)
            ).one()

    def profile_of(self, key: str) -> str:
        return next(profile_id for profile_id, keys in self.people().members.items() if key in keys)

    def groups(self) -> list[list[str]]:
        return sorted(self.people().members.values())

    def people(self) -> People:
        members: dict[str, list[str]] = {}
        with read(self.engine) as connection:
            held = (
                select(memberships.c.profile_id, source_records.c.source_record_id)
                .join(source_records, source_records.c.record_id == memberships.c.record_id)
                .where(memberships.c.valid_to.is_(None))
                .order_by(source_records.c.source_record_id)
            )
            for profile_id, key in connection.execute(held):
                members.setdefault(profile_id, []).append(key)
            every = {row.profile_id: row for row in connection.execute(select(profiles))}
        golden = {profile_id: json.loads(every[profile_id].golden) for profile_id in members}
        return People(members, golden, {profile_id: _answer(profile_id, every) for profile_id in every})

    def open_candidates(self) -> list[Candidate]:
        with read(self.engine) as connection:
            ids = connection.scalars(
                select(merge_candidates.c.candidate_id)
                .where(merge_candidates.c.state == "open")
                .order_by(merge_candidates.c.candidate_id)
            ).all()
            return [require_candidate(connection, candidate_id) for candidate_id in ids]

    def standing_actions(self) -> list[int]:
        return [row["action_id"] for row in self.rows(steward_actions) if row["undone_by"] is None]

    def candidate(self, candidate_id: int) -> Candidate:
        with read(self.engine) as connection:
            return require_candidate(connection, candidate_id)

    def rows(self, table: Table) -> list[dict[str, Any]]:
        with read(self.engine) as connection:
            return [
                dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
            ]

    def breaches(self, *, partition: bool = True) -> Sequence[object]:
        return verify_store(self.engine, partition=partition).breaches


def an_order(**options: Any) -> Order:
    return Order(**{"author": "steward", "reason": "known", "now": NOW, **options})


def _answer(profile_id: str, every: dict[str, Any]) -> str:
    while every[profile_id].state == "absorbed":
        profile_id = every[profile_id].absorbed_into
    return profile_id
