"""Where the marks of a model's charts go: bars of weights, points of m and u, lines of precision and recall."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10
from typing import Any

from flask_babel import format_percent

from api.console.charts import Tick, whole_ticks
from cdp.stewardship.estimation import Share, ThresholdQuality

_WIDTH, _RIGHT, _STEP, _TOP, _FOOT = 420, 56, 18, 8, 42
# Half an em a letter is what a browser's own font takes on average; wide ones get a little more room.
_LETTER = 6.4
# A longer name would leave the marks little room: it ends in dots, the mark and the table tell it whole.
_LETTERS_AT_MOST = 58
# Some levels are there to forbid, and weigh hundreds of bits: what is beyond ends at the edge, the table tells it.
_MOST_BITS = 25
_RAREST = -8
_CURVES_HEIGHT, _CURVES_LEFT = 150, 48
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class Frame:
    """bottom: of the marks; the ticks are written below."""

    left: float
    width: float
    height: float
    bottom: float
    ticks: Sequence[Tick]


@dataclass(frozen=True)
class WeightBar:
    """name: whole; shown: as there is room. kind: for or against."""

    name: str
    shown: str
    y: float
    x: float
    width: float
    kind: str


@dataclass(frozen=True)
class LevelPoints:
    name: str
    shown: str
    y: float
    m_x: float
    u_x: float


@dataclass(frozen=True)
class Curve:
    """line and band: points as SVG writes them. kind: precision or recall."""

    kind: str
    line: str
    band: str


@dataclass(frozen=True)
class Mark:
    x: float
    y: float
    name: str


@dataclass(frozen=True)
class Curves:
    frame: Frame
    shares: Sequence[Mark]
    curves: Sequence[Curve]
    marks: Sequence[Mark]


def weight_bars(levels: Sequence[Mapping[str, Any]]) -> tuple[Frame, Sequence[WeightBar]]:
    """Levels: level (text) and weight in bits. Bars go right where a level speaks for one person, else left."""
    left = _room(levels)

    def place(bits: float) -> float:
        return _along(left, bits, -_MOST_BITS, _MOST_BITS)

    bars = []
    for y, each in zip(_heights(levels), levels, strict=True):
        ends = sorted((place(0), place(each["weight"])))
        kind = "for" if each["weight"] > 0 else "against"
        width = max(round(ends[1] - ends[0], 1), 1.0)
        bars.append(WeightBar(each["level"], _shown(each["level"]), y, ends[0], width, kind))
    ticks = [Tick(place(bits), str(bits).replace("-", "−")) for bits in whole_ticks(-_MOST_BITS, _MOST_BITS)]
    return _frame(left, levels, ticks), bars


def level_points(levels: Sequence[Mapping[str, Any]]) -> tuple[Frame, Sequence[LevelPoints]]:
    """Levels: level (text), and the probabilities m and u, which are placed by their power of ten."""
    left = _room(levels)

    def place(probability: float) -> float:
        return _along(left, log10(max(probability, 10.0**_RAREST)), _RAREST, 0)

    points = [
        LevelPoints(each["level"], _shown(each["level"]), y, place(each["m"]), place(each["u"]))
        for y, each in zip(_heights(levels), levels, strict=True)
    ]
    ticks = [Tick(place(10.0**power), f"1e−{-power}" if power else "1") for power in range(_RAREST, 1, 2)]
    return _frame(left, levels, ticks), points


def threshold_curves(told: Sequence[ThresholdQuality], named: Mapping[str, float]) -> Curves:
    """Precision and recall, each in the band of its interval. Named: thresholds to be marked."""
    thresholds = [*(each.threshold_match_weight for each in told), *named.values()]
    low, high = min(thresholds), max(thresholds)
    bottom = _TOP + _CURVES_HEIGHT

    def across(threshold: float) -> float:
        return _along(_CURVES_LEFT, threshold, low, high)

    def down(share: float) -> float:
        return round(bottom - share * _CURVES_HEIGHT, 1)

    # The lines are named at the top, the marks at the bottom, each on a line of its own.
    marks = [
        Mark(across(threshold), bottom - 4 - 13 * number, name)
        for number, (name, threshold) in enumerate(named.items())
    ]
    ticks = [Tick(across(bits), str(bits).replace("-", "−")) for bits in whole_ticks(low, high)]
    return Curves(
        Frame(_CURVES_LEFT, _CURVES_LEFT + _WIDTH + _RIGHT, bottom + _FOOT, bottom, ticks),
        [Mark(_CURVES_LEFT, down(share), format_percent(share)) for share in _SHARES],
        [
            _curve("recall", [(across(each.threshold_match_weight), each.recall) for each in told], down),
            _curve(
                "precision", [(across(each.threshold_match_weight), each.precision) for each in told], down
            ),
        ],
        marks,
    )


def _curve(kind: str, placed: Sequence[tuple[float, Share]], down: Callable[[float], float]) -> Curve:
    """Nothing where there was nothing to take the share of."""
    lines, above, below = [], [], []
    for x, share in placed:
        if share.value is not None:
            lines.append(f"{x},{down(share.value)}")
            above.append(f"{x},{down(share.high)}")
            below.append(f"{x},{down(share.low)}")
    return Curve(kind, " ".join(lines), " ".join(above + below[::-1]))


def _room(levels: Sequence[Mapping[str, Any]]) -> int:
    """For the longest name that is shown."""
    return ceil(max((len(_shown(each["level"])) for each in levels), default=0) * _LETTER) + 16


def _shown(name: str) -> str:
    return name if len(name) <= _LETTERS_AT_MOST else name[: _LETTERS_AT_MOST - 1].rstrip(" ,:") + "…"


def _heights(levels: Sequence[Mapping[str, Any]]) -> Sequence[float]:
    return [_TOP + _STEP * number for number in range(len(levels))]


def _frame(left: float, levels: Sequence[Mapping[str, Any]], ticks: Sequence[Tick]) -> Frame:
    bottom = _TOP + _STEP * len(levels)
    return Frame(left, left + _WIDTH + _RIGHT, bottom + _FOOT, bottom, ticks)


def _along(left: float, value: float, low: float, high: float) -> float:
    """Where a value is, which stays within the scale."""
    share = (min(max(value, low), high) - low) / ((high - low) or 1.0)
    return round(left + share * _WIDTH, 1)
