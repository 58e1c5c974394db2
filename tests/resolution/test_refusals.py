"""What is left to stewards, told by the pair of records that the evidence is heaviest for."""

from __future__ import annotations

import pytest

from resolution.cluster_evidence import Constraints, Thresholds
from resolution.refusals import find_refusals

THRESHOLDS = Thresholds(link=3.0, join=3.0, review=-4.0, floor=-6.0, ceiling=14.0, size_limit=100)


@pytest.mark.parametrize(
    "pairs",
    [[(1, 3), (2, 4)], [(3, 1), (2, 4)], [(4, 2), (1, 3)]],
    ids=["in_order", "first_turned", "second_turned"],
)
def test_of_two_pairs_as_heavy_the_first_by_key_is_told(pairs: list[tuple[int, int]]) -> None:
    """Whichever end of an edge is named first: the store names them in the order of arrival."""
    edges = [(*pair, 2.0) for pair in pairs]

    [refusal] = find_refusals({1: 1, 4: 1, 2: 2, 3: 2}, edges, Constraints(), THRESHOLDS)

    assert (refusal.key_l, refusal.key_r) == (1, 3)
