"""Records that a steward splits off are another person, and stay so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cdp.identity.resolve import resolve_all
from cdp.realtime.ingest import UnknownRecordError
from cdp.stewardship import pairs
from cdp.stewardship.errors import TooManyPairsError, UnusableSplitError
from cdp.stewardship.split import split
from cdp.store.schema import merge_candidates, pair_constraints
from tests.cdp.realtime.feeding import NOW, a_record
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, Desk, an_order

LATER = NOW + timedelta(days=1)


def test_the_rest_keeps_the_id_and_the_part_gets_one(desk: Desk) -> None:
    [ana, *_] = desk.take(ANA, ANA, ANA)

    outcome = desk.split("3")

    [part] = set(desk.people().members) - {ana}
    assert desk.people().members == {ana: ["1", "2"], part: ["3"]}
    assert [(each.profile_id, each.record_ids) for each in outcome.before] == [(ana, [1, 2, 3])]
    assert [(each.profile_id, each.record_ids) for each in outcome.after] == [(ana, [1, 2]), (part, [3])]
    assert desk.breaches() == []


def test_what_is_split_off_is_one_person_whatever_the_evidence(desk: Desk) -> None:
    desk.take(ANA, BIA, CAIO)
    desk.join("1", "2", "3")

    desk.split("2", "3")

    assert desk.groups() == [["1"], ["2", "3"]]
    assert desk.breaches() == []


def test_a_split_is_proposed_to_nobody_again(desk: Desk) -> None:
    desk.take(ANA, ANA)

    outcome = desk.split("2")

    assert outcome.candidates == []
    assert desk.rows(merge_candidates) == []


def test_a_part_that_was_joined_before_gets_its_id_back(desk: Desk) -> None:
    ana, bia = desk.take(ANA, BIA)
    desk.join("1", "2")

    desk.split("2")

    assert desk.people().members == {ana: ["1"], bia: ["2"]}


def test_must_links_across_the_cut_give_way(desk: Desk) -> None:
    desk.take(ANA, BIA, CAIO)
    joined = desk.join("1", "2", "3")

    cut = desk.split("1")

    closed = [each for each in desk.rows(pair_constraints) if each["valid_to"] is not None]
    assert {(each["opened_by"], each["closed_by"]) for each in closed} == {(joined.action_id, cut.action_id)}
    assert len(closed) == 2
    assert desk.breaches() == []


def test_what_a_join_held_together_stays_so_without_the_record_that_all_hung_on(desk: Desk) -> None:
    desk.take(ANA, BIA, CAIO)
    desk.join("1", "2", "3")

    desk.split("1")

    assert desk.groups() == [["1"], ["2", "3"]]


def test_a_split_lasts_through_changes_deletion_and_return(desk: Desk) -> None:
    desk.take(ANA, ANA)
    desk.split("2")
    desk.feed.ingest(a_record("1", day=50, **ANA))
    desk.feed.delete("shop", "2", now=LATER)

    again = a_record("2", **ANA) | {"occurred_at": (LATER + timedelta(hours=1)).isoformat()}
    desk.feed.ingest(again, now=LATER + timedelta(hours=2))

    assert desk.groups() == [["1"], ["2"]]
    assert desk.breaches() == []


def test_a_new_record_goes_to_one_side_and_joins_them_not(desk: Desk) -> None:
    desk.take(ANA, ANA)
    desk.split("2")

    desk.feed.ingest(a_record("3", **ANA))

    assert len(desk.groups()) == 2
    assert desk.breaches() == []


def test_a_batch_finds_the_same_people(desk: Desk) -> None:
    desk.take(ANA, ANA, ANA, BIA)
    desk.split("2", "3")
    before = desk.people()

    resolve_all(desk.engine, clock=lambda: NOW)

    assert desk.people() == before
    assert desk.groups() == [["1"], ["2", "3"], ["4"]]


def test_a_preview_names_what_would_be_new(desk: Desk) -> None:
    [ana, _] = desk.take(ANA, ANA)
    before = desk.people()

    outcome = desk.split("2", is_preview=True)

    assert [(each.profile_id, each.record_ids) for each in outcome.after] == [(ana, [1]), ("new-1", [2])]
    assert outcome.after[1].golden["full_name"]["value"] == "Ana Reis"
    assert desk.people() == before
    assert desk.rows(pair_constraints) == []


@pytest.mark.parametrize("keys", [(), ("1", "2")], ids=["none of them", "all of them"])
def test_a_split_takes_some_and_leaves_some(lite_desk: Desk, keys: tuple[str, ...]) -> None:
    lite_desk.take(ANA, ANA)

    with pytest.raises(UnusableSplitError):
        lite_desk.split(*keys, of="1")


def test_records_of_others_cannot_be_split_off(lite_desk: Desk) -> None:
    lite_desk.take(ANA, ANA, BIA)

    with pytest.raises(UnusableSplitError) as refused:
        lite_desk.split("2", "3", of="1")

    assert refused.value.ids == (3,)


@pytest.mark.parametrize("record_id", [99, 2], ids=["never there", "deleted"])
def test_unknown_records_cannot_be_split_off(lite_desk: Desk, record_id: int) -> None:
    [ana, *_] = lite_desk.take(ANA, ANA, ANA)
    lite_desk.feed.delete("shop", "2", now=LATER)

    with pytest.raises(UnknownRecordError) as refused:
        split(lite_desk.feed.resolver, ana, [1, record_id], an_order())

    assert refused.value.ids == (record_id,)


def test_a_split_of_too_many_pairs_is_refused(lite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "PAIRS_AT_MOST", 1)
    lite_desk.take(ANA, ANA, ANA)

    with pytest.raises(TooManyPairsError):
        lite_desk.split("3")
