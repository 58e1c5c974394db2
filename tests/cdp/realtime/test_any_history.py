"""Whatever comes, in whatever order: versions, deletions, rulings and undos leave what the rules say, and a batch finds
nothing to change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    precondition,
    rule,
)
from sqlalchemy import Engine, make_url

import resolution.incremental
from cdp.identity.identifier_reports import OUTCOMES
from cdp.identity.resolve import resolve_all
from cdp.realtime.redo import drain_redo
from cdp.realtime.report_identifier import NewReport, Reporter, report_identifier, withdraw_report
from cdp.stewardship.errors import (
    AlreadyUndoneError,
    ConstraintConflictError,
    NothingToUndoError,
    ReadBeforeError,
    RuledOnSinceError,
)
from cdp.stewardship.join import join
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.split import split
from cdp.stewardship.undo import undo_action, undo_entry
from cdp.store.schema import (
    identifier_reports,
    ledger_entries,
    pair_constraints,
    redo_records,
)
from resolution.standardize import Identifier
from tests.cdp.realtime.any_people import EMAILS
from tests.cdp.realtime.deliveries import Deliveries
from tests.cdp.realtime.feeding import Limits, findings
from tests.cdp.realtime.rules import (
    Claim,
    Ruling,
    Rulings,
    find_violation,
    held_together,
    pairs_of_one_person,
)
from tests.cdp.stewardship.desk import Desk, People, an_order
from tests.histories import tell
from tests.postgres import Cluster

# Four records fill a block, five a component, and three names make an address one that is shared.
LIMITS = Limits(cap=4, complete_size=5)
QUEUED_ABOVE = 3
REPORTER = Reporter("test")


class History(Deliveries):
    """Stewards rule while records come, change and go, over a real store and beside a model of the rules.

    undoable: the rulings after which nothing but rulings happened, each with the people before it. lately: the ruling
    that was taken back by the step before, with the people before that.
    """

    def __init__(self, open_desk: Callable[[], Desk]) -> None:
        super().__init__(open_desk())
        self.rulings = Rulings()
        self.undoable: list[tuple[int, People]] = []
        self.lately: tuple[int, People] | None = None
        self.resolutions = 0

    # ---------------------------------------------------------------------------------------------- stewards

    @precondition(lambda self: len(self.members()) > 1)
    @rule(data=st.data(), size=st.integers(2, 3))
    def join(self, data: st.DataObject, size: int) -> None:
        members = self.members()
        chosen = data.draw(st.lists(st.sampled_from(sorted(members)), min_size=2, max_size=size, unique=True))
        if self.act(lambda: join(self.desk.feed.resolver, chosen, an_order(now=self.tick()))):
            keys = {key for profile_id in chosen for key in members[profile_id]}
            assert any(keys <= set(listed) for listed in self.members().values())

    @precondition(lambda self: any(len(keys) > 1 for keys in self.members().values()))
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        members = self.members()
        profile_id = data.draw(
            st.sampled_from(sorted(each for each, keys in members.items() if len(keys) > 1))
        )
        keys = members[profile_id]
        going = data.draw(st.lists(st.sampled_from(keys), min_size=1, max_size=len(keys) - 1, unique=True))
        ids = [self.desk.record_id(key) for key in going]
        assert self.act(lambda: split(self.desk.feed.resolver, profile_id, ids, an_order(now=self.tick())))
        assert not any(
            set(going) & set(listed) and set(listed) & (set(keys) - set(going))
            for listed in self.members().values()
        )

    @precondition(lambda self: self.desk.open_candidates())
    @rule(
        data=st.data(),
        decision=st.sampled_from(("same", "different", "unsure")),
        author=st.sampled_from(("ana", "rui")),
    )
    def decide(self, data: st.DataObject, decision: str, author: str) -> None:
        candidate = data.draw(st.sampled_from(self.desk.open_candidates()))
        if self.act(lambda: self.desk.decide(candidate, decision, author=author, now=self.tick())):
            profile_of = self.profile_of()
            ends = {profile_of[candidate.record_id_l], profile_of[candidate.record_id_r]}
            assert len(ends) == (1 if decision == "same" else 2)

    @precondition(lambda self: self.machine_entries())
    @rule(data=st.data())
    def undo_machine(self, data: st.DataObject) -> None:
        """What it did to memberships is not done again: that is a ruling too."""
        entry_id = data.draw(st.sampled_from(self.machine_entries()))
        self.act(lambda: undo_entry(self.desk.feed.resolver, entry_id, an_order(now=self.tick())))

    @precondition(lambda self: self.rulings.ruling_of)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        """Of any action that stands, rulings and undos of them."""
        self.take_back(data.draw(st.sampled_from(sorted(self.desk.standing_actions()))))

    @precondition(lambda self: self.rulings.standing())
    @rule()
    def undo_last(self) -> None:
        assert self.take_back(self.rulings.standing()[-1])

    @precondition(lambda self: self.members())
    @rule(data=st.data(), depth=st.integers(1, 3))
    def nest(self, data: st.DataObject, depth: int) -> None:
        """Several rulings, with nothing waiting or coming between, taken back from the last to the first."""
        self.desk.feed.drain()
        self.forget_people()
        for _ in range(depth):
            data.draw(st.sampled_from(self.possible_rulings(data)))()
        while self.undoable:
            last = self.undoable[-1][0]
            undo = self.take_back(last)
            assert undo is not None
            if data.draw(st.booleans()):
                assert undo.action_id is not None
                assert self.take_back(undo.action_id)
                assert self.take_back(last)

    def possible_rulings(self, data: st.DataObject) -> list[Callable[[], None]]:
        found: list[Callable[[], None]] = []
        if len(self.members()) > 1:
            found.append(lambda: self.join(data, 2))
        if any(len(keys) > 1 for keys in self.members().values()):
            found.append(lambda: self.split(data))
        if self.desk.open_candidates():
            found += [
                lambda: self.decide(data, "same", "steward"),
                lambda: self.decide(data, "different", "steward"),
            ]
        if self.machine_entries():
            found.append(lambda: self.undo_machine(data))
        return found or [lambda: None]

    def act(self, step: Callable[[], Outcome]) -> Outcome | None:
        """A ruling, noted; a refusal changes nothing."""
        before, is_settled = self.desk.people(), not self.desk.rows(redo_records)
        profile_of = self.profile_of()
        outcome = self.attempt(step)
        if outcome is None:
            return None
        assert outcome.action_id is not None
        rows = self.desk.rows(pair_constraints)
        self.rulings.rule(
            outcome.action_id,
            self.opened_by(outcome.action_id),
            (_claim(row) for row in rows if row["closed_by"] == outcome.action_id),
        )
        self.note_brought(outcome.action_id, profile_of)
        self.undoable = [*self.undoable, (outcome.action_id, before)] if is_settled else []
        self.lately = None
        return outcome

    def take_back(self, action_id: int) -> Outcome | None:
        """People, ids and golden values are those of before the ruling, or of before its undo, if nothing else was."""
        before, is_settled = self.desk.people(), not self.desk.rows(redo_records)
        profile_of = self.profile_of()
        target = self.rulings.ruling_of[action_id]
        turn = self.rulings.of_action[target].turn
        outcome = self.attempt(
            lambda: undo_action(self.desk.feed.resolver, action_id, an_order(now=self.tick())), since=turn
        )
        if outcome is None:
            return None
        assert outcome.action_id is not None
        ruling = self.rulings.undo(outcome.action_id, action_id, self.opened_by(outcome.action_id))
        if ruling.stands:
            self.note_brought(target, profile_of)
            if self.lately is not None and self.lately[0] == target and is_settled:
                assert self.are_back(self.lately[1])
            self.undoable = [*self.undoable, (target, before)] if is_settled else []
            self.lately = None
            return outcome
        self.are_parted(ruling)
        if self.undoable and self.undoable[-1][0] == target and is_settled:
            _, there = self.undoable.pop()
            assert self.are_back(there)
        else:
            self.undoable = []
        self.lately = (target, before)
        return outcome

    def opened_by(self, action_id: int) -> list[Claim]:
        rows = self.desk.rows(pair_constraints)
        return list(dict.fromkeys(_claim(row) for row in rows if row["opened_by"] == action_id))

    def note_brought(self, ruling_id: int, before: dict[int, str]) -> None:
        """The pairs of records that a ruling, coming into force, made one person."""
        ruling, now = self.rulings.of_action[ruling_id], self.profile_of()
        one = pairs_of_one_person(now) - pairs_of_one_person(before)
        ruling.brought = frozenset(pair for pair in one if before.keys() >= set(pair))

    def are_parted(self, ruling: Ruling) -> None:
        """Whom it brought together is one person no more, unless other rulings say so."""
        still = ruling.brought & pairs_of_one_person(self.profile_of())
        group_of = held_together(self.rulings.in_force())
        assert all(left in group_of and group_of[left] == group_of.get(right) for left, right in still)

    def attempt(self, step: Callable[[], Outcome], *, since: int = 0) -> Outcome | None:
        """None when other rulings stand in the way, later ones of an undo; then nothing changed."""
        before = self.desk.people()
        try:
            return step()
        except RuledOnSinceError as error:
            in_the_way = [self.rulings.of_action[int(each)] for each in error.ids]
        except (ConstraintConflictError, AlreadyUndoneError, NothingToUndoError, ReadBeforeError):
            in_the_way = []
        assert all(other.stands and other.turn > since for other in in_the_way)
        assert self.desk.people() == before
        return None

    # ---------------------------------------------------------------------------------------------- reports

    @rule(value=st.sampled_from(EMAILS), outcome=st.sampled_from(OUTCOMES))
    def report(self, value: str, outcome: str) -> None:
        new = NewReport(Identifier("email", value, None, verified=False), outcome)
        report_identifier(self.desk.feed.resolver, new, REPORTER, now=self.tick())
        self.forget_people()

    @precondition(lambda self: self.desk.rows(identifier_reports))
    @rule(data=st.data())
    def withdraw_report(self, data: st.DataObject) -> None:
        ids = [row["report_id"] for row in self.desk.rows(identifier_reports)]
        report_id = data.draw(st.sampled_from(ids))
        withdraw_report(self.desk.feed.resolver, report_id, REPORTER, reason=None, now=self.tick())
        self.forget_people()

    # ---------------------------------------------------------------------------------------------- the machine

    @precondition(lambda self: self.desk.rows(redo_records))
    @rule(at_most=st.integers(1, 4))
    def drain(self, at_most: int) -> None:
        assert drain_redo(self.desk.feed.resolver, at_most=at_most, now=self.tick()).set_aside == {}
        self.forget_people()

    @precondition(lambda self: self.resolutions == 0)
    @rule()
    def resolve_everything(self) -> None:
        """The only one of a history, since it takes a second: it changes nothing but what was waiting."""
        self.resolutions += 1
        is_settled, people, found = (
            not self.desk.rows(redo_records),
            self.desk.people(),
            findings(self.desk.engine),
        )
        resolve_all(self.desk.engine, clock=self.tick)
        if is_settled:
            assert findings(self.desk.engine) == found
            assert self.desk.people() == people
        else:
            self.forget_people()
        assert self.desk.rows(redo_records) == []

    # ---------------------------------------------------------------------------------------------- looks

    @invariant()
    def rulings_are_those_of_the_model(self) -> None:
        in_force = [_claim(row) for row in self.desk.rows(pair_constraints) if row["valid_to"] is None]
        assert len(in_force) == len(set(in_force))
        assert set(in_force) == self.rulings.in_force()
        assert find_violation(in_force, self.profile_of()) is None

    def machine_entries(self) -> list[int]:
        """Those that brought records together or parted them."""
        rows = [row for row in self.desk.rows(ledger_entries) if row["action_id"] is None]
        return [row["ledger_entry_id"] for row in rows if row["kind"] in ("attach", "join", "move", "split")]

    def are_back(self, before: People) -> bool:
        """Whether all are who they were, by the same ids, and ids that were nobody's then lead where they led."""
        now = self.desk.people()
        led = {each: leads for each, leads in now.answers.items() if each in before.answers}
        return (now.members, now.golden, led) == (before.members, before.golden, before.answers)

    def forget_people(self) -> None:
        self.undoable, self.lately = [], None

    def teardown(self) -> None:
        try:
            self.look_at_everything()
            while standing := self.rulings.standing():
                assert self.take_back(standing[-1])
                self.rulings_are_those_of_the_model()
            assert self.desk.breaches(partition=False) == []
        finally:
            self.desk.engine.dispose()

    def look_at_everything(self) -> None:
        """Sound, and what everything resolved anew comes to."""
        self.desk.feed.drain()
        assert self.desk.breaches(partition=False) == []
        found, people = findings(self.desk.engine), self.desk.people()
        resolve_all(self.desk.engine, clock=self.tick)
        assert findings(self.desk.engine) == found
        assert self.desk.people() == people


def _claim(row: dict[str, Any]) -> Claim:
    return row["opened_by"], row["kind"], row["record_id_l"], row["record_id_r"]


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """More holders of a value wait in the queue."""
    monkeypatch.setattr(resolution.incremental, "REDO_AT_ONCE", QUEUED_ABOVE)


def test_any_history_is_as_the_rules_say(open_copy: Callable[[], Engine]) -> None:
    tell(lambda: History(lambda: Desk(open_copy(), limits=LIMITS)), histories=4, steps=20)


def test_any_history_is_as_the_rules_say_within_windows(open_copy: Callable[[], Engine]) -> None:
    """Every step takes an hour: what is shared one day is not the next."""
    limits = replace(LIMITS, window_days=1)
    tell(lambda: History(lambda: Desk(open_copy(), limits=limits)), histories=2, steps=20)


def test_any_history_is_as_the_rules_say_on_postgresql(
    postgresql_url: str, migrated_postgres: Cluster, open_engine: Callable[[str], Engine]
) -> None:
    name = str(make_url(postgresql_url).database)

    def open_desk() -> Desk:
        migrated_postgres.empty(name)
        return Desk(open_engine(postgresql_url), limits=LIMITS)

    tell(lambda: History(open_desk), histories=2, steps=15)
