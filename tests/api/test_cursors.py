"""A cursor comes back to its own list; any other text is a problem of the caller's."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from api.cursors import decode_cursor, encode_cursor
from api.errors import Problem


@given(st.integers(0, 10**18 - 1))
def test_a_cursor_comes_back(position: int) -> None:
    assert decode_cursor(encode_cursor("a list", position), "a list") == position


@given(st.text(max_size=40))
def test_any_text_is_a_cursor_or_a_problem(cursor: str) -> None:
    with suppress(Problem):
        decode_cursor(cursor, "a list")
