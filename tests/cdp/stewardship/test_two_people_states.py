"""Whatever several people ask for, in any order: what takes two has its effect by two, and by nobody alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cdp.errors import CdpError
from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.four_eyes import decide_together, withdraw_pending
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.proposals import Proposal, Request, select_open
from cdp.stewardship.rule_together import confirm_proposal, refuse_proposal, rule_together
from cdp.stewardship.take_apart import WAYS
from cdp.stewardship.undo import undo_action
from cdp.store import open_store, read
from cdp.store.schema import decision_confirmations, ruling_proposals, steward_actions
from tests.cdp.realtime.feeding import NOW, a_record
from tests.cdp.stewardship.desk import ANA, Desk, an_order
from tests.cdp.stewardship.test_desk_states import questions_file as questions_file
from tests.histories import tell

# Two records are many: every join takes two people, and so does every split.
RULES = DeskRules(four_eyes_records=2)
AUTHORS = ("ana", "rui", "eva")
KEYS = "123456"
NEWEST = 9

authors, keys = st.sampled_from(AUTHORS), st.sampled_from(KEYS)
_numbers = count(1)


class Together(RuleBasedStateMachine):
    """newest: the key of the record that came last."""

    def __init__(self, questions_file: Path, directory: Path) -> None:
        super().__init__()
        path = shutil.copyfile(questions_file, directory / f"{next(_numbers)}.db")
        self.engine = open_store(f"sqlite:///{path}")
        self.desk = Desk(self.engine, fresh=False)
        self.newest = len(KEYS)

    # ------------------------------------------------------------------------------------------------ steps

    @rule(author=authors, item=st.integers(1, 3), decision=st.sampled_from(("same", "same", "different")))
    def answer(self, author: str, item: int, decision: str) -> None:
        candidate = self.desk.candidate(item)
        resolver, order = self.desk.feed.resolver, an_order(author=author)
        self.attempt(
            author,
            lambda: decide_together(resolver, item, decision, order, RULES, seen=[candidate.etag]),
            takes_two=decision == "same",
        )

    @rule(author=authors, item=st.integers(1, 3))
    def withdraw(self, author: str, item: int) -> None:
        self.attempt(author, lambda: withdraw_pending(self.engine, item, author=author, now=NOW))

    @rule(author=authors, one=keys, other=keys)
    def ask_to_join(self, author: str, one: str, other: str) -> None:
        self.ask(author, Request("join", (self.desk.profile_of(one), self.desk.profile_of(other))))

    @rule(author=authors, key=keys)
    def ask_to_split(self, author: str, key: str) -> None:
        record_ids = (self.desk.record_id(key),)
        self.ask(author, Request("split", (self.desk.profile_of(key),), record_ids=record_ids))

    @rule(author=authors, key=keys, into=st.sampled_from(WAYS))
    def ask_to_take_apart(self, author: str, key: str, into: str) -> None:
        self.ask(author, Request("take_apart", (self.desk.profile_of(key),), into=into))

    @rule(author=authors, data=st.data())
    def confirm(self, author: str, data: st.DataObject) -> None:
        waiting = self.waiting()
        if waiting:
            chosen = data.draw(st.sampled_from(waiting)).proposal_id
            resolver, order = self.desk.feed.resolver, an_order(author=author)
            self.attempt(author, lambda: confirm_proposal(resolver, chosen, order), takes_two=True)

    @rule(author=authors, data=st.data())
    def refuse(self, author: str, data: st.DataObject) -> None:
        waiting = self.waiting()
        if waiting:
            chosen = data.draw(st.sampled_from(waiting)).proposal_id
            self.attempt(
                author,
                lambda: refuse_proposal(self.engine, chosen, author=author, reason="no", now=NOW),
            )

    @rule(author=authors, data=st.data())
    def undo(self, author: str, data: st.DataObject) -> None:
        """Brings back what was: one person may."""
        standing = [row["action_id"] for row in self.desk.rows(steward_actions) if row["undone_by"] is None]
        if standing:
            chosen = data.draw(st.sampled_from(standing))
            resolver, order = self.desk.feed.resolver, an_order(author=author)
            self.attempt(author, lambda: undo_action(resolver, chosen, order), takes_two=False)

    @rule()
    def another_record_comes(self) -> None:
        """What waits may then be about other profiles than those that were looked at."""
        if self.newest < NEWEST:
            self.newest += 1
            self.desk.feed.ingest(a_record(str(self.newest), **ANA))

    # ------------------------------------------------------------------------------------------------ looks

    def ask(self, author: str, request: Request) -> None:
        resolver, order = self.desk.feed.resolver, an_order(author=author)
        self.attempt(author, lambda: rule_together(resolver, request, order, RULES), takes_two=True)

    def attempt(self, author: str, step: Callable[[], Any], *, takes_two: bool = False) -> None:
        """Nobody moves unless there is an effect, and there is none of this person alone where it takes two."""
        before = self.desk.groups()
        try:
            came = step()
        except CdpError:
            came = None
        if not isinstance(came, Outcome):
            assert self.desk.groups() == before
        elif takes_two:
            [asked_by] = self.asked_by(came.action_id)
            assert asked_by != author

    def asked_by(self, action_id: int | None) -> list[str]:
        """Who asked first for what this action did."""
        waited = [*self.desk.rows(ruling_proposals), *self.desk.rows(decision_confirmations)]
        return [row["author"] for row in waited if row["action_id"] == action_id]

    def waiting(self) -> list[Proposal]:
        with read(self.engine) as connection:
            return select_open(connection, limit=100)

    @invariant()
    def nobody_waits_twice_for_the_same(self) -> None:
        asked = [(each.kind, each.request) for each in self.waiting()]
        assert len(asked) == len(set(asked))

    @invariant()
    def what_brings_together_or_parts_was_asked_for_by_another(self) -> None:
        for row in self.desk.rows(steward_actions):
            if row["kind"] in ("join", "split") or row["decision"] == "same":
                [asked_by] = self.asked_by(row["action_id"])
                assert asked_by != row["author"]

    def teardown(self) -> None:
        try:
            assert self.desk.breaches() == []
        finally:
            self.engine.dispose()


def test_what_takes_two_people_is_done_by_nobody_alone(questions_file: Path, tmp_path: Path) -> None:
    tell(lambda: Together(questions_file, tmp_path), histories=8, steps=20)
