"""A frozen profile is held as it is: the machine asks where it would join, until the freeze is taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cdp.identity.resolve import resolve_all
from cdp.stewardship.errors import AlreadyFrozenError, NotFrozenError
from cdp.stewardship.freeze import freeze, select_freezes, unfreeze
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.take_apart import EVIDENCE, take_apart
from cdp.store import read
from cdp.store.schema import frozen_records, outbox_events
from tests.cdp.realtime.feeding import NOW, a_record, keep_model
from tests.cdp.stewardship.desk import ANA, BIA, CAIO, Desk, an_order


def frozen(desk: Desk, key: str, **options: Any) -> Outcome:
    return freeze(desk.feed.resolver, desk.profile_of(key), an_order(**options))


def unfrozen(desk: Desk, key: str, **options: Any) -> Outcome:
    return unfreeze(desk.feed.resolver, desk.profile_of(key), an_order(**options))


def test_what_comes_is_asked_and_has_a_profile_of_its_own(desk: Desk) -> None:
    desk.take(ANA, ANA)
    told = frozen(desk, "1")

    desk.take(ANA, keys="3")

    assert (told.kind, desk.groups()) == ("freeze", [["1", "2"], ["3"]])
    [candidate] = desk.open_candidates()
    assert candidate.reason == "frozen"
    assert desk.breaches() == []


def test_nothing_is_taken_from_it(desk: Desk) -> None:
    desk.take(ANA, ANA)
    frozen(desk, "1")

    desk.feed.ingest(a_record("2", day=2, **CAIO))
    desk.take(CAIO, keys="3")

    assert desk.groups() == [["1", "2"], ["3"]]
    assert [each.reason for each in desk.open_candidates()] == ["frozen"]
    assert desk.breaches() == []


def test_once_it_is_let_go_the_evidence_counts(desk: Desk) -> None:
    desk.take(ANA, ANA)
    frozen(desk, "1")
    desk.take(ANA, keys="3")

    told = unfrozen(desk, "1")

    assert (told.kind, desk.groups(), desk.open_candidates()) == ("undo", [["1", "2", "3"]], [])
    desk.undo(told)
    assert desk.groups() == [["1", "2"], ["3"]]
    assert desk.breaches() == []


@pytest.mark.parametrize("are_there", [False, True])
def test_what_was_frozen_is_all_that_counts(desk: Desk, are_there: bool) -> None:
    desk.take(ANA)
    if are_there:
        desk.take(BIA, BIA, keys="23")
    frozen(desk, "1")
    for key in "23":
        desk.feed.ingest(a_record(key, day=2, **ANA))

    assert desk.groups() == [["1"], ["2", "3"]]
    assert [each.reason for each in desk.open_candidates()] == ["frozen"]
    assert desk.breaches() == []


def test_it_survives_another_model_a_deletion_and_a_return(desk: Desk) -> None:
    desk.take(ANA, ANA)
    frozen(desk, "1")
    desk.take(ANA, keys="3")
    keep_model(desk.engine, 1)

    desk.feed.delete("shop", "2", now=NOW)
    resolve_all(desk.engine, model_version=1, clock=lambda: NOW)
    later = NOW + timedelta(days=400)
    desk.feed.ingest(a_record("2", day=500, **CAIO), now=later)

    assert desk.groups() == [["1", "2"], ["3"]]
    assert desk.breaches() == []


def test_stewards_go_on_ruling_on_it_and_what_they_join_is_frozen_too(desk: Desk) -> None:
    desk.take(ANA, BIA, CAIO)
    for key in "12":
        frozen(desk, key)

    desk.join("1", "2")
    desk.take(BIA, keys="4")

    assert desk.groups() == [["1", "2"], ["3"], ["4"]]
    unfrozen(desk, "1")
    assert [row["valid_to"] is None for row in desk.rows(frozen_records)] == [False, False]
    assert desk.groups() == [["1", "2", "4"], ["3"]]
    assert desk.breaches() == []


def test_a_split_since_is_no_hindrance_and_holds(desk: Desk) -> None:
    desk.take(ANA, ANA, ANA)
    told = frozen(desk, "1")
    taken_out = desk.split("3")

    desk.undo(told)

    assert desk.groups() == [["1", "2"], ["3"]]
    desk.undo(taken_out)
    assert desk.groups() == [["1", "2", "3"]]
    assert desk.breaches() == []


def test_frozen_twice_and_let_go_twice_are_refused(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA)
    lite_desk.join("1", "2")
    profile_id, told = lite_desk.profile_of("1"), frozen(lite_desk, "1")

    with pytest.raises(AlreadyFrozenError) as refused:
        frozen(lite_desk, "1")
    with pytest.raises(AlreadyFrozenError):
        take_apart(lite_desk.feed.resolver, profile_id, EVIDENCE, an_order())
    unfrozen(lite_desk, "1")
    with pytest.raises(NotFrozenError):
        unfrozen(lite_desk, "1")

    assert refused.value.action_ids == [told.action_id]


def test_it_is_told_with_author_and_reason_and_in_an_event(lite_desk: Desk) -> None:
    lite_desk.take(ANA)
    told = frozen(lite_desk, "1", author="user:ana", reason="a court order")

    with read(lite_desk.engine) as connection:
        [found] = select_freezes(connection, lite_desk.profile_of("1"))

    assert (found.action_id, found.author, found.reason) == (told.action_id, "user:ana", "a court order")
    assert '"kind":"freeze"' in lite_desk.rows(outbox_events)[-1]["payload"]
    assert lite_desk.breaches() == []


def test_a_preview_freezes_nothing(lite_desk: Desk) -> None:
    lite_desk.take(ANA)

    seen = frozen(lite_desk, "1", is_preview=True)

    assert (seen.is_preview, lite_desk.rows(frozen_records)) == (True, [])
