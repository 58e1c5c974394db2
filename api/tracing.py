"""traceparent (W3C Trace Context): which trace a request is part of, and its own place in it."""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass

TRACEPARENT_HEADER = "traceparent"

# Told apart, not guarded: of a generator that each process seeds, since the system's costs as much as a query.
_ids = random.Random()
# The server's workers are forked from one process: each would go on where that one was, as all the others do.
os.register_at_fork(after_in_child=_ids.seed)

# Of a later version, what follows the flags is unknown, and begins with another dash.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
# The flags that this version knows: the trace is sampled, its id is random.
_SAMPLED, _RANDOM = 0x01, 0x02


@dataclass(frozen=True)
class Trace:
    """span_id: this request's own; parent_span_id: the caller's, None where the trace begins here."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    flags: int

    @property
    def traceparent(self) -> str:
        """For those who are called or answered as part of this request."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"


def new_hexadecimal(bits: int) -> str:
    """An id that no other has had; not all zeros, which means that there is none."""
    return f"{_ids.getrandbits(bits) or 1:0{bits // 4}x}"


def read_trace(traceparent: str | None) -> Trace:
    """The trace that the header names, or a new one where there is none or none that can be.

    Source: https://www.w3.org/TR/trace-context/, 3.2 and 4.3.
    """
    span_id = new_hexadecimal(64)
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found is None or not _is_possible(found):
        return Trace(new_hexadecimal(128), span_id, None, _RANDOM)
    _, trace_id, parent_span_id, flags, _ = found.groups()
    return Trace(trace_id, span_id, parent_span_id, int(flags, 16) & (_SAMPLED | _RANDOM))


def _is_possible(found: re.Match[str]) -> bool:
    version, trace_id, parent_span_id, _, more = found.groups()
    if version == "ff" or (version == "00" and more is not None):
        return False
    return bool(int(trace_id, 16) and int(parent_span_id, 16))
