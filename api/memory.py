"""How a serving process collects garbage: rarely, and not what stays for good."""

from __future__ import annotations

import atexit
import gc

# Allocations between two looks at the youngest objects, where Python's own is 700: requests leave few cycles behind,
# and a batch makes many objects that live as long as it does.
_YOUNG_OBJECTS = 100_000


def collect_rarely() -> None:
    """For a process that serves, once its application is loaded: what is there by then is not looked at any more."""
    gc.set_threshold(_YOUNG_OBJECTS, 20, 50)
    gc.collect()
    gc.freeze()
    # DuckDB's library reports what nobody collected as leaks, fifty lines a process that ends.
    atexit.register(gc.unfreeze)
