"""Choosing by chance, quickly: `random.random()` is the only source, so a seed gives the same everywhere."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Choices(Generic[Value]):
    """Values with weights; drawn with one call of random()."""

    def __init__(self, *weighted: tuple[Value, float]) -> None:
        self.values = [value for value, _ in weighted]
        totals = list(accumulate(weight for _, weight in weighted))
        self.totals = [total / totals[-1] for total in totals[:-1]]

    def draw(self, random: Random) -> Value:
        return self.values[bisect_right(self.totals, random.random())]


def pick(values: Sequence[Value], random: Random) -> Value:
    """One of the values, all alike."""
    return values[int(random.random() * len(values))]


def between(low: int, high: int, random: Random) -> int:
    """A whole number from low to high, both included."""
    return low + int(random.random() * (high - low + 1))
