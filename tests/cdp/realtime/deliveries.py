"""Records as channels send them: new and newer versions, late and twice, several at once, deleted and back again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cdp.store.schema import memberships, source_records
from tests.cdp.realtime.any_people import PEOPLE
from tests.cdp.realtime.feeding import NOW
from tests.cdp.realtime.rules import Versions
from tests.cdp.stewardship.desk import Desk

KEYS = "abcdefghijkl"
_keys = st.sampled_from(KEYS)


class Deliveries(RuleBasedStateMachine):
    """raws: of each record the version that stands, or stood when it was deleted."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.now = NOW
        self.versions = Versions()
        self.raws: dict[str, dict[str, Any]] = {}

    def tick(self) -> datetime:
        self.now += timedelta(hours=1)
        return self.now

    def forget_people(self) -> None:
        """Called when who is who may have changed."""

    @initialize(people=st.lists(PEOPLE, min_size=3, max_size=6))
    def begin(self, people: list[dict[str, Any]]) -> None:
        self.receive(*(self.version(key, values) for key, values in zip(KEYS, people, strict=False)))

    @rule(key=_keys, values=PEOPLE)
    def send(self, key: str, values: dict[str, Any]) -> None:
        """A new record, a newer version of one, or one that was deleted and comes back."""
        self.receive(self.version(key, values))

    @rule(key=_keys, values=PEOPLE, hours=st.integers(1, 8))
    def send_late(self, key: str, values: dict[str, Any], hours: int) -> None:
        self.receive(self.version(key, values, hours=hours))

    @precondition(lambda self: self.raws)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        self.receive(self.raws[data.draw(st.sampled_from(sorted(self.raws)))])

    @rule(sent=st.lists(st.tuples(_keys, PEOPLE, st.sampled_from((0, 0, 1, 5))), min_size=2, max_size=6))
    def send_several(self, sent: list[tuple[str, dict[str, Any], int]]) -> None:
        self.receive(*(self.version(key, values, hours=hours) for key, values, hours in sent))

    @precondition(lambda self: self.versions.live())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.versions.live()))
        self.versions.deleted[key] = self.tick()
        self.desk.feed.delete("shop", key, now=self.now)
        self.forget_people()

    def version(self, key: str, values: dict[str, Any], *, hours: int = 0) -> dict[str, Any]:
        occurred_at = (self.tick() - timedelta(hours=hours)).isoformat()
        return {"source": "shop", "source_record_id": key, "occurred_at": occurred_at, **values}

    def receive(self, *raws: dict[str, Any]) -> None:
        """The answers are what the rules say; of versions that another of the request overtook, they may say so."""
        expected = [self.versions.receive(self.desk.feed.take(raw, now=self.now)) for raw in raws]
        answers = self.desk.feed.ingest(*raws, now=self.now)
        profile_of = self.profile_of()
        for raw, told, answer in zip(raws, expected, answers, strict=True):
            assert answer.profile_id == profile_of.get(answer.record_id, "")
            if told is not None:
                assert answer.outcome == told
            elif len(raws) == 1 or answer.outcome != "superseded":
                assert answer.outcome in ("created", "attached", "joined")
                self.raws[raw["source_record_id"]] = raw
        self.forget_people()

    @invariant()
    def versions_are_those_of_the_model(self) -> None:
        """And every live record is in one profile."""
        rows = {row["source_record_id"]: row for row in self.desk.rows(source_records)}
        versions = {key: (row["occurred_at"], row["raw_hash"]) for key, row in rows.items()}
        assert versions == self.versions.standing
        assert {key for key, row in rows.items() if row["deleted_at"] is None} == set(self.versions.live())
        members = [key for keys in self.members().values() for key in keys]
        assert sorted(members) == self.versions.live()

    def members(self) -> dict[str, list[str]]:
        return self.desk.people().members

    def profile_of(self) -> dict[int, str]:
        """By record id."""
        rows = self.desk.rows(memberships)
        return {row["record_id"]: row["profile_id"] for row in rows if row["valid_to"] is None}
