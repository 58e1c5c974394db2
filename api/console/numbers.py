"""Numbers that addresses and forms name: those that a store may hold."""

from __future__ import annotations

from api.console.states import PageError

# Of decimal digits: every such number is one that the store can look for.
_DIGITS_AT_MOST = 18
BEYOND = 10**_DIGITS_AT_MOST


def read_number(text: str | None) -> int | None:
    """None for nothing. Raises PageError for what is no such number."""
    if not text:
        return None
    if not is_number(text):
        raise PageError("invalid")
    return int(text)


def is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS_AT_MOST
