"""A cursor comes back to its own list; any other text is a problem of the caller's."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cursors import cut_page, decode_cursor, encode_cursor
from api.errors import Problem


@given(st.integers(0, 10**18 - 1))
def test_a_cursor_comes_back(position: int) -> None:
    assert decode_cursor(encode_cursor("a list", position), "a list") == position


@pytest.mark.parametrize(
    ("found", "page"),
    [([], ([], None)), ([1, 2], ([1, 2], None)), ([1, 2, 3], ([1, 2], "after 2"))],
    ids=["nothing", "the last page", "more"],
)
def test_a_page_ends_with_the_cursor_of_what_follows(found: list[int], page: object) -> None:
    assert cut_page(found, 2, lambda last: f"after {last}") == page


@given(st.text(max_size=40))
def test_any_text_is_a_cursor_or_a_problem(cursor: str) -> None:
    with suppress(Problem):
        decode_cursor(cursor, "a list")
