"""One text for one JSON value, whoever writes it and when: what is hashed, compared and stored."""

from __future__ import annotations

import json


def canonical_json(value: object) -> str:
    """Keys sorted, no blanks, letters as they are. Raises ValueError for NaN and infinities."""
    return _encode(value)


# Made once: to make it takes longer than to write a small value.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
