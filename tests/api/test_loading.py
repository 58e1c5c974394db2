"""Documents loaded by functions made of schemas: as marshmallow loads and refuses them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.loading import load_of
from api.lookups import LookupSchema


class InnerSchema(ma.Schema):
    number = ma.fields.Integer(required=True, data_key="shown")


class KindsSchema(ma.Schema):
    text = ma.fields.String(required=True, validate=ma.validate.Length(max=3))
    number = ma.fields.Integer(data_key="shown", attribute="kept")
    empty = ma.fields.Boolean(allow_none=True)
    filled = ma.fields.List(ma.fields.String(), load_default=list)
    fixed = ma.fields.String(load_default="fixed")
    inner = ma.fields.Nested(InnerSchema)
    many = ma.fields.List(ma.fields.Nested(InnerSchema))
    told = ma.fields.String(dump_only=True)

    @ma.validates_schema(skip_on_field_errors=False)
    def check_pair(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("kept") == 1 and "inner" in data:
            raise ma.ValidationError("Give one of them.", "inner")

    @ma.validates_schema(pass_original=True, pass_collection=True)
    def check_original(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        if original.get("empty", "absent") is None and not data["filled"]:
            raise ma.ValidationError("Give something.")


class DoublingSchema(ma.Schema):
    number = ma.fields.Integer()

    @ma.post_load
    def double(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: 2 * value for name, value in data.items()}


class DottedSchema(ma.Schema):
    number = ma.fields.Integer(attribute="inner.number")


LEAVES = st.sampled_from([None, True, 0, 1, "1", "", "abcd", "BR", "phone", {}, []])
NAMES = st.sampled_from(
    [
        "text",
        "shown",
        "number",
        "empty",
        "filled",
        "inner",
        "many",
        "told",
        "type",
        "value",
        "identifiers",
        "region",
    ]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("schema", [KindsSchema(), LookupSchema()], ids=repr)
@given(document=st.dictionaries(NAMES, VALUES, max_size=6) | VALUES)
def test_any_document_is_loaded_or_refused_as_marshmallow_does(schema: ma.Schema, document: Any) -> None:
    load = load_of(schema)

    assert _outcome(load, document) == _outcome(lambda given: schema.load(given, unknown=ma.RAISE), document)


@pytest.mark.parametrize(
    "document",
    [
        {
            "text": "abc",
            "shown": "7",
            "empty": None,
            "filled": ["a"],
            "inner": {"shown": 1},
            "many": [{"shown": 2}],
        },
        {"text": "abc"},
        {"text": "abc", "shown": 1, "inner": {"shown": 1}},
        {"text": "abc", "empty": None},
        {"text": "abc", "told": "x"},
        {"text": "abcd", "surplus": 1},
    ],
    ids=["all", "least", "two of one", "nothing", "not to be given", "wrong twice"],
)
def test_a_document_is_loaded_or_refused_as_marshmallow_does(document: dict[str, Any]) -> None:
    schema = KindsSchema()

    outcome = _outcome(load_of(schema), document)

    assert outcome == _outcome(lambda given: schema.load(given, unknown=ma.RAISE), document)


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        (DoublingSchema(), {"number": 1}),
        (DottedSchema(), {"number": 1}),
        (InnerSchema(many=True), [{"shown": 1}]),
        (KindsSchema(partial=True), {"shown": 1}),
        (KindsSchema(partial=True), {"number": 1}),
    ],
    ids=["a hook", "a place within another", "many", "partial", "partial and refused"],
)
def test_a_schema_that_does_more_is_asked_itself(schema: ma.Schema, document: Any) -> None:
    outcome = _outcome(load_of(schema), document)

    assert outcome == _outcome(lambda given: schema.load(given, unknown=ma.RAISE), document)


def test_defaults_are_not_shared() -> None:
    load = load_of(KindsSchema())

    load({"text": "a"})["filled"].append("b")

    assert load({"text": "a"})["filled"] == []


def _outcome(load: Any, document: Any) -> Any:
    """What is loaded with the order of its names, or what is told of the refusal."""
    try:
        loaded = load(document)
    except ma.ValidationError as error:
        return "refused", error.messages
    return "loaded", loaded, list(loaded)
