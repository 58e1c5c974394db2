"""Which u a term frequency takes the place of: found as Splink finds it."""

from __future__ import annotations

from typing import Final

from sqlglot import exp
from sqlglot.optimizer.normalize import normalize
from sqlglot.optimizer.simplify import simplify

from resolution.compile.expressions import Uncompilable
from resolution.compile.syntax import parse
from resolution.model import Model
from resolution.specification import Comparison, ComparisonLevel

_SIDES: Final = ("_l", "_r")


def exact_level_u(model: Model, comparison: Comparison, level: ComparisonLevel) -> float:
    """The u of the level itself, or of the first level of its comparison that says no more than that the column is
    equal. Raises Uncompilable when there is none."""
    probabilities = model.probabilities[comparison.name]
    for each, (_, u) in zip(comparison.weighed_levels, probabilities, strict=True):
        if each is level if level.frequency_is_over_level else _equal_column(each) == level.frequency_column:
            return u
    raise Uncompilable(f"the term frequency of {level.frequency_column}, which no level of it holds equal")


def _equal_column(level: ComparisonLevel) -> str | None:
    """The one column that a condition holds equal on both sides, when that is all it says."""
    if level.condition.upper() == "ELSE":
        return None
    condition = simplify(normalize(parse(level.condition.lower())))
    parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    columns = {_equal_sides(part) for part in parts}
    return columns.pop() if len(parts) == 1 else None


def _equal_sides(condition: object) -> str | None:
    match condition:
        case exp.EQ(this=exp.Column() as one, expression=exp.Column() as other):
            names = {one.name[:-2], other.name[:-2]}
            return names.pop() if len(names) == 1 else None
        case _:
            return None
