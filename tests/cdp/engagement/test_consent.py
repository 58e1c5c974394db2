"""Which consents change when records go from profiles to others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from cdp.engagement.consent import ConsentChange, ConsentWord, consent_changes
from tests.builders import NOW

ADS, MAIL = "Advertising", "Mail"
WORDS = {
    1: [ConsentWord(ADS, True, NOW)],
    2: [ConsentWord(ADS, False, NOW), ConsentWord(MAIL, True, NOW)],
}
A, B = "pf_a", "pf_b"

Held = Mapping[str, Sequence[int]]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        pytest.param(
            {A: [1], B: [3]}, {A: [1, 3]}, [(B, ADS, None, True)], id="what one said counts for both"
        ),
        pytest.param(
            {A: [1], B: [2]}, {A: [1, 2]}, [(A, ADS, True, False), (A, MAIL, None, True)], id="a no wins"
        ),
        pytest.param(
            {A: [1, 2]}, {A: [1], "new-1": [2]}, [(A, ADS, False, True), (A, MAIL, True, None)], id="parted"
        ),
        pytest.param({A: [1, 3]}, {A: [1], "new-1": [3]}, [(A, ADS, True, None)], id="one who said nothing"),
        pytest.param({A: [1], B: [2]}, {A: [1], B: [2]}, [], id="nobody moved"),
        pytest.param({A: [3]}, {A: [3]}, [], id="nothing was said"),
    ],
)
def test_what_is_other_afterwards_is_told_for_those_of_before(
    before: Held, after: Held, changes: Sequence[tuple[str, str, bool | None, bool | None]]
) -> None:
    found = consent_changes(WORDS, before, after)

    assert found == [ConsentChange(*each) for each in changes]
