"""What a preview shows is what comes, whoever is ruled on: people, golden values, and what is left to ask."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.errors import RulingRefusedError
from cdp.stewardship.four_eyes import decide_together
from cdp.stewardship.freeze import freeze
from cdp.stewardship.join import join
from cdp.stewardship.outcome import NEW, Outcome
from cdp.stewardship.pin import pin
from cdp.stewardship.ruling import Order
from cdp.stewardship.split import split
from cdp.stewardship.undo import undo_action
from cdp.store import open_store
from cdp.store.schema import outbox_events
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, MAYBE_ANA, Desk, an_order
from tests.histories import tell

PEOPLE: list[dict[str, Any]] = [
    ANA,
    ANA | {"gender": "f", "full_name": "Anna Reis"},
    MAYBE_ANA,
    BIA | {"gender": "f"},
    BIA | {"social_name": "Bibi"},
    CAIO,
]
ATTRIBUTES = st.sampled_from(("full_name", "birth_date", "gender", "social_name", "address"))
_numbers = count(1)


@pytest.fixture(scope="session")
def previewed_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copyfile(migrated_file, tmp_path_factory.mktemp("preview") / "people.db"))
    engine = open_store(f"sqlite:///{path}")
    Desk(engine).take(*PEOPLE)
    engine.dispose()
    return path


class Previews(RuleBasedStateMachine):
    def __init__(self, people_file: Path, directory: Path) -> None:
        super().__init__()
        self.engine = open_store(
            f"sqlite:///{shutil.copyfile(people_file, directory / f'{next(_numbers)}.db')}"
        )
        self.desk = Desk(self.engine, fresh=False)
        self.resolver = self.desk.feed.resolver

    @rule(data=st.data())
    def join(self, data: st.DataObject) -> None:
        ids = sorted(self.desk.people().members)
        if len(ids) > 1:
            chosen = data.draw(st.lists(st.sampled_from(ids), min_size=2, max_size=3, unique=True))
            pins = self.draw_pins(data)
            self.see_and_do(lambda order: join(self.resolver, chosen, order, pins=pins))

    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        members = {each: keys for each, keys in self.desk.people().members.items() if len(keys) > 1}
        if members:
            profile_id = data.draw(st.sampled_from(sorted(members)))
            key = data.draw(st.sampled_from(members[profile_id]))
            self.see_and_do(lambda order: split(self.resolver, profile_id, [self.desk.record_id(key)], order))

    @rule(key=st.sampled_from("123456"), attribute=ATTRIBUTES)
    def pin(self, key: str, attribute: str) -> None:
        profile_id, record_id = self.desk.profile_of(key), self.desk.record_id(key)
        self.see_and_do(lambda order: pin(self.resolver, profile_id, attribute, record_id, order))

    @rule(key=st.sampled_from("123456"))
    def freeze(self, key: str) -> None:
        profile_id = self.desk.profile_of(key)
        self.see_and_do(lambda order: freeze(self.resolver, profile_id, order))

    @rule(data=st.data(), decision=st.sampled_from(("same", "different", "unsure")))
    def decide(self, data: st.DataObject, decision: str) -> None:
        if candidates := self.desk.open_candidates():
            chosen = data.draw(st.sampled_from(candidates))
            rules, pins = DeskRules(), self.draw_pins(data)
            seen = [chosen.etag]
            self.see_and_do(
                lambda order: decide_together(
                    self.resolver, chosen.candidate_id, decision, order, rules, seen=seen, pins=pins
                )
            )

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        if standing := self.desk.standing_actions():
            action_id = data.draw(st.sampled_from(standing))
            self.see_and_do(lambda order: undo_action(self.resolver, action_id, order))

    def draw_pins(self, data: st.DataObject) -> dict[str, int]:
        """Of any records: what cannot be pinned is refused before and now."""
        chosen = data.draw(st.dictionaries(ATTRIBUTES, st.sampled_from("123456"), max_size=2))
        return {attribute: self.desk.record_id(key) for attribute, key in chosen.items()}

    def see_and_do(self, step: Callable[[Order], Outcome]) -> None:
        before, events_before = self.desk.people(), len(self.desk.rows(outbox_events))
        seen, refused = attempt(step, an_order(is_preview=True))
        assert self.desk.people() == before
        done, reason = attempt(step, an_order())
        if done is None:
            # A preview needs no turn at the candidate.
            assert reason in (refused, "second_reader_needed")
            return
        assert seen is not None
        assert told(seen) == told(done)
        written = self.desk.rows(outbox_events)[events_before:]
        *of_profiles, ruled = [(row["kind"], row["subject_id"]) for row in written]
        assert (of_profiles, ruled) == (done.events, ("stewardship.ruled", str(done.action_id)))
        now = self.desk.people()
        shown = {each.profile_id: each for each in done.after if each.record_ids}
        assert {each: state.golden for each, state in shown.items()} == {
            each: now.golden[each].get("attributes", {}) for each in shown
        }
        assert {each.profile_id: each.golden for each in done.before if each.record_ids} == {
            each.profile_id: before.golden[each.profile_id].get("attributes", {})
            for each in done.before
            if each.record_ids
        }

    def teardown(self) -> None:
        try:
            assert self.desk.breaches() == []
        finally:
            self.engine.dispose()


def attempt(step: Callable[[Order], Outcome], order: Order) -> tuple[Outcome | None, str | None]:
    """What came of it, or why it was refused."""
    try:
        return step(order), None
    except RulingRefusedError as refusal:
        return None, refusal.reason


def told(outcome: Outcome) -> Any:
    """Without what only a ruling gives out: its id, and those of profiles and candidates that it makes."""
    known = {each.profile_id for each in outcome.before}
    states = [
        (
            each.profile_id if each.profile_id in known else NEW,
            each.state,
            each.version,
            each.record_ids,
            each.golden,
            each.identifiers,
        )
        for each in outcome.after
    ]
    asked = [(each.record_id_l, each.record_id_r, each.match_weight) for each in outcome.candidates]
    events = [(kind, each if each in known else NEW) for kind, each in outcome.events]
    return outcome.kind, outcome.before, sorted(states, key=repr), sorted(asked), sorted(events)


def test_what_is_previewed_is_what_comes(previewed_file: Path, tmp_path: Path) -> None:
    tell(lambda: Previews(previewed_file, tmp_path), histories=7, steps=10)
