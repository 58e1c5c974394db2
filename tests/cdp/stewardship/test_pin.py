"""A value that a steward pins is shown whatever comes, goes with its record, and can be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from cdp.identity.as_of import select_past_profile
from cdp.identity.profile_reads import UnknownProfileError
from cdp.identity.resolve import resolve_all
from cdp.stewardship.errors import UnusablePinError
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pin import ATTRIBUTES, pin
from cdp.store import read, write
from cdp.store.schema import golden_pins, outbox_events, sources
from tests.cdp.realtime.feeding import NOW, a_record, keep_model
from tests.cdp.stewardship.desk import ANA, BIA, Desk, an_order

LATER = NOW + timedelta(days=1)
ANNA = ANA | {"full_name": "Anna Reis", "gender": "f"}


def pinned(desk: Desk, key: str, attribute: str = "full_name", **options: Any) -> Outcome:
    return pin(desk.feed.resolver, desk.profile_of(key), attribute, desk.record_id(key), an_order(**options))


def shown(desk: Desk, key: str, attribute: str = "full_name") -> tuple[str, str]:
    chosen = desk.people().golden[desk.profile_of(key)]["attributes"][attribute]
    return chosen["value"], chosen["rule"]


def two_names(desk: Desk) -> None:
    """Records 1 and 2 of one person, of which the rules choose the second."""
    desk.take(ANA)
    desk.feed.ingest(a_record("2", day=10, **ANNA))
    assert desk.groups() == [["1", "2"]]


def test_the_golden_record_shows_what_is_pinned(desk: Desk) -> None:
    two_names(desk)
    others = {"1": "2", "2": "1"}
    chosen = next(key for key in others if shown(desk, "1")[0] == {"1": "Ana Reis", "2": "Anna Reis"}[key])

    outcome = pinned(desk, others[chosen])

    value, rule = shown(desk, "1")
    assert (value, rule) == ({"1": "Ana Reis", "2": "Anna Reis"}[others[chosen]], "pinned")
    [before], [after] = outcome.before, outcome.after
    assert before.golden["full_name"]["rule"] != "pinned"
    assert after.golden["full_name"]["record_id"] == desk.record_id(others[chosen])
    assert after.golden["display_name"]["value"] == value
    assert after.version == before.version + 1
    assert outcome.ledger_entry_ids == []
    assert desk.breaches() == []


def test_a_preview_of_a_pin_shows_what_comes_and_leaves_nothing(desk: Desk) -> None:
    two_names(desk)
    before = desk.people()

    seen = pinned(desk, "1", is_preview=True)

    assert desk.people() == before
    assert desk.rows(golden_pins) == []
    done = pinned(desk, "1")
    assert [(each.profile_id, each.golden) for each in seen.after] == [
        (each.profile_id, each.golden) for each in done.after
    ]


def test_a_pin_outlives_versions_batches_models_and_trust(desk: Desk) -> None:
    two_names(desk)
    pinned(desk, "1")

    desk.feed.ingest(a_record("2", day=20, **ANNA), a_record("1", day=20, **ANNA))
    resolve_all(desk.engine, clock=lambda: LATER)
    keep_model(desk.engine, 1)
    with write(desk.engine) as connection:
        connection.execute(update(sources).values(trust=7))
    resolve_all(desk.engine, model_version=1, clock=lambda: LATER)

    assert shown(desk, "1") == ("Ana Reis", "pinned")
    assert desk.breaches() == []


def test_a_pin_goes_with_its_record(desk: Desk) -> None:
    two_names(desk)
    desk.take(BIA, keys="3")
    pinned(desk, "1")

    desk.split("1")
    apart = shown(desk, "1"), shown(desk, "2")
    desk.join("1", "3")

    assert apart == (("Ana Reis", "pinned"), ("Anna Reis", "only_value"))
    assert shown(desk, "3") == ("Ana Reis", "pinned")
    assert desk.breaches() == []


def test_the_latest_pin_counts_and_the_one_before_it_again_when_it_is_undone(desk: Desk) -> None:
    two_names(desk)
    pinned(desk, "1")
    later = pinned(desk, "2")
    assert shown(desk, "1") == ("Anna Reis", "pinned")

    desk.undo(later)

    assert shown(desk, "1") == ("Ana Reis", "pinned")
    assert desk.breaches() == []


def test_what_was_before_an_undone_pin_is_told_with_the_pins_of_other_records(desk: Desk) -> None:
    two_names(desk)
    first = pinned(desk, "1")
    pinned(desk, "2")
    before = desk.people()

    undone = desk.undo(first)

    [told] = undone.before
    assert told.golden == before.golden[told.profile_id]["attributes"]
    assert told.golden["full_name"]["value"] == "Anna Reis"
    assert desk.breaches() == []


def test_a_pin_undone_gives_back_what_was(desk: Desk) -> None:
    two_names(desk)
    before = desk.people()
    done = pinned(desk, "1")
    with_pin = desk.people()

    undone = desk.undo(done)
    without = desk.people()
    desk.undo(undone)

    assert without.golden == before.golden
    assert desk.people().golden == with_pin.golden
    assert [each.golden["full_name"]["rule"] for each in undone.before] == ["pinned"]
    assert [row["valid_to"] is None for row in desk.rows(golden_pins)] == [False, True]
    assert desk.breaches() == []


def test_a_pin_is_gone_with_its_record_and_back_with_it(desk: Desk) -> None:
    two_names(desk)
    pinned(desk, "1")

    desk.feed.delete("shop", "1", now=LATER)
    while_gone = shown(desk, "2")
    desk.feed.ingest(a_record("1", day=150, **ANA), now=LATER + timedelta(days=60))

    assert while_gone == ("Anna Reis", "only_value")
    assert shown(desk, "1") == ("Ana Reis", "pinned")
    assert desk.breaches() == []


def test_an_address_is_pinned_as_a_whole(lite_desk: Desk) -> None:
    two_names(lite_desk)

    outcome = pinned(lite_desk, "1", "address")

    assert outcome.after[0].golden["address"]["value"] == {"city": "Lisboa"}


def test_as_it_was_is_without_the_pins_of_later(desk: Desk) -> None:
    two_names(desk)
    pinned(desk, "1", now=LATER)

    with read(desk.engine) as connection:
        then, now = (
            select_past_profile(connection, desk.profile_of("1"), moment).golden["full_name"]["rule"]
            for moment in (NOW, LATER)
        )

    assert (then == "pinned", now) == (False, "pinned")


def test_a_pin_is_told_to_those_who_listen(lite_desk: Desk) -> None:
    two_names(lite_desk)
    before = len(lite_desk.rows(outbox_events))

    pinned(lite_desk, "1")

    assert [row["kind"] for row in lite_desk.rows(outbox_events)[before:]] == [
        "profile.updated",
        "stewardship.ruled",
    ]


@pytest.mark.parametrize("attribute", ["social_name", "display_name", "attributes", "shoe_size"])
def test_what_the_record_does_not_say_is_not_pinned(lite_desk: Desk, attribute: str) -> None:
    two_names(lite_desk)

    with pytest.raises(UnusablePinError, match=attribute):
        pinned(lite_desk, "1", attribute)
    assert attribute not in set(ATTRIBUTES) - {"social_name"}


def test_a_record_of_another_profile_and_a_profile_that_there_is_not(lite_desk: Desk) -> None:
    lite_desk.take(ANA, BIA)
    resolver, order = lite_desk.feed.resolver, an_order()

    with pytest.raises(UnusablePinError, match="not of profile"):
        pin(resolver, lite_desk.profile_of("1"), "full_name", lite_desk.record_id("2"), order)
    with pytest.raises(UnknownProfileError):
        pin(resolver, "pf_none", "full_name", 1, replace(order, is_preview=True))
