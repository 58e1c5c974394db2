"""Rows become records as a mapping says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cdp.intake.errors import MappingError
from cdp.intake.mapper import RecordMapper, plan_mapping
from cdp.intake.mapping import ImportMapping, parse_mapping
from cdp.intake.rows import RefusedRowError


def record_of(toml: str, values: dict[str, Any], *, keyed: bool = False) -> dict[str, object]:
    columns = None if keyed else list(values)
    return RecordMapper(plan_mapping(parse_mapping(toml), columns)).to_record(values)


CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "constant_and_column": (
        '[record]\nsource = "crm"\nsource_record_id = "{id}"',
        {"id": " 7 "},
        {"source": "crm", "source_record_id": "7"},
    ),
    "pattern": (
        '[record.address]\nstreet = "{rua}, {num} - {compl}"',
        {"rua": "Rua A", "num": "10", "compl": "ap 2"},
        {"address": {"street": "Rua A, 10 - ap 2"}},
    ),
    "pattern_without_middle": (
        '[record.address]\nstreet = "{rua}, {num} - {compl}"',
        {"rua": "Rua A", "num": "", "compl": "ap 2"},
        {"address": {"street": "Rua A - ap 2"}},
    ),
    "pattern_without_last": (
        '[record]\nfull_name = "Sr. {nome} {sobrenome} (cliente)"',
        {"nome": "Ana", "sobrenome": " "},
        {"full_name": "Sr. Ana"},
    ),
    "pattern_without_first": (
        '[record]\nfull_name = "Sr. {nome} {sobrenome}"',
        {"nome": "", "sobrenome": "Reis"},
        {"full_name": "Reis"},
    ),
    "pattern_of_nothing": ('[record]\nphones = ["+{ddi}{tel}"]', {"ddi": "", "tel": ""}, {}),
    "key_needs_every_column": ('[record]\nsource_record_id = "{loja}-{id}"', {"loja": "", "id": "7"}, {}),
    "list_of_columns": (
        '[record]\nphones = ["{tel1}", "{tel2}", "{tel3}"]',
        {"tel1": "1", "tel2": "", "tel3": "3"},
        {"phones": ["1", "3"]},
    ),
    "split_column": (
        '[record]\nphones = ["{tels}", "{tel}"]\n[columns]\ntels = { split = "/" }',
        {"tels": "1 / 2", "tel": "3"},
        {"phones": ["1", "2", "3"]},
    ),
    "split_documents": (
        '[record]\ndocuments = [{ type = "cpf", number = "{cpfs}" }]\n[columns]\ncpfs = { split = "," }',
        {"cpfs": "1,2"},
        {"documents": [{"type": "cpf", "number": "1"}, {"type": "cpf", "number": "2"}]},
    ),
    "split_attribute": (
        '[record]\nattributes.tags = "{tags}"\n[columns]\ntags = { split = "," }',
        {"tags": "a,b"},
        {"attributes": {"tags": ["a", "b"]}},
    ),
    "entry_without_value": (
        '[record]\nhandles = [{ network = "instagram", handle = "{insta}" }]',
        {"insta": ""},
        {},
    ),
    "label_from_column": (
        '[record]\ndocuments = [{ type = "{t}", number = "{n}" }]',
        {"t": "rg", "n": "1"},
        {"documents": [{"type": "rg", "number": "1"}]},
    ),
    "chain_of_transforms": (
        '[record]\ndocuments = [{ type = "cpf", number = "{cpf}" }]\n'
        '[columns]\ncpf = ["digits", { pad = 11 }]',
        {"cpf": "1.234.567-89"},
        {"documents": [{"type": "cpf", "number": "00123456789"}]},
    ),
    "transform_that_does_not_fit": (
        '[record]\nbirth_date = "{nasc}"\n[columns]\nnasc = { date = "%d/%m/%Y" }',
        {"nasc": "1980"},
        {"birth_date": "1980"},
    ),
    "kept_columns": (
        'unmapped = "attributes"\n[record]\nsource_record_id = "{id}"\n[columns]\nvalor = "decimal_comma"',
        {"id": "1", "cor": " azul ", "vazio": "", "valor": "1,5"},
        {"source_record_id": "1", "attributes": {"cor": "azul", "valor": "1.5"}},
    ),
    "dropped_columns": (
        'unmapped = "drop"\n[record]\nsource_record_id = "{id}"',
        {"id": "1", "cor": "azul"},
        {"source_record_id": "1"},
    ),
    "known_headers_and_kept_columns": (
        'unmapped = "attributes"',
        {"id": "1", "nome": "Ana", "cor": "azul", "telefones": "1;2"},
        {"source_record_id": "1", "full_name": "Ana", "phones": ["1", "2"], "attributes": {"cor": "azul"}},
    ),
    "format_of_time": (
        'occurred_at_formats = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]\n[record]\noccurred_at = "{em}"',
        {"em": "20/11/2026"},
        {"occurred_at": "2026-11-20T00:00:00"},
    ),
    "time_in_no_format": (
        'occurred_at_formats = ["%d/%m/%Y"]\n[record]\noccurred_at = "{em}"',
        {"em": "2026-11-20T12:00Z"},
        {"occurred_at": "2026-11-20T12:00Z"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_row_becomes_a_record(name: str) -> None:
    toml, values, record = CASES[name]

    assert record_of(toml, values) == record


KEYED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "path": ('[record]\nfull_name = "{user.name}"', {"user": {"name": "Ana"}}, {"full_name": "Ana"}),
    "key_with_dot": ('[record]\nfull_name = "{user.name}"', {"user.name": "Ana"}, {"full_name": "Ana"}),
    "missing_path": ('[record]\nfull_name = "{user.name}"', {"user": "Ana"}, {}),
    "list": ('[record]\nphones = ["{fones}"]', {"fones": ["1", "2"]}, {"phones": ["1", "2"]}),
    "number_in_pattern": ('[record]\nsource_record_id = "c-{n}"', {"n": 7.0}, {"source_record_id": "c-7"}),
    "whole_group": ('[record]\naddress = "{end}"', {"end": {"city": "x"}}, {"address": {"city": "x"}}),
    "kept_keys": (
        'unmapped = "attributes"\n[record]\nsource_record_id = "{id}"',
        {"id": "1", "cor": "azul", "n": 5},
        {"source_record_id": "1", "attributes": {"cor": "azul", "n": 5}},
    ),
    "records_with_kept_keys": (
        'unmapped = "attributes"',
        {"full_name": "Ana", "cor": "azul", "attributes": {"x": 1}},
        {"full_name": "Ana", "attributes": {"cor": "azul", "x": 1}},
    ),
    "records_with_dropped_keys": (
        'unmapped = "drop"',
        {"full_name": "Ana", "cor": "a"},
        {"full_name": "Ana"},
    ),
    "records_with_transform": ('[columns]\nfull_name = "title"', {"full_name": "ANA"}, {"full_name": "Ana"}),
    "transform_of_list": (
        '[columns]\nphones = "digits"',
        {"phones": ["(1)", "2-3"]},
        {"phones": ["1", "23"]},
    ),
}


@pytest.mark.parametrize("name", KEYED)
def test_a_keyed_row_becomes_a_record(name: str) -> None:
    toml, values, record = KEYED[name]

    assert record_of(toml, values, keyed=True) == record


def test_records_pass_as_they_are_without_a_mapping() -> None:
    values = {"full_name": "Ana", "unknown": 1}

    assert RecordMapper(plan_mapping(ImportMapping(), None)).to_record(values) == values


def test_a_key_without_a_field_refuses_its_row() -> None:
    with pytest.raises(RefusedRowError, match="gives this key no field"):
        record_of('[record]\nfull_name = "{a}"', {"a": "x", "b": "y"}, keyed=True)


def test_an_object_has_no_place_in_a_pattern() -> None:
    with pytest.raises(RefusedRowError, match="a list or an object"):
        record_of('[record]\nfull_name = "{a} {b}"', {"a": {"x": 1}, "b": "y"}, keyed=True)


def test_transforms_that_do_not_fit_are_counted() -> None:
    mapping = parse_mapping('[record]\nbirth_date = "{nasc}"\n[columns]\nnasc = { date = "%Y" }')
    mapper = RecordMapper(plan_mapping(mapping, ["nasc"]))

    for text in ("1980", "x", "", "y"):
        mapper.to_record({"nasc": text})

    assert mapper.misfits == {"nasc: date": 2}


def test_keys_that_were_seen_are_remembered() -> None:
    mapping = parse_mapping('unmapped = "drop"\n[record]\nfull_name = "{a.b}"\nphones = ["{c}"]')
    mapper = RecordMapper(plan_mapping(mapping, None))

    mapper.to_record({"a": {"b": "x"}})

    assert mapper.seen_columns == {"a.b"}


UNFIT = {
    "unknown_column": (
        '[record]\nfull_name = "{nmoe}"',
        "the mapping names the column nmoe, which the file does not have (nome?); it has id, nome, fone.",
    ),
    "unknown_transform_column": ('[columns]\nCPF = "digits"', "names the column CPF, which"),
    "constant_like_a_column": (
        '[record]\nfull_name = "nome"',
        '"nome" is a constant in the mapping and a column',
    ),
    "columns_without_field": ('[record]\nfull_name = "{nome}"', "no field for the columns id, fone;"),
    "split_for_one_value": (
        '[record]\nfull_name = "{nome}"\nphones = ["{id}", "{fone}"]\n[columns]\nnome = { split = " " }',
        "full_name takes one value, and the column nome is split",
    ),
    "split_in_pattern": (
        '[record]\nfull_name = "{nome}"\nphones = ["{id}{fone}"]\n[columns]\nfone = { split = " " }',
        "the column fone is split; it must stand alone",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_mapping_that_does_not_fit_the_file_is_explained(name: str) -> None:
    toml, complaint = UNFIT[name]

    with pytest.raises(MappingError, match=re.escape(complaint)):
        plan_mapping(parse_mapping(toml), ["id", "nome", "fone"])


def test_unknown_columns_without_a_mapping_are_named() -> None:
    with pytest.raises(
        MappingError, match=r"no field for the columns cor, valor; .*unmapped = \"attributes\""
    ):
        plan_mapping(ImportMapping(), ["id", "cor", "valor"])
