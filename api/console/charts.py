"""Pictures of numbers that stand beside them as a table: where the bars of a waterfall go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from flask_babel import gettext

from cdp.identity.explain import PairEvidence

_LEFT, _WIDTH, _RIGHT, _STEP, _TOP = 300, 350, 60, 20, 6
_FOOT = 22
_TICKS_AT_MOST = 8


@dataclass(frozen=True)
class Bar:
    """kind: base, for, against or sum. end: where the next one begins."""

    name: str
    weight: float
    kind: str
    x: float
    y: float
    width: float
    end: float
    label_x: float
    anchor: str


@dataclass(frozen=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True)
class Waterfall:
    left: float
    width: float
    height: float
    bars: Sequence[Bar]
    ticks: Sequence[Tick]


def waterfall(pair: PairEvidence) -> Waterfall:
    """The prior, each comparison that says something, the total: each bar begins where the one before ended."""
    steps = [(gettext("Before any evidence"), pair.prior_match_weight, "base")]
    steps += [
        (each.label, each.match_weight, "for" if each.match_weight > 0 else "against")
        for each in pair.comparisons
        if not each.is_missing
    ]
    spans, reached = [], 0.0
    for _, weight, _kind in steps:
        spans.append((reached, reached + weight))
        reached += weight
    steps.append((gettext("Total"), pair.match_weight, "sum"))
    spans.append((0.0, pair.match_weight))
    low, high = min(map(min, spans)), max(map(max, spans))
    scale = _WIDTH / ((high - low) or 1.0)

    def place(bits: float) -> float:
        return round(_LEFT + (bits - low) * scale, 1)

    bars = [
        _bar(number, step, (place(span[0]), place(span[1])))
        for number, (step, span) in enumerate(zip(steps, spans, strict=True))
    ]
    ticks = [Tick(place(bits), str(bits).replace("-", "−")) for bits in whole_ticks(low, high)]
    return Waterfall(_LEFT, _LEFT + _WIDTH + _RIGHT, _TOP + _STEP * len(steps) + _FOOT, bars, ticks)


def _bar(number: int, step: tuple[str, float, str], ends: tuple[float, float]) -> Bar:
    name, weight, kind = step
    left, right = min(ends), max(ends)
    return Bar(
        name=name,
        weight=weight,
        kind=kind,
        x=left,
        y=_TOP + _STEP * number,
        width=max(round(right - left, 1), 1.0),
        end=ends[1],
        label_x=right + 4,
        anchor="start",
    )


def whole_ticks(low: float, high: float) -> list[int]:
    """Whole bits at round distances, zero among them."""
    span = max(high - low, 1.0)
    distance = next(each for each in (1, 2, 5, 10, 20, 50, 100, 1000) if span / each <= _TICKS_AT_MOST)
    return list(range(ceil(low / distance) * distance, floor(high) + 1, distance))
