"""What a source sent for a field, as text: beside the standardized value, for people to compare. A pure rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Field to the name of its list in a record, and the parts of its entries in the order people write them.
_LISTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "phone": ("phones", ()),
    "email": ("emails", ()),
    "device_id": ("device_ids", ()),
    "handle": ("handles", ("network", "handle")),
    "loyalty_id": ("loyalty_ids", ("program", "number")),
    "document": ("documents", ("type", "number")),
}


def raw_texts(field: str, raw: Mapping[str, Any]) -> tuple[str, ...]:
    group, _, name = field.partition(".")
    if field in _LISTS:
        listed, parts = _LISTS[field]
        return tuple(_entry(each, parts) for each in _as_list(raw.get(listed)))
    value = raw.get(group)
    if name:
        value = value.get(name) if isinstance(value, Mapping) else None
    return () if value in (None, "") else (str(value),)


def _entry(entry: Any, parts: tuple[str, ...]) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    return " ".join(str(entry[part]) for part in parts if entry.get(part))


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
