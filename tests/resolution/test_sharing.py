"""How a value is shared, by how many hold it and whether it is held to be."""

from __future__ import annotations

import pytest

from resolution.sharing import Sharing, sharing_of
from resolution.specification import SharingLimits

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
