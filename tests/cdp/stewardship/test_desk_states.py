"""Whatever several people do at the desk, in any order: one live claim an item, nobody reads twice what they answered,
and every item comes to an end."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cdp.stewardship.claim import claim, claim_next, release, renew, skip
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import RulingRefusedError
from cdp.stewardship.outcome import Outcome
from cdp.store import open_store
from cdp.store.schema import candidate_leases, steward_actions
from tests.cdp.realtime.feeding import NOW
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, MAYBE_ANA, Desk
from tests.histories import tell

RULES = DeskRules(lease=timedelta(minutes=10), hidden=timedelta(minutes=60))
AUTHORS = ("ana", "rui", "eva")
MANY: list[dict[str, Any]] = [
    ANA,
    MAYBE_ANA,
    BIA | {"address": {"city": "Faro"}},
    MAYBE_ANA | {"full_name": "Bia Prado"},
    CAIO | {"address": {"city": "Faro"}},
    MAYBE_ANA | {"full_name": "Caio Lima"},
]
authors, items = st.sampled_from(AUTHORS), st.integers(1, 3)
_numbers = count(1)


@pytest.fixture(scope="session")
def questions_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copyfile(migrated_file, tmp_path_factory.mktemp("questions") / "questions.db"))
    engine = open_store(f"sqlite:///{path}")
    Desk(engine).take(*MANY)
    engine.dispose()
    return path


class Stewards(RuleBasedStateMachine):
    """answered: (author, item) of answers that stand. holder: item to who claimed it and until when."""

    def __init__(self, questions_file: Path, directory: Path) -> None:
        super().__init__()
        path = shutil.copyfile(questions_file, directory / f"{next(_numbers)}.db")
        self.engine = open_store(f"sqlite:///{path}")
        self.desk = Desk(self.engine, fresh=False)
        assert len(self.desk.open_candidates()) == 3
        self.now: datetime = NOW
        self.holder: dict[int, tuple[str, datetime]] = {}
        self.hidden: dict[tuple[str, int], datetime] = {}
        self.answered: dict[int, tuple[str, int, str]] = {}

    # ------------------------------------------------------------------------------------------------ steps

    @rule(minutes=st.sampled_from((1, 5, 11, 61)))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(author=authors, item=items)
    def claim(self, author: str, item: int) -> None:
        may = self.is_open(item) and self.is_free(author, item) and not self.was_unsure(author, item)
        claimed = self.attempt(lambda: claim(self.engine, item, RULES, author=author, now=self.now))
        assert (claimed is not None) == may
        if claimed is not None:
            self.holder[item] = (author, claimed.lease.expires_at)

    @rule(author=authors)
    def claim_next(self, author: str) -> None:
        may = [
            item
            for item in (1, 2, 3)
            if self.is_open(item)
            and self.is_free(author, item)
            and not self.was_unsure(author, item)
            and self.hidden.get((author, item), self.now) <= self.now
        ]
        claimed = claim_next(self.engine, RULES, author=author, now=self.now)
        assert (claimed is not None) == bool(may)
        if claimed is not None:
            assert claimed.candidate.candidate_id in may
            self.holder[claimed.candidate.candidate_id] = (author, claimed.lease.expires_at)

    @rule(author=authors, item=items)
    def renew(self, author: str, item: int) -> None:
        lease = self.attempt(lambda: renew(self.engine, item, RULES, author=author, now=self.now))
        assert (lease is not None) == self.holds(author, item)
        if lease is not None:
            self.holder[item] = (author, lease.expires_at)

    @rule(author=authors, item=items)
    def release(self, author: str, item: int) -> None:
        release(self.engine, item, author=author, now=self.now)
        if self.holder.get(item, ("",))[0] == author:
            del self.holder[item]

    @rule(author=authors, item=items)
    def skip(self, author: str, item: int) -> None:
        may = self.is_open(item) and self.is_free(author, item)
        until = self.attempt(lambda: skip(self.engine, item, RULES, author=author, now=self.now))
        assert (until is not None) == may
        if until is not None:
            self.hidden[author, item] = until
            if self.holder.get(item, ("",))[0] == author:
                del self.holder[item]

    @rule(author=authors, item=items, decision=st.sampled_from(("same", "different", "unsure", "unsure")))
    def decide(self, author: str, item: int, decision: str) -> None:
        may = self.is_open(item) and self.holds(author, item) and not self.was_unsure(author, item)
        candidate = self.desk.candidate(item)
        outcome = self.attempt(
            lambda: self.desk.decide(candidate, decision, author=author, now=self.now, needs_claim=True)
        )
        assert (outcome is not None) == may
        if outcome is not None:
            assert outcome.action_id is not None
            self.answered[outcome.action_id] = (author, item, decision)
            self.holder.pop(item, None)

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        if not self.answered:
            return
        action_id = data.draw(st.sampled_from(sorted(self.answered)))
        author, *_ = self.answered[action_id]
        outcome: Outcome | None = self.attempt(
            lambda: self.desk.undo(_Told(action_id), author=author, now=self.now)  # type: ignore[arg-type]
        )
        if outcome is not None:
            del self.answered[action_id]

    # ------------------------------------------------------------------------------------------------ looks

    def attempt(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except RulingRefusedError:
            return None

    def is_open(self, item: int) -> bool:
        answers = [decision for _, of, decision in self.answered.values() if of == item]
        return answers.count("unsure") < 2 and not {"same", "different"} & set(answers)

    def was_unsure(self, author: str, item: int) -> bool:
        return (author, item, "unsure") in self.answered.values()

    def holds(self, author: str, item: int) -> bool:
        owner, until = self.holder.get(item, ("", self.now))
        return owner == author and self.now < until

    def is_free(self, author: str, item: int) -> bool:
        owner, until = self.holder.get(item, (author, self.now))
        return owner == author or until <= self.now

    @invariant()
    def one_live_claim_an_item(self) -> None:
        live = {
            row["candidate_id"]: row["owner"]
            for row in self.desk.rows(candidate_leases)
            if row["expires_at"] > self.now
        }
        assert live == {item: owner for item, (owner, until) in self.holder.items() if until > self.now}

    @invariant()
    def the_open_ones_are_those_without_an_end(self) -> None:
        open_now = {each.candidate_id for each in self.desk.open_candidates()}
        assert open_now == {item for item in (1, 2, 3) if self.is_open(item)}

    @invariant()
    def nobody_answers_twice(self) -> None:
        standing = [
            (row["author"], row["candidate_id"])
            for row in self.desk.rows(steward_actions)
            if row["undone_by"] is None and row["decision"] is not None
        ]
        assert len(standing) == len(set(standing))

    def teardown(self) -> None:
        """All of it ends: each item, by people who have not read it."""
        try:
            self.now += timedelta(days=1)
            for author in AUTHORS:
                while (taken := claim_next(self.engine, RULES, author=author, now=self.now)) is not None:
                    self.desk.decide(
                        taken.candidate, "different", author=author, now=self.now, needs_claim=True
                    )
            assert self.desk.open_candidates() == []
            assert self.desk.breaches() == []
        finally:
            self.engine.dispose()


class _Told:
    """An outcome known by its action alone."""

    def __init__(self, action_id: int) -> None:
        self.action_id = action_id


def test_whatever_people_do_at_the_desk(questions_file: Path, tmp_path: Path) -> None:
    tell(lambda: Stewards(questions_file, tmp_path), histories=8, steps=25)
