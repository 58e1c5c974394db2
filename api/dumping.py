"""What a marshmallow schema makes of a document, by functions that are built from the schema once.

The schema stays the one description of the document, of its masks too. Asking each of its fields anew what it is, for
each value of each document, takes marshmallow ten times as long; and it knows no masks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import marshmallow as ma

from api.fields import (
    AttributeField,
    FreeAttributesField,
    IdentifiersField,
    InstantField,
    MapField,
    MaskedField,
    TextField,
    ValueField,
    instant_text,
)
from api.masks import ATTRIBUTE, Mask, MaskKey, Read, Rule
from cdp.privacy.masking import mask_keys_of, mask_source_record_id, mask_telling

Dump = Callable[[Any], dict[str, Any]]
# Of a document within another: the mask of the keys of whom the outer one is of comes with it.
_Inner = Callable[[Any, MaskKey], Any]


class _Step(NamedTuple):
    """How a field is dumped: masked by a rule, then converted, None for neither. made: what is of this type already is
    left as it is. is_inner: convert is an _Inner."""

    rule: Rule | None
    convert: Callable[..., Any] | None
    made: type | None = None
    is_inner: bool = False


_PLAIN: Mapping[type, _Step] = {
    ValueField: _Step(None, None),
    MapField: _Step(None, None),
    TextField: _Step(None, str, str),
    ma.fields.Boolean: _Step(None, None),
    ma.fields.Integer: _Step(None, int, int),
    ma.fields.Float: _Step(None, float, float),
    InstantField: _Step(None, instant_text, str),
}


def dump_of(schema: ma.Schema) -> Dump:
    """Of answers that show all callers the same; what a schema masks is masked."""
    return dumps_of(schema)[False]


def dumps_of(schema: ma.Schema) -> Mapping[bool, Dump]:
    """By whether values are shown whole: as schema.dump, of mappings and of objects.

    Raises TypeError for a kind of field that it does not know, such as one that could hold a text and does not say how
    it is masked.
    """
    return {is_whole: _from_top(_dump_of(schema, is_whole, None)) for is_whole in (False, True)}


def _from_top(dump: _Inner) -> Dump:
    return lambda document: dump(document, mask_source_record_id)


def _dump_of(schema: ma.Schema, is_whole: bool, attribute: Mask | None) -> _Inner:
    """attribute: how the value is masked that the document is about."""
    steps = [
        (
            field.data_key or name,
            field.attribute or name,
            *_step(field, is_whole, attribute),
            field.dump_default,
        )
        for name, field in schema.dump_fields.items()
    ]
    held = None if is_whole else _identifiers_in(schema)

    def dump(document: Any, mask_key: MaskKey) -> dict[str, Any]:
        read = document.get if type(document) is dict else _reader(document)
        if held is not None:
            mask_key = mask_keys_of((each["type"], each["value"]) for each in read(held, ()))
        dumped = {}
        for shown, stored, rule, convert, made, is_inner, default in steps:
            value = read(stored, ma.missing)
            if value is ma.missing:
                value = default() if callable(default) else default
                if value is ma.missing:
                    continue
            if rule is not None:
                value = rule(value, read, mask_key)
            if convert is not None and value is not None and type(value) is not made:
                value = convert(value, mask_key) if is_inner else convert(value)
            dumped[shown] = value
        return dumped

    return dump


def _identifiers_in(schema: ma.Schema) -> str | None:
    fields = schema.dump_fields.items()
    return next((name for name, field in fields if isinstance(field, IdentifiersField)), None)


def _reader(document: Any) -> Read:
    return document.get if isinstance(document, Mapping) else partial(_read_attribute, document)


def _read_attribute(document: object, name: str, default: Any = None) -> Any:
    return getattr(document, name, default)


def _step(field: ma.fields.Field[Any], is_whole: bool, attribute: Mask | None) -> _Step:
    match field:
        case AttributeField():
            return _Step(None, _dump_of(field.schema, is_whole, field.masked_as), is_inner=True)
        case ma.fields.Nested():
            return _Step(None, _dump_of(field.schema, is_whole, None), is_inner=True)
        case IdentifiersField():
            return _Step(None, _dump_of_identifiers(field, is_whole), is_inner=True)
        case ma.fields.List():
            return _step_of_list(_step(field.inner, is_whole, attribute))
        case FreeAttributesField():
            return _Step(None, _dump_of_free_attributes(field, is_whole), is_inner=True)
        case _ if type(field) in _PLAIN:
            return _PLAIN[type(field)]._replace(rule=None if is_whole else _rule(field, attribute))
    raise TypeError(
        f"How a {type(field).__name__} is masked, and dumped, is not said: api/fields.py has its like."
    )


def _rule(field: ma.fields.Field[Any], attribute: Mask | None) -> Rule | None:
    if not isinstance(field, MaskedField):
        return None
    if field.masked_as is not ATTRIBUTE:
        return field.masked_as.rule
    if attribute is None:
        raise TypeError(f"{field.name} is of no attribute that would say how it is masked.")
    return attribute.rule


def _dump_of_identifiers(field: IdentifiersField, is_whole: bool) -> _Inner:
    dump, kinds = _dump_of(field.each.schema, is_whole, None), field.kinds
    if kinds is None:
        return lambda held, mask_key: [dump(each, mask_key) for each in held]
    return lambda held, mask_key: [dump(each, mask_key) for each in held if each["type"] in kinds]


def _dump_of_free_attributes(field: FreeAttributesField, is_whole: bool) -> _Inner:
    dump = _dump_of(field.each.schema, is_whole, field.each.masked_as)
    # Senders name them as they like, be it by an address.
    name_of = str if is_whole else mask_telling
    return lambda chosen, mask_key: {
        name_of(name): dump(each, mask_key) for name, each in chosen["value"].items()
    }


def _step_of_list(item: _Step) -> _Step:
    convert = item.convert
    if item.rule is not None:
        raise TypeError("A mask needs the document around a text: a list has none.")
    if convert is None:
        return item
    if item.is_inner:
        return _Step(None, lambda items, mask_key: [convert(each, mask_key) for each in items], is_inner=True)
    return _Step(None, lambda items: [convert(each) for each in items])
