"""How a value is shared, by how many hold it and whether it is held to be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolution import (
    SpecificationError,
    load_records,
    open_workspace,
    parse_specification,
    part_shared_values,
)
from resolution.sharing import Sharing, count_within, sharing_of
from resolution.specification import SharingLimits
from tests.resolution.builders import SMALL, SMALL_TEXT, a_person, records_of

LIMITS = SharingLimits(shared=2, generic=4)


@pytest.mark.parametrize(
    ("holder_count", "is_held", "kind"),
    [
        (0, False, None),
        (2, False, None),
        (3, False, "shared"),
        (4, False, "shared"),
        (5, False, "generic"),
        (0, True, "shared"),
        (2, True, "shared"),
        (4, True, "shared"),
        (5, True, "generic"),
    ],
)
def test_a_value_is_shared_by_its_holders_or_because_it_is_held_so(
    holder_count: int, is_held: bool, kind: str | None
) -> None:
    assert sharing_of(holder_count, LIMITS, is_held=is_held) == Sharing(holder_count, kind, is_held)


@pytest.mark.parametrize("is_held", [False, True])
def test_without_limits_no_value_is_shared(is_held: bool) -> None:
    assert sharing_of(9, None, is_held=is_held).kind is None


# ------------------------------------------------------------------------------------------------------- in a window

HOLDINGS = st.lists(
    st.tuples(st.none() | st.integers(1, 12), st.sampled_from(["", "ana", "bia", "caio", "davi", "eva"])),
    max_size=14,
)


def counted(holdings: list[tuple[int | None, str]], window_days: int) -> int:
    """Window by window."""
    windows = [
        {sound for day, sound in holdings if sound and (day is None or first <= day < first + window_days)}
        for first in range(14)
    ]
    return max(map(len, windows))


@given(HOLDINGS, st.integers(1, 8))
def test_names_count_that_one_window_saw(holdings: list[tuple[int | None, str]], window_days: int) -> None:
    assert count_within(holdings, window_days, limit=9) == counted(holdings, window_days)
    assert count_within(reversed(holdings), window_days, limit=2) == min(counted(holdings, window_days), 2)


@settings(max_examples=40, deadline=None)
@given(HOLDINGS, st.integers(1, 8), st.booleans())
def test_all_at_once_count_as_one_by_one(
    holdings: list[tuple[int | None, str]], window_days: int, is_held: bool
) -> None:
    limits = SharingLimits(shared=2, generic=3, window_days=window_days)
    specification = replace(SMALL, sharing={"emails": limits})
    people = [a_person(given_sound=sound or None, emails=["casa@example.com"]) for _, sound in holdings]
    days = [(record_id, day) for record_id, (day, _) in enumerate(holdings, 1) if day is not None]
    held = {("emails", "casa@example.com")} if is_held else set()

    with open_workspace() as connection:
        load_records(connection, [records_of(people)])
        part_shared_values(connection, specification, held, days=[days, []])
        found = connection.execute("SELECT holder_count, sharing, is_held FROM value_classes").fetchall()

    expected = sharing_of(count_within(holdings, window_days, limit=4), limits, is_held=is_held)
    assert found == ([tuple(expected)] if expected.kind else [])


def test_a_window_is_read_from_the_specification() -> None:
    text = SMALL_TEXT.replace("shared = 2\ngeneric = 4\n", "shared = 2\ngeneric = 4\nwindow_days = 730\n")

    assert parse_specification(text).sharing["emails"] == SharingLimits(2, 4, 730)
    assert parse_specification(SMALL_TEXT).sharing["emails"].window_days is None
    with pytest.raises(SpecificationError, match="window_days must be 1 at least"):
        parse_specification(text.replace("730", "0"))
