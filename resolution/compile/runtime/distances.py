"""String distances as DuckDB takes them: over the bytes of UTF-8, not over characters."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum
from typing import Final

from rapidfuzz.distance import OSA, DamerauLevenshtein, Hamming, Jaro, Levenshtein

from resolution.errors import FailedConditionError

# rapidfuzz compares str by code point and bytes by byte; for ASCII that is the same.
Octets = str | bytes
OctetList = tuple[Octets | None, ...]

levenshtein = Levenshtein.distance
damerau_levenshtein = DamerauLevenshtein.distance
optimal_alignment = OSA.distance

_BOOST_ABOVE: Final = 0.7
_PREFIX_LENGTH: Final = 4
_PREFIX_WEIGHT: Final = 0.1
_SPLITTER: Final = 2.0**27 + 1


def octets(text: str) -> Octets:
    return text if text.isascii() else text.encode()


def octet_list(values: Iterable[str | None]) -> OctetList:
    return tuple(None if value is None else octets(value) for value in values)


def is_one_apart(left: Octets, right: Octets) -> bool:
    """Whether the Damerau-Levenshtein distance is 1; the optimal alignment, much cheaper, agrees up to there."""
    return -2 < len(left) - len(right) < 2 and optimal_alignment(left, right, score_cutoff=1) == 1


def is_nearest_one_apart(left: OctetList, right: OctetList) -> bool | None:
    """Whether the least Damerau-Levenshtein distance of any two is 1; null when there are no two."""
    found = None
    for one in left:
        for other in right:
            if one is None or other is None:
                continue
            if one == other:
                return False
            found = found or is_one_apart(one, other)
    return found


def jaro(left: Octets, right: Octets) -> float:
    return Jaro.similarity(left, right) if left and right else 0.0


def jaro_winkler(left: Octets, right: Octets) -> float:
    """DuckDB adds the prefix's share in one rounding (fused multiply-add), which rapidfuzz rounds twice: it decides
    at which side of 0.9 a name and its double (luca, lucas...) stands."""
    similarity = jaro(left, right)
    if similarity <= _BOOST_ABOVE:
        return similarity
    prefix = _common_prefix(left, right)
    return _fused_multiply_add(prefix * _PREFIX_WEIGHT, 1.0 - similarity, similarity)


def _common_prefix(left: Octets, right: Octets) -> int:
    """How many bytes the two have in common at the beginning, at most those that count."""
    if type(left) is not type(right):
        left, right = _encoded(left), _encoded(right)
    for length, (one, other) in enumerate(zip(left[:_PREFIX_LENGTH], right, strict=False)):
        if one != other:
            return length
    return min(len(left), len(right), _PREFIX_LENGTH)


def _encoded(text: Octets) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _fused_multiply_add(first: float, second: float, third: float) -> float:
    """first * second + third, rounded once. Source: the exact product of Dekker (1971), with Veltkamp's splitting."""
    product = first * second
    high_1, low_1 = _split(first)
    high_2, low_2 = _split(second)
    rest = ((high_1 * high_2 - product) + high_1 * low_2 + low_1 * high_2) + low_1 * low_2
    return fsum((product, rest, third))


def _split(number: float) -> tuple[float, float]:
    scaled = _SPLITTER * number
    high = scaled - (scaled - number)
    return high, number - high


def jaccard(left: Octets, right: Octets) -> float:
    """Of the sets of bytes. Raises FailedConditionError for an empty text."""
    if not left or not right:
        raise FailedConditionError("jaccard compares no empty text: guard it with a condition on the length.")
    one, other = _byte_set(left), _byte_set(right)
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def _byte_set(text: Octets) -> frozenset[int]:
    return frozenset(_encoded(text))


def hamming(left: Octets, right: Octets) -> int:
    """Raises FailedConditionError for texts of different length or empty ones."""
    if len(left) != len(right) or not left:
        raise FailedConditionError(
            "hamming compares texts of one length: guard it with a condition on the length."
        )
    return int(Hamming.distance(left, right))
