"""Whatever stewards rule and take back, in any order: the store is sound, and nothing is left of what was undone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from cdp.errors import CdpError
from cdp.identity.resolve import resolve_all
from cdp.stewardship.errors import (
    AlreadyFrozenError,
    AlreadyUndoneError,
    ConstraintConflictError,
    ReadBeforeError,
    RuledOnSinceError,
)
from cdp.stewardship.freeze import freeze
from cdp.stewardship.join import join
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.split import split
from cdp.stewardship.undo import undo_action
from cdp.store import open_store
from cdp.store.schema import frozen_records, pair_constraints, steward_actions
from tests.cdp.realtime.feeding import NOW, a_record, keep_model
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, MAYBE_ANA, Desk, People, an_order
from tests.histories import tell
from tests.resolution.builders import SMALL

# Three that are Ana's and one that may be, two of Bia's with two documents of a kind, Caio, and a nameless one.
PEOPLE: list[dict[str, Any]] = [
    MAYBE_ANA,
    ANA,
    BIA | {"documents": [{"type": "cpf", "number": "390.533.447-05"}]},
    ANA,
    CAIO,
    ANA | {"full_name": "Ana Lima", "address": {}},
    BIA | {"documents": [{"type": "cpf", "number": "529.982.247-25"}]},
    {"emails": ["caio@example.com"], "full_name": "Caio Prado"},
]
REFUSALS = (
    AlreadyFrozenError,
    ConstraintConflictError,
    RuledOnSinceError,
    AlreadyUndoneError,
    ReadBeforeError,
)
# Fewer are joined than under the small model.
STRICTER = replace(SMALL.thresholds, link=6.0, join=6.0)

_numbers = count(1)


@pytest.fixture(scope="session")
def people_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of these people, resolved."""
    path = Path(shutil.copyfile(migrated_file, tmp_path_factory.mktemp("desk") / "people.db"))
    engine = open_store(f"sqlite:///{path}")
    Desk(engine).take(*PEOPLE)
    engine.dispose()
    return path


class Rulings(RuleBasedStateMachine):
    """Joins, splits, decisions and undos over records that do not change."""

    def __init__(self, people_file: Path, directory: Path) -> None:
        super().__init__()
        path = shutil.copyfile(people_file, directory / f"{next(_numbers)}.db")
        self.engine = open_store(f"sqlite:///{path}")
        self.desk = Desk(self.engine, fresh=False)
        self.before = self.desk.people()

    # ------------------------------------------------------------------------------------------------ steps

    @precondition(lambda self: len(self.members()) > 1)
    @rule(data=st.data(), size=st.integers(2, 3))
    def join(self, data: st.DataObject, size: int) -> None:
        ids = st.lists(st.sampled_from(sorted(self.members())), min_size=2, max_size=size, unique=True)
        chosen = data.draw(ids)
        self.attempt(lambda: join(self.desk.feed.resolver, chosen, an_order()))

    @precondition(lambda self: any(len(keys) > 1 for keys in self.members().values()))
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        several = sorted(each for each, keys in self.members().items() if len(keys) > 1)
        profile_id = data.draw(st.sampled_from(several))
        keys = self.members()[profile_id]
        parts = st.lists(st.sampled_from(keys), min_size=1, max_size=len(keys) - 1, unique=True)
        record_ids = [self.desk.record_id(key) for key in data.draw(parts)]
        self.attempt(lambda: split(self.desk.feed.resolver, profile_id, record_ids, an_order()))

    @precondition(lambda self: self.desk.open_candidates())
    @rule(
        data=st.data(),
        decision=st.sampled_from(("same", "different", "unsure")),
        author=st.sampled_from(("ana", "rui")),
    )
    def decide(self, data: st.DataObject, decision: str, author: str) -> None:
        candidate = data.draw(st.sampled_from(self.desk.open_candidates()))
        self.attempt(lambda: self.desk.decide(candidate, decision, author=author))

    @rule(data=st.data())
    def freeze(self, data: st.DataObject) -> None:
        profile_id = data.draw(st.sampled_from(sorted(self.members())))
        self.attempt(lambda: freeze(self.desk.feed.resolver, profile_id, an_order()))

    @precondition(lambda self: self.standing(lambda _: True))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        action_id = data.draw(st.sampled_from(self.standing(lambda _: True)))
        self.attempt(lambda: undo_action(self.desk.feed.resolver, action_id, an_order()))

    # ------------------------------------------------------------------------------------------------ looks

    def members(self) -> dict[str, list[str]]:
        return self.desk.people().members

    def standing(self, chosen: Callable[[dict[str, Any]], bool]) -> list[int]:
        rows = self.desk.rows(steward_actions)
        return [row["action_id"] for row in rows if row["undone_by"] is None and chosen(row)]

    def stands_since(self, action_id: int) -> int:
        """The last action about a ruling: itself, an undo of its undo, or one of theirs."""
        undos = [
            row["action_id"]
            for row in self.desk.rows(steward_actions)
            if row["undoes_action_id"] == action_id
        ]
        return max([action_id, *map(self.stands_since, undos)])

    def attempt(self, step: Callable[[], Outcome]) -> None:
        """A refusal changes nothing; what goes through leaves the store sound and tells the truth."""
        before = self.desk.people()
        try:
            outcome = step()
        except REFUSALS:
            assert self.desk.people() == before
            return
        assert self.desk.breaches(partition=False) == []
        now = self.desk.people().members
        told = {each.profile_id: each.record_ids for each in outcome.after if each.record_ids}
        assert told == {
            each: sorted(self.desk.record_id(key) for key in now[each]) for each in now if each in told
        }
        untold = {each: keys for each, keys in now.items() if each not in told}
        assert untold == {each: before.members[each] for each in untold}

    def teardown(self) -> None:
        try:
            assert self.desk.breaches() == []
            while rulings := self.standing(lambda row: row["undoes_action_id"] is None):
                undo_action(self.desk.feed.resolver, max(rulings, key=self.stands_since), an_order())
            self.look_at_the_end()
        finally:
            self.engine.dispose()

    def look_at_the_end(self) -> None:
        now = self.desk.people()
        assert all(row["valid_to"] is not None for row in self.desk.rows(frozen_records))
        if not self.are_kept_apart_by_undos():
            assert without_new_ids(now, self.before) == self.before
        resolve_all(self.engine, clock=lambda: NOW)
        assert self.desk.people() == now
        assert self.desk.breaches() == []

    def are_kept_apart_by_undos(self) -> bool:
        """Whom a join held together while the end of another ruling let them meet; nothing else is held."""
        undos = self.standing(lambda row: row["undoes_action_id"] is not None)
        in_force = [row for row in self.desk.rows(pair_constraints) if row["valid_to"] is None]
        assert all(row["kind"] == "cannot" and row["opened_by"] in undos for row in in_force)
        return bool(in_force)


class Changes(Rulings):
    """The same while records come, change and go: what holds is what a batch finds."""

    def __init__(self, people_file: Path, directory: Path) -> None:
        super().__init__(people_file, directory)
        self.days = count(60)

    @rule(key=st.sampled_from("12345678"), values=st.sampled_from(PEOPLE))
    def send(self, key: str, values: dict[str, Any]) -> None:
        day = next(self.days)
        self.desk.feed.ingest(a_record(key, day=day, **values), now=NOW + timedelta(days=day))
        assert self.desk.breaches(partition=False) == []

    @rule(key=st.sampled_from("12345678"))
    def delete(self, key: str) -> None:
        now = NOW + timedelta(days=next(self.days) - 100)
        try:
            self.desk.feed.delete("shop", key, now=now)
        except CdpError:
            return
        assert self.desk.breaches(partition=False) == []

    def look_at_the_end(self) -> None:
        now = self.desk.people()
        assert self.desk.breaches() == []
        resolve_all(self.engine, clock=lambda: NOW)
        assert self.desk.people() == now


class Publications(Changes):
    """The same while everything is resolved, now with one model, now with another."""

    def __init__(self, people_file: Path, directory: Path) -> None:
        super().__init__(people_file, directory)
        keep_model(self.engine, 1, thresholds=STRICTER)

    @rule(data=st.data(), version=st.sampled_from((0, 1)))
    def resolve_meanwhile(self, data: st.DataObject, version: int) -> None:
        def progress(step: str) -> None:
            if step == "publishing":
                for _ in range(data.draw(st.integers(1, 3))):
                    self.step(data)

        resolve_all(self.engine, model_version=version, clock=lambda: NOW, progress=progress)
        assert self.desk.breaches() == []

    def step(self, data: st.DataObject) -> None:
        several = [each for each, keys in self.members().items() if len(keys) > 1]
        steps: list[Callable[[], None]] = [
            lambda: self.send(data.draw(st.sampled_from("12345678")), data.draw(st.sampled_from(PEOPLE))),
            lambda: self.delete(data.draw(st.sampled_from("12345678"))),
        ]
        steps += [lambda: self.join(data, 2)] if len(self.members()) > 1 else []
        steps += [lambda: self.split(data)] if several else []
        steps += [lambda: self.undo(data)] if self.standing(lambda _: True) else []
        data.draw(st.sampled_from(steps))()


def without_new_ids(now: People, before: People) -> People:
    new = now.answers.keys() - before.answers.keys()
    assert new.isdisjoint(now.members)
    return replace(now, answers={each: leads for each, leads in now.answers.items() if each not in new})


def test_undone_rulings_leave_nothing(people_file: Path, tmp_path: Path) -> None:
    tell(lambda: Rulings(people_file, tmp_path), histories=4, steps=12)


def test_rulings_hold_while_records_change(people_file: Path, tmp_path: Path) -> None:
    tell(lambda: Changes(people_file, tmp_path), histories=3, steps=12)


@pytest.mark.slow
def test_rulings_hold_while_everything_is_resolved(people_file: Path, tmp_path: Path) -> None:
    tell(lambda: Publications(people_file, tmp_path), histories=2, steps=6)
