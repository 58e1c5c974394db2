"""A profile comes apart in one action: into its records, or into what the evidence says; and comes back undone."""

from __future__ import annotations

import pytest

from cdp.identity.profile_reads import require_profile
from cdp.identity.resolve import resolve_all
from cdp.stewardship import pairs
from cdp.stewardship.errors import RulingRefusedError, TooManyPairsError, UnusableSplitError
from cdp.stewardship.freeze import freeze, select_freezes
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.take_apart import WAYS, take_apart, usable_ways
from cdp.store import read
from cdp.store.schema import pair_constraints, steward_actions
from tests.cdp.realtime.feeding import NOW
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, Desk, an_order


def taken_apart(desk: Desk, into: str, *, of: str = "1", is_preview: bool = False) -> Outcome:
    return take_apart(desk.feed.resolver, desk.profile_of(of), into, an_order(is_preview=is_preview))


def test_into_records_each_is_alone_whatever_the_evidence(desk: Desk) -> None:
    [ana, *_] = desk.take(ANA, ANA, ANA)

    outcome = taken_apart(desk, "records")
    resolve_all(desk.engine, clock=lambda: NOW)

    assert desk.groups() == [["1"], ["2"], ["3"]]
    assert desk.people().members[ana] == ["1"]
    assert outcome.candidates == []
    assert desk.breaches() == []


def test_into_evidence_what_rulings_held_together_parts_and_the_rest_stays(desk: Desk) -> None:
    ana, _, bia, caio = desk.take(ANA, ANA, BIA, CAIO)
    desk.join("1", "3", "4")

    taken_apart(desk, "evidence")

    assert desk.people().members == {ana: ["1", "2"], bia: ["3"], caio: ["4"]}
    assert [row["valid_to"] for row in desk.rows(pair_constraints)].count(None) == 0
    assert desk.breaches() == []


@pytest.mark.parametrize("into", ["records", "evidence"])
def test_undone_the_people_and_their_ids_are_those_of_before(desk: Desk, into: str) -> None:
    desk.take(ANA, ANA, BIA, CAIO)
    desk.join("1", "3")
    desk.join("1", "4")
    before = desk.people()

    desk.undo(taken_apart(desk, into))

    after = desk.people()
    assert (after.members, after.golden) == (before.members, before.golden)
    assert desk.breaches() == []


@pytest.mark.parametrize("limit", [1, pairs.PAIRS_AT_MOST])
@pytest.mark.parametrize("ruled", ["nothing", "joined", "frozen"])
def test_the_ways_that_are_told_are_those_that_are_not_refused(
    lite_desk: Desk, monkeypatch: pytest.MonkeyPatch, ruled: str, limit: int
) -> None:
    desk = lite_desk
    desk.take(ANA, ANA, ANA, BIA)
    if ruled != "nothing":
        desk.join("1", "4")
    if ruled == "frozen":
        freeze(desk.feed.resolver, desk.profile_of("1"), an_order())
    monkeypatch.setattr(pairs, "PAIRS_AT_MOST", limit)

    with read(desk.engine) as connection:
        profile = require_profile(connection, desk.profile_of("1"))
        told = usable_ways(
            connection, profile, is_frozen=bool(select_freezes(connection, profile.profile_id))
        )

    assert told == tuple(way for way in WAYS if not is_refused(desk, way))


def is_refused(desk: Desk, into: str) -> bool:
    try:
        taken_apart(desk, into, is_preview=True)
    except RulingRefusedError:
        return True
    return False


@pytest.mark.parametrize("into", ["records", "evidence"])
def test_a_preview_tells_of_every_part_and_keeps_nothing(desk: Desk, into: str) -> None:
    desk.take(ANA, BIA, CAIO)
    desk.join("1", "2", "3")

    outcome = taken_apart(desk, into, is_preview=True)

    assert [each.record_ids for each in outcome.before] == [[1, 2, 3]]
    assert sorted(each.record_ids for each in outcome.after) == [[1], [2], [3]]
    assert desk.groups() == [["1", "2", "3"]]
    assert len(desk.rows(steward_actions)) == 1


def test_a_profile_too_large_for_its_records_comes_apart_by_evidence(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.take(ANA, BIA, CAIO)
    desk.join("1", "2", "3")
    monkeypatch.setattr(pairs, "PAIRS_AT_MOST", 2)

    with pytest.raises(TooManyPairsError, match="3 pairs of records"):
        taken_apart(desk, "records")
    taken_apart(desk, "evidence")

    assert desk.groups() == [["1"], ["2"], ["3"]]


def test_one_record_or_one_that_no_ruling_holds_is_refused(desk: Desk) -> None:
    desk.take(ANA, ANA, BIA)

    with pytest.raises(UnusableSplitError, match="has 1 records"):
        taken_apart(desk, "records", of="3")
    with pytest.raises(UnusableSplitError, match="No ruling holds records"):
        taken_apart(desk, "evidence")
