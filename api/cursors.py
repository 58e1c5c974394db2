"""Where the next page of a list begins: an opaque text for callers, bound to its list."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from api.errors import Problem
from api.inputs import parse_json

Found = TypeVar("Found")


def cut_page(
    found: Sequence[Found], limit: int, cursor_of: Callable[[Found], str]
) -> tuple[Sequence[Found], str | None]:
    """What a page shows of as many as it may and one more, and the cursor of what follows; None where nothing does."""
    shown = found[:limit]
    return shown, cursor_of(shown[-1]) if len(found) > limit else None


def encode_cursor(listed: str, position: int) -> str:
    """Listed: which list it is of, and whose, so that no other takes it."""
    return encode_place(listed, position)


def decode_cursor(cursor: str | None, listed: str) -> int | None:
    """Raises Problem for a text that encode_cursor did not make for this list."""
    if cursor is None:
        return None
    [position] = decode_place_of(cursor, listed, int)
    if not 0 <= position < 10**18:
        raise Problem("invalid_cursor")
    return int(position)


def decode_place_of(cursor: str, listed: str, *kinds: type) -> list[Any]:
    """What follows the name of the list. Raises Problem where it is another's."""
    found, *parts = decode_place(cursor, str, *kinds)
    if found != listed:
        raise Problem("invalid_cursor")
    return parts


def encode_place(*parts: str | int | float) -> str:
    """A cursor of several parts; the same name of the list first, so that no other list takes it."""
    return base64.urlsafe_b64encode(json.dumps(["2", *parts]).encode()).decode().rstrip("=")


def decode_place(cursor: str, *kinds: type) -> list[Any]:
    """Raises Problem for a text that encode_place did not make of parts of these kinds."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        version, *parts = parse_json(text)
    except (binascii.Error, ValueError, TypeError, Problem):
        raise Problem("invalid_cursor") from None
    if version != "2" or [type(each) for each in parts] != list(kinds):
        raise Problem("invalid_cursor")
    return list(parts)
