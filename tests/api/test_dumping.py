"""Documents dumped by functions made of schemas: as marshmallow makes them, and masked as their fields say."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import marshmallow as ma
import pytest

from api.dumping import dump_of, dumps_of
from api.fields import IdentifiersField, InstantField, MapField, TextField, ValueField
from api.masks import ATTRIBUTE, SHOWN, SOURCE_KEY, TEXT
from api.profile_schemas import StoredRefusalSchema
from api.view_schemas import OwnValuesSchema, PersonSchema
from tests.builders import NOW


class InnerSchema(ma.Schema):
    number = ma.fields.Integer(data_key="shown")


class KindsSchema(ma.Schema):
    share = ma.fields.Float()
    at = InstantField()
    inner = ma.fields.Nested(InnerSchema, attribute="stored")
    many = ma.fields.List(ma.fields.Nested(InnerSchema))
    instants = ma.fields.List(InstantField())
    anything = ValueField(SHOWN)
    named = MapField(SHOWN)
    secret = TextField(SHOWN, load_only=True)
    filled = ma.fields.List(TextField(SHOWN), dump_default=list)
    fixed = TextField(SHOWN, dump_default="fixed")


class KeySchema(ma.Schema):
    key = TextField(SOURCE_KEY)


class IdSchema(ma.Schema):
    type = TextField(SHOWN)


class HolderSchema(ma.Schema):
    identifiers = IdentifiersField(IdSchema, kinds=("phone",))
    keys = ma.fields.List(ma.fields.Nested(KeySchema))


@dataclass(frozen=True)
class Key:
    key: str


HELD = [{"type": "handle", "value": "instagram:ana.lima77"}, {"type": "phone", "value": "+5511987654321"}]
GOLDEN = {
    "birth_date": {"value": "1980-02-29", "rule": "only_value", "source_record_id": "5511987654321"},
    "full_name": {"value": "Ana Reis", "rule": "pinned", "source_record_id": "ana.lima77"},
    "attributes": {
        "value": {"nickname": {"value": "Aninha", "source_record_id": "c-1"}, "pet": {"value": None}},
        "rule": "by_key",
    },
}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"share": None, "at": None, "stored": None, "many": None, "named": None, "filled": None},
        {
            "share": 0.5,
            "at": NOW,
            "stored": {"number": 1, "other": 2},
            "many": [{"number": 1}, {}],
            "instants": [NOW],
            "anything": [1],
            "named": {"then": 1},
            "secret": "kept",
            "filled": ["x"],
        },
    ],
    ids=["nothing", "nulls", "all"],
)
def test_every_kind_of_field_is_dumped_as_marshmallow_does(document: dict[str, Any]) -> None:
    schema = KindsSchema()

    assert dumps_of(schema)[True](document) == dump_of(schema)(document) == schema.dump(document)


def test_defaults_are_not_shared() -> None:
    dump = dump_of(KindsSchema())

    dump({})["filled"].append("of one document")

    assert dump({})["filled"] == []


def test_a_golden_record_is_masked_with_its_provenance() -> None:
    shown = dumps_of(PersonSchema())[False]({"golden": GOLDEN, "identifiers": HELD})

    assert shown["golden"] == {
        "birth_date": {"value": "1980-**-**", "rule": "only_value", "source_record_id": "***321"},
        "full_name": {"value": "Ana Reis", "rule": "pinned", "source_record_id": "***a77"},
        "attributes": {"nickname": {"value": "A***", "source_record_id": "c-1"}, "pet": {"value": "***"}},
    }
    assert shown["identifiers"] == [
        {"type": "handle", "value": "instagram:a***"},
        {"type": "phone", "value": "+55***4321"},
    ]


def test_a_golden_record_is_whole_for_who_may_see_it() -> None:
    shown = dumps_of(PersonSchema())[True]({"golden": GOLDEN, "identifiers": HELD})

    assert shown["identifiers"] == HELD
    assert shown["golden"] == {**GOLDEN, "attributes": GOLDEN["attributes"]["value"]}


def test_objects_and_mappings_are_dumped_like_dicts() -> None:
    document = MappingProxyType({"identifiers": HELD, "keys": [Key("ana.lima77"), Key("c-1")]})

    assert dump_of(HolderSchema())(document) == {
        "identifiers": [{"type": "phone"}],
        "keys": [{"key": "***a77"}, {"key": "c-1"}],
    }


@pytest.mark.parametrize(
    "field",
    [ma.fields.DateTime(), ma.fields.String(), ma.fields.Raw(), ma.fields.Dict(), ValueField(ATTRIBUTE)],
    ids=["instant", "text", "anything", "map", "of no attribute"],
)
def test_a_field_that_does_not_say_how_it_is_masked_is_refused(field: ma.fields.Field[Any]) -> None:
    with pytest.raises(TypeError, match="masked"):
        dump_of(ma.Schema.from_dict({"it": field})())


def test_a_masked_text_within_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match="list"):
        dump_of(ma.Schema.from_dict({"them": ma.fields.List(TextField(TEXT))})())


def test_marshmallow_itself_dumps_nothing_that_is_masked() -> None:
    with pytest.raises(TypeError, match="source_record_id is masked"):
        ma.Schema.from_dict({"source_record_id": TextField(SOURCE_KEY)})().dump({"source_record_id": "c-1"})


def test_names_of_free_attributes_are_masked_as_what_they_hold() -> None:
    chosen = {name: {"value": "sim"} for name in ("ana@example.com", "plan")}
    dumps = dumps_of(OwnValuesSchema())

    masked, whole = (dumps[is_whole]({"attributes": {"value": chosen}}) for is_whole in (False, True))

    assert masked["attributes"] == {"***": {"value": "s***"}, "plan": {"value": "s***"}}
    assert whole["attributes"] == chosen


def test_what_was_not_used_of_a_record_is_told_without_the_names_that_its_sender_gave() -> None:
    refused = [{"field": each, "reason": "invalid"} for each in ("/attributes/ana@example.com", "/phones/0")]
    dumps = dumps_of(StoredRefusalSchema())

    assert [dumps[False](each)["field"] for each in refused] == ["***", "/phones/0"]
    assert [dumps[True](each)["field"] for each in refused] == ["/attributes/ana@example.com", "/phones/0"]
