"""One text for one JSON value, whoever writes it and when: what is hashed, compared and stored."""

from __future__ import annotations

import json


def canonical_json(value: object) -> str:
    """Keys sorted, no blanks, letters as they are. Raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
