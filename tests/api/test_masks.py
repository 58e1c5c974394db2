"""Every field of every answer says how it is masked, where it is made and in the description."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask

from api import create_app
from api.fields import AttributeField, InstantField, MaskedField
from api.masks import ATTRIBUTE, MASKS, SHOWN
from cdp.settings import Settings

# What they hold is the service's own: ids, counts, times, and amounts of money.
NO_TEXT = (ma.fields.Integer, ma.fields.Float, ma.fields.Boolean, InstantField)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application without a store: its schemas need none."""
    home: Path = tmp_path_factory.mktemp("home")
    return create_app(Settings(home, f"sqlite:///{home / 'none.db'}", 1.0))


def answers(app: Flask) -> Iterator[tuple[str, ma.Schema]]:
    """Endpoint and schema of all that routes answer with when they do not refuse."""
    for rule in app.url_map.iter_rules():
        described = getattr(app.view_functions[rule.endpoint], "_apidoc", {})
        responses = described.get("response", {}).get("responses", {})
        for told in (each for status, listed in responses.items() if status < 300 for each in listed):
            schema = told.get("schema", {})
            for each in schema.get("oneOf", []) if isinstance(schema, dict) else [schema]:
                if rule.rule.startswith("/v1/"):
                    yield rule.endpoint, each() if isinstance(each, type) else each


def leaves(schema: ma.Schema, of: str, *, has_attribute: bool = False) -> Iterator[tuple[str, Any, bool]]:
    """Name and field of every value, and whether it stands for an attribute that says how it is masked."""
    for name, field in schema.fields.items():
        while isinstance(field, ma.fields.List):
            field = field.inner
        if isinstance(field, ma.fields.Dict) and field.value_field is not None:
            field = field.value_field
        path = f"{of}.{name}"
        if isinstance(field, ma.fields.Nested):
            yield from leaves(field.schema, path, has_attribute=isinstance(field, AttributeField))
        else:
            yield path, field, has_attribute


def test_every_field_of_an_answer_says_how_it_is_masked(app: Flask) -> None:
    found = list(answers(app))

    silent = [
        path
        for of, schema in found
        for path, field, has_attribute in leaves(schema, of)
        if not isinstance(field, NO_TEXT)
        and not (isinstance(field, MaskedField) and (field.masked_as is not ATTRIBUTE or has_attribute))
    ]
    assert silent == []
    assert {"profiles.get_profile", "candidates.get_candidate"} <= {of for of, _ in found}


def test_the_description_tells_every_mask(app: Flask) -> None:
    description: Any = app.test_client().get("/openapi.json").json
    named = set(_named(description["components"]["schemas"]))

    assert named == description["x-masks"].keys() == {each.name for each in MASKS}
    assert SHOWN.name not in named


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("x-masked-as"), str):
            yield node["x-masked-as"]
        for each in node.values():
            yield from _named(each)
    elif isinstance(node, list):
        for each in node:
            yield from _named(each)
