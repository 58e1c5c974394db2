"""The mapping file: what it may say, and what is said about a wrong one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cdp.intake.delimited import Dialect
from cdp.intake.errors import MappingError
from cdp.intake.mapping import Pattern, SourceDefaults, parse_mapping, parse_pattern, read_mapping


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("crm", Pattern(("crm",))),
        ("", Pattern(("",))),
        ("{a}", Pattern(("", ""), ("a",))),
        ("{a b}, {c}", Pattern(("", ", ", ""), ("a b", "c"))),
        ("{{a}} {b}", Pattern(("{a} ", ""), ("b",))),
        ("+{ddi}{tel}!", Pattern(("+", "", "!"), ("ddi", "tel"))),
    ],
)
def test_a_pattern_alternates_text_and_columns(text: str, pattern: Pattern) -> None:
    assert parse_pattern(text, "x") == pattern


@pytest.mark.parametrize("text", ["{", "}", "{}", "a {b", "{a}}", "{{a}"])
def test_a_pattern_with_odd_braces_is_refused(text: str) -> None:
    with pytest.raises(MappingError, match=r"write \{column\}"):
        parse_pattern(text, "x")


def test_the_example_of_the_documentation_is_valid() -> None:
    document = Path("docs/import.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)

    mappings = [parse_mapping(block) for block in blocks]

    assert mappings[0].unmapped == "attributes"
    assert mappings[1].source == SourceDefaults("BR", "11", "dmy", 80, ("loja.example.com",))
    assert mappings[1].dialect == Dialect("cp850", ";", '"', 3, ("id", "nome", "fone"))
    assert mappings[1].fields is not None
    assert "address.street" in mappings[1].fields.texts


WRONG = {
    "no_toml": ("a = ", "not valid TOML"),
    "deep_toml": ("a = " + "[" * 5000, "not valid TOML"),
    "unknown_table": ("[recrod]", "there is no recrod; the nearest is record"),
    "unknown_field": (
        '[record]\nfull_nam = "{a}"',
        "there is no record.full_nam; the nearest is record.full_name",
    ),
    "far_field": ('[record]\nzzz = "{a}"', "there is no record.zzz; there are source,"),
    "unknown_address": ('[record.address]\nstret = "{a}"', "the nearest is record.address.street"),
    "unknown_handle_key": ('[record]\nhandles = [{ network = "x", name = "{a}" }]', "no record.handles.name"),
    "half_an_entry": ('[record]\ndocuments = [{ number = "{a}" }]', "each entry has type and number"),
    "entry_as_text": ('[record]\ndocuments = ["{a}"]', "record.documents is a list of { type"),
    "number_for_pattern": ("[record]\nfull_name = 5", 'record.full_name is a text such as "{column}"'),
    "address_pattern": ('[record]\naddress = "{a}, {b}"', "or one nested column"),
    "address_number": ("[record]\naddress = 5", "record.address is a table"),
    "unknown_verified": ('[record]\nverified = ["fones"]', "record.verified names one of phones"),
    "unknown_transform": ('[columns]\na = "stripp"', "columns.a: there is no transform 'stripp'"),
    "odd_transform": ("[columns]\na = 5", "columns.a: a transform is"),
    "bad_regex": ("[columns]\na = { extract = '(' }", "columns.a: the argument of extract is wrong"),
    "unmapped": ('unmapped = "keep"', "unmapped is one of attributes, drop, error"),
    "time_zone": ('time_zone = "Brazil"', "time_zone 'Brazil' is not known"),
    "time_zone_path": ('time_zone = "../../etc/passwd"', "is not known"),
    "formats": ("occurred_at_formats = 5", "occurred_at_formats is a list of texts"),
    "record_as_text": ('record = "x"', "record is a table: [record]"),
    "region": ('[source]\ndefault_region = "Brasil"', "a code of two letters"),
    "area_code": ("[source]\ndefault_area_code = 11", "a text of digits"),
    "date_order": ('[source]\ndate_order = "dym"', "source.date_order is one of dmy, mdy, ymd"),
    "trust": ("[source]\ntrust = 101", "from 0 to 100"),
    "claims": ("[source]\nclaims = 'yes'", "source.claims is true or false"),
    "encoding": ('[file]\nencoding = "utf-7"', "file.encoding is one of utf-8"),
    "delimiter": ('[file]\ndelimiter = "||"', "file.delimiter is one character"),
    "skip_lines": ("[file]\nskip_lines = -1", "from 0 to 1000"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_mapping_is_explained(name: str) -> None:
    text, complaint = WRONG[name]

    with pytest.raises(MappingError, match=re.escape(complaint)):
        parse_mapping(text)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(None, "cannot be read", id="missing"),
        pytest.param(b"\xff\xfe\x00", "not UTF-8", id="binary"),
        pytest.param(b"#" * 2_000_000, "too large", id="large"),
        pytest.param(b"x = 1", "there is no x", id="wrong"),
    ],
)
def test_a_mapping_file_is_named_in_the_error(content: bytes | None, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(MappingError, match=complaint) as caught:
        read_mapping(path)

    assert str(path) in str(caught.value)


def test_a_region_is_written_in_capitals() -> None:
    mapping = parse_mapping('[source]\ndefault_region = "pt"')

    assert mapping.source.default_region == "PT"
