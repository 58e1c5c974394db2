"""Histories that hypothesis makes up: a few by default, as many as CDP_TEST_HISTORIES says, and longer ones, on demand.

    CDP_TEST_HISTORIES=500 .venv/bin/python -m pytest tests/cdp/stewardship/test_any_order.py

A few fail as they come, since shrinking one takes up to five minutes; with many, the one that fails is shrunk.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def seeds(count: int) -> range:
    """For tests whose records are drawn by a seed: as many seeds."""
    return range(1, 1 + max(count, _asked()))


def _asked() -> int:
    return int(os.environ.get("CDP_TEST_HISTORIES", "0"))


def tell(history: Callable[[], RuleBasedStateMachine], *, histories: int, steps: int) -> None:
    asked = _asked()
    run_state_machine_as_test(
        history,
        settings=settings(
            max_examples=asked or histories,
            stateful_step_count=2 * steps if asked else steps,
            deadline=None,
            phases=tuple(Phase) if asked else (Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
