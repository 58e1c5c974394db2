"""What a steward should look at first: priority = uncertainty x people x value x age. A pure rule, its parts visible.

Each part is a number that people can check by hand; the queue computes the same in the database, all but the age ahead:
see cdp.identity.standing.
"""

from __future__ import annotations

from dataclasses import dataclass

from cdp.identity.standing import CONTRADICTED, HALF_OF_PEOPLE, HALF_OF_WORTH, LEAST_OF_CONTRADICTED


@dataclass(frozen=True)
class Priority:
    """uncertainty: 0 to 1. people: 0 to 1, by the records of both profiles. value: 1 to 2, by what is known of them:
    orders, consents, identifiers. age: 1 for a new one, 2 when it is due."""

    uncertainty: float
    people: float
    value: float
    age: float

    @property
    def total(self) -> float:
        return self.uncertainty * self.people * self.value * self.age


def priority_of(
    *,
    match_probability: float,
    reason: str,
    record_count: int,
    worth: int,
    days_waiting: float,
    review_days: float,
) -> Priority:
    return Priority(
        uncertainty_of(match_probability, reason),
        people_of(record_count),
        value_of(worth),
        age_of(days_waiting, review_days),
    )


def uncertainty_of(match_probability: float, reason: str) -> float:
    """1 where the evidence says neither, 0 where it is certain: 4 p (1 - p)."""
    uncertainty = 4.0 * match_probability * (1.0 - match_probability)
    return max(uncertainty, LEAST_OF_CONTRADICTED) if reason in CONTRADICTED else uncertainty


def people_of(record_count: int) -> float:
    return record_count / (record_count + HALF_OF_PEOPLE)


def value_of(worth: int) -> float:
    """So that nobody of whom little is known is hidden: it doubles at most."""
    return 1.0 + worth / (worth + HALF_OF_WORTH)


def age_of(days_waiting: float, review_days: float) -> float:
    """Grows by 1 each time that a candidate could have been looked at."""
    return 1.0 + max(days_waiting, 0.0) / review_days
