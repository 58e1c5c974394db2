"""What a marshmallow schema takes from a document, by functions that are built from the schema once.

The schema's own fields read and judge the values. What marshmallow works out anew for each document takes it longer
than that: which names the fields have, where their errors would go, which hooks there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow as ma
from marshmallow.decorators import POST_LOAD, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA
from marshmallow.error_store import ErrorStore

Load = Callable[[Any], Any]


def load_of(schema: ma.Schema) -> Load:
    """As schema.load with ma.RAISE for unknown names. A document that is refused is loaded by the schema itself, which
    tells of all that is wrong with it; so is each of a schema that does more than its fields and checks."""

    def load_anew(document: Any) -> Any:
        return schema.load(document, unknown=ma.RAISE)

    if not _is_plain(schema):
        return load_anew
    steps = [
        (
            field.data_key if field.data_key is not None else name,
            field.attribute or name,
            field.deserialize,
            not field.required and field.load_default is ma.missing,
        )
        for name, field in schema.load_fields.items()
    ]
    is_checked = bool(schema._hooks[VALIDATES_SCHEMA])

    def load(document: Any) -> Any:
        if type(document) is not dict:
            return load_anew(document)
        loaded: dict[str, Any] = {}
        known_count = 0
        try:
            for shown, kept, deserialize, may_be_absent in steps:
                value = document.get(shown, ma.missing)
                if value is not ma.missing:
                    known_count += 1
                elif may_be_absent:
                    continue
                read = deserialize(value, shown, document)
                if read is not ma.missing:
                    loaded[kept] = read
        except ma.ValidationError:
            return load_anew(document)
        if known_count != len(document) or (is_checked and not _passes(schema, loaded, document)):
            return load_anew(document)
        return loaded

    return load


def _is_plain(schema: ma.Schema) -> bool:
    """Whether a document is made of its fields, none within another, and nothing else is done to it."""
    return (
        not any(schema._hooks[hook] for hook in (PRE_LOAD, POST_LOAD, VALIDATES))
        and not any("." in (field.attribute or "") for field in schema.load_fields.values())
        and not schema.many
        and schema.partial is None
        and schema.dict_class is dict
    )


def _passes(schema: ma.Schema, loaded: dict[str, Any], document: dict[str, Any]) -> bool:
    errors = ErrorStore()  # type: ignore[no-untyped-call]
    for is_of_all in (True, False):
        schema._invoke_schema_validators(
            error_store=errors,
            pass_collection=is_of_all,
            data=loaded,
            original_data=document,
            many=False,
            partial=None,
            unknown=ma.RAISE,
        )
    return not errors.errors
