"""Profile ids: sorted by age, within a run and across runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from cdp.identity.profile_ids import profile_ids

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ONES = b"\xff"


def test_an_id_is_a_ulid_in_small_letters() -> None:
    assert re.fullmatch(r"pf_[0-7][0-9a-hjkmnp-tv-z]{25}", profile_ids(NOW)())


def test_ids_of_one_run_rise_even_from_the_greatest_random_number() -> None:
    next_id = profile_ids(NOW, random_bytes=lambda count: ONES * count)

    made = [next_id() for _ in range(2000)]

    assert made == sorted(set(made))
    assert {each[:13] for each in made} == {made[0][:13]}


def test_ids_of_a_later_run_are_greater() -> None:
    earlier = profile_ids(NOW, random_bytes=lambda count: ONES * count)()

    later = profile_ids(NOW + timedelta(milliseconds=1), random_bytes=bytes)()

    assert earlier < later


def test_ids_rise_above_the_newest_one_when_the_clock_went_back() -> None:
    newest = profile_ids(NOW)()

    assert profile_ids(NOW - timedelta(days=1), after=newest)() > newest


def test_an_id_of_another_making_is_no_hindrance() -> None:
    assert profile_ids(NOW, after="customer:7")().startswith("pf_01")
