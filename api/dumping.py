"""What a marshmallow schema makes of a document, by a function that is built from the schema once.

The schema stays the one description of the document. Asking each of its fields anew what it is, for each value of each
document, takes marshmallow ten times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import marshmallow as ma

from cdp.store.instants import format_instant

Dump = Callable[[Mapping[str, Any]], dict[str, Any]]

_PLAIN: Mapping[type, Callable[[Any], Any] | None] = {
    ma.fields.Raw: None,
    ma.fields.Boolean: None,
    ma.fields.String: str,
    ma.fields.Integer: int,
    ma.fields.Float: float,
}


class InstantField(ma.fields.String):
    """A UTC instant as text."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else _instant_text(value)


def dump_of(schema: ma.Schema) -> Dump:
    """As schema.dump, of mappings. Raises TypeError for a kind of field that it does not know."""
    fields = [
        (field.data_key or name, field.attribute or name, _dump_of_field(field), field.dump_default)
        for name, field in schema.dump_fields.items()
    ]

    def dump(document: Mapping[str, Any]) -> dict[str, Any]:
        dumped = {}
        for shown, stored, dump_value, default in fields:
            value = document.get(stored, ma.missing)
            if value is ma.missing:
                value = default() if callable(default) else default
            if value is not ma.missing:
                dumped[shown] = value if value is None or dump_value is None else dump_value(value)
        return dumped

    return dump


def _dump_of_field(field: ma.fields.Field[Any]) -> Callable[[Any], Any] | None:
    """None for what is shown as it is."""
    match field:
        case InstantField():
            return _instant_text
        case ma.fields.Nested():
            return dump_of(field.schema)
        case ma.fields.List():
            dump_item = _dump_of_field(field.inner)
            return dump_item and (lambda items: [dump_item(item) for item in items])
        case ma.fields.Dict():
            dump_value = _dump_of_field(field.value_field) if field.value_field else None
            return dump_value and (lambda items: {name: dump_value(item) for name, item in items.items()})
        case _ if type(field) in _PLAIN:
            return _PLAIN[type(field)]
    raise TypeError(f"A {type(field).__name__} is dumped by marshmallow only.")


def _instant_text(value: Any) -> str:
    return value if isinstance(value, str) else format_instant(value)
