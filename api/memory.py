"""How a serving process collects garbage: rarely, and not what stays for good.

A model holds some 100,000 objects; looking at them again and again took two fifths of the time of a batch of records.
"""

from __future__ import annotations

import gc

# Allocations between two looks at the youngest objects, where Python's own is 700. What a request leaves behind is
# mostly freed without any look; a batch of 500 records has some 100,000 objects at once.
_YOUNG_OBJECTS = 100_000


def collect_rarely() -> None:
    """For a process that serves, at its start."""
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)


def keep_for_good() -> None:
    """What is there now is not looked at any more: after a model was loaded."""
    gc.collect()
    gc.freeze()
