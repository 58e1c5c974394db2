"""What makes an open candidate weigh before others at any time, as the database computes it.

cdp.stewardship.priority has the same rule in Python, and what time adds.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, case, cast, or_
from sqlalchemy.types import Double

# The evidence asked for the join and a rule refused it: whatever the evidence says, two voices contradict.
CONTRADICTED = ("exclusive_conflict", "size_limit")
LEAST_OF_CONTRADICTED = 0.5
# So many records are half of what any number of them can weigh: one huge profile does not hide all others.
HALF_OF_PEOPLE = 10.0
# The same of what is known of them: see cdp.identity.candidate_weights.
HALF_OF_WORTH = 20.0


def uncertainty(match_probability: ColumnElement[float], reason: ColumnElement[str]) -> ColumnElement[float]:
    uncertain = 4.0 * match_probability * (1.0 - match_probability)
    is_contradicted = or_(*(reason == each for each in CONTRADICTED))
    contradicted = and_(is_contradicted, uncertain < LEAST_OF_CONTRADICTED)
    return case((contradicted, LEAST_OF_CONTRADICTED), else_=uncertain)


def standing(
    match_probability: ColumnElement[float],
    reason: ColumnElement[str],
    record_count: ColumnElement[int],
    worth: ColumnElement[int],
) -> ColumnElement[float]:
    """Uncertainty x people x value: the priority of one that has not waited yet."""
    records, known = cast(record_count, Double), cast(worth, Double)
    people = records / (records + HALF_OF_PEOPLE)
    value = 1.0 + known / (known + HALF_OF_WORTH)
    return uncertainty(match_probability, reason) * people * value
