"""Conditions as DuckDB evaluates them at the least cost.

DuckDB takes several times as long for a Damerau-Levenshtein distance as for a plain Levenshtein distance, which is at
most twice as large: where only a distance of 1 counts, few pairs need the dear one. Specifications stay as they are:
they say what is compared, not how fast.
"""

from __future__ import annotations

import re

_TEXT = r"[a-z_]+"
_DISTANCE = rf"damerau_levenshtein\({_TEXT}, {_TEXT}\)"
_NEAREST = (
    rf"list_min\(list_transform\({_TEXT}, lambda (?P<a>{_TEXT}): "
    rf"list_min\(list_transform\({_TEXT}, lambda (?P<b>{_TEXT}): damerau_levenshtein\((?P=a), (?P=b)\)\)\)\)\)"
)

# The whole of one side of an AND, OR or NOT, or of what parentheses hold.
_ONE_APART = re.compile(
    rf"(?:(?<=^)|(?<=\()|(?<=AND )|(?<=OR )|(?<=NOT ))(?P<distance>{_DISTANCE}|{_NEAREST}) = 1(?=$|[),]| AND | OR )"
)


def shortened(condition: str) -> str:
    """The same condition, with a cheap question before each dear one."""
    if re.search(r"\bBETWEEN\b|'", condition, re.IGNORECASE):
        return condition  # here an AND may join no conditions, or be text
    return _ONE_APART.sub(_cheap_first, condition)


def _cheap_first(found: re.Match[str]) -> str:
    distance = found["distance"]
    return f"({distance.replace('damerau_', '')} <= 2 AND {distance} = 1)"
