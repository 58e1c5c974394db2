"""What may be pinned in a golden record: each value once, by the record that gives it."""

from __future__ import annotations

from typing import Any

import pytest

from cdp.stewardship.compare import Side
from cdp.stewardship.value_choices import value_choices

LISBOA, PORTO = {"city": "Lisboa"}, {"city": "Porto"}


def side(record_id: int, **values: Any) -> Side:
    return Side(record_id, "crm", f"c-{record_id}", {}, values, ())


@pytest.mark.parametrize(
    ("sides", "pins", "choices"),
    [
        pytest.param([], {}, {}, id="nobody"),
        pytest.param([side(1, full_name="Ana")], {}, {}, id="one value"),
        pytest.param([side(1, gender="f"), side(2, gender="F ")], {}, {}, id="case and blanks"),
        pytest.param([side(1, gender="f"), side(2)], {}, {}, id="silent"),
        pytest.param([side(1, gender="f"), side(2, gender="m")], {}, {"gender": [1, 2]}, id="two"),
        pytest.param([side(2, gender="m"), side(1, gender="f")], {}, {"gender": [2, 1]}, id="in their order"),
        pytest.param(
            [side(1, address=LISBOA), side(2, address=PORTO), side(3, address=LISBOA)],
            {},
            {"address": [1, 2]},
            id="an address as a whole, each once",
        ),
        pytest.param(
            [side(1, gender="f"), side(2, gender="m"), side(3, gender="f")],
            {"gender": 3},
            {"gender": [3, 2]},
            id="the pinned record stands for its value",
        ),
        pytest.param([side(1, gender="f")], {"gender": 1}, {"gender": [1]}, id="pinned and alone"),
        pytest.param([side(1, attributes={"a": 1}), side(2, attributes={"a": 2})], {}, {}, id="free ones"),
    ],
)
def test_choices(sides: list[Side], pins: dict[str, int], choices: dict[str, list[int]]) -> None:
    found = value_choices(sides, pins)

    assert {name: [each.record_id for each in given] for name, given in found.items()} == choices
