"""The parts of a standardized record as the store keeps it: what the engine compares, what people read.

Its text is canonical, so that `linkage` comes first and `values` last; parsing the other half as well would take twice
as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

_LINKAGE, _AFTER_LINKAGE, _VALUES = '{"linkage":', ',"refusals":', ',"values":'


def linkage_of(standardized: str) -> Mapping[str, Any]:
    linkage, _, _ = standardized.partition(_AFTER_LINKAGE)
    part = linkage.removeprefix(_LINKAGE)
    return _parsed(part, standardized, "linkage") if part != linkage else _whole(standardized, "linkage")


def values_of(standardized: str) -> Mapping[str, Any]:
    _, _, values_and_brace = standardized.partition(_VALUES)
    return _parsed(values_and_brace[:-1], standardized, "values")


def _parsed(part: str, standardized: str, name: str) -> Mapping[str, Any]:
    try:
        parsed: Mapping[str, Any] = orjson.loads(part)
    except orjson.JSONDecodeError:
        parsed = _whole(standardized, name)
    return parsed


def _whole(standardized: str, name: str) -> Mapping[str, Any]:
    part: Mapping[str, Any] = orjson.loads(standardized)[name]
    return part
