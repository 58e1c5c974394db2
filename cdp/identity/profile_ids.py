"""Profile ids: `pf_` and a ULID in small letters, so that they sort by age. A pure rule.

Source: https://github.com/ulid/spec, Crockford's alphabet, monotonic: within a run each id is one above the
last.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime

PREFIX = "pf_"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_LETTERS = 26
_RANDOM_BITS = 80


def profile_ids(
    now: datetime,
    *,
    after: str | None = None,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> Callable[[], str]:
    """A function that gives a new id at each call, above the one before.

    `after`, the newest id there is, keeps the order by age when the clock went back.
    """
    milliseconds = int(now.timestamp() * 1000)
    number = milliseconds << _RANDOM_BITS | int.from_bytes(random_bytes(_RANDOM_BITS // 8), "big")
    # Half of the steps are left above the first number, so that counting up does not touch the time.
    number &= ~(1 << (_RANDOM_BITS - 1))
    last = max(number, _number(after)) if after else number

    def next_id() -> str:
        nonlocal last
        last += 1
        return PREFIX + _letters(last)

    return next_id


def _letters(number: int) -> str:
    pairs = []
    for _ in range(_LETTERS // 2):
        number, pair = divmod(number, 1024)
        pairs.append(_PAIRS[pair])
    return "".join(reversed(pairs))


def _number(profile_id: str) -> int:
    """The number in an id; 0 for one of another making."""
    number = 0
    for letter in profile_id.removeprefix(PREFIX):
        place = _ALPHABET.find(letter)
        if place < 0:
            return 0
        number = number * 32 + place
    return number
