"""The mapping: which column feeds which field. Read from TOML (docs/import.md) or guessed from the headers.

A text in a mapping is a pattern: `{column}` stands for the value of that column, the rest stands for itself.
"""

from __future__ import annotations

import re
import tomllib
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cdp.intake.delimited import Dialect
from cdp.intake.encodings import KNOWN_ENCODINGS
from cdp.intake.errors import MappingError
from cdp.intake.shape import (
    ADDRESS_FIELDS,
    KEY_FIELDS,
    OBJECT_LIST_FIELDS,
    RECORD_FIELDS,
    TEXT_FIELDS,
    TEXT_LIST_FIELDS,
    VERIFIABLE_FIELDS,
)
from cdp.intake.transforms import TransformSpec, check_transform

UNMAPPED = ("attributes", "drop", "error")
DATE_ORDERS = ("dmy", "mdy", "ymd")
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
WHOLE_FIELDS = ("address", "attributes", *OBJECT_LIST_FIELDS)
MAPPING_BYTES_LIMIT = 1 << 20


@dataclass(frozen=True)
class Pattern:
    """`literals` has one text more than `columns`; they alternate. Without columns it is a constant."""

    literals: tuple[str, ...]
    columns: tuple[str, ...] = ()

    @property
    def is_one_column(self) -> bool:
        return len(self.columns) == 1 and self.literals == ("", "")


@dataclass(frozen=True)
class SourceDefaults:
    """Settings for a source that is seen for the first time; None leaves the command's default."""

    default_region: str | None = None
    default_area_code: str | None = None
    date_order: str | None = None
    trust: int | None = None
    own_domains: tuple[str, ...] = ()
    claims: bool = False


@dataclass(frozen=True)
class FieldMapping:
    """Field to pattern, for each shape of field; `whole` takes a nested column as it is.

    `texts` holds the plain fields and, by their path, those of `address` and `attributes`.
    """

    texts: Mapping[str, Pattern] = field(default_factory=dict)
    lists: Mapping[str, tuple[Pattern, ...]] = field(default_factory=dict)
    objects: Mapping[str, tuple[tuple[Pattern, Pattern], ...]] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)

    def columns(self) -> list[str]:
        """Every column that feeds something, in order, once."""
        patterns = [*self.texts.values(), *(each for several in self.lists.values() for each in several)]
        patterns += [each for entries in self.objects.values() for entry in entries for each in entry]
        names = [name for pattern in patterns for name in pattern.columns]
        return list(dict.fromkeys([*names, *self.whole.values()]))

    def constants(self) -> list[str]:
        patterns = [*self.texts.values(), *(each for several in self.lists.values() for each in several)]
        patterns += [entry[1] for entries in self.objects.values() for entry in entries]
        return [pattern.literals[0] for pattern in patterns if not pattern.columns]


@dataclass(frozen=True)
class ImportMapping:
    """A mapping file. `fields` is None when it has no [record] table: the headers or keys speak then."""

    fields: FieldMapping | None = None
    transforms: Mapping[str, tuple[TransformSpec, ...]] = field(default_factory=dict)
    unmapped: str = "error"
    time_zone: str = "UTC"
    occurred_at_formats: tuple[str, ...] = ()
    source: SourceDefaults = field(default_factory=SourceDefaults)
    dialect: Dialect = field(default_factory=Dialect)


def read_mapping(path: Path) -> ImportMapping:
    """Raises MappingError, in one line that names the file, for whatever is wrong in it."""
    try:
        if path.stat().st_size > MAPPING_BYTES_LIMIT:
            raise MappingError(f"{path}: is too large for a mapping file.")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise MappingError(f"{path}: the mapping file cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise MappingError(f"{path}: the mapping file is not UTF-8.") from error
    try:
        return parse_mapping(text)
    except MappingError as error:
        raise MappingError(f"{path}: {error}") from error


def parse_mapping(text: str) -> ImportMapping:
    """A mapping from TOML text. Raises MappingError."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise MappingError(f"not valid TOML: {error}.") from error
    known = ("unmapped", "time_zone", "occurred_at_formats", "file", "source", "record", "columns")
    _refuse_unknown(document, known, "")
    unmapped = document.get("unmapped", "error")
    if unmapped not in UNMAPPED:
        raise MappingError(f"unmapped is one of {', '.join(UNMAPPED)}, not {unmapped!r}.")
    return ImportMapping(
        fields=_parse_fields(_table(document, "record")) if "record" in document else None,
        transforms=_parse_transforms(_table(document, "columns")),
        unmapped=unmapped,
        time_zone=_parse_time_zone(document.get("time_zone", "UTC")),
        occurred_at_formats=tuple(_texts(document, "occurred_at_formats")),
        source=_parse_source(_table(document, "source")),
        dialect=_parse_dialect(_table(document, "file")),
    )


def parse_pattern(text: str, where: str) -> Pattern:
    """`{street}, {number}`; `{{` and `}}` stand for braces. Raises MappingError."""
    literals = [""]
    columns: list[str] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        literals[-1] += text[end : match.start()]
        end = match.end()
        if match[0] in ("{{", "}}"):
            literals[-1] += match[0][0]
        elif match[1]:
            columns.append(match[1])
            literals.append("")
        else:
            raise MappingError(f"{where} = {text!r}: write {{column}}, or {{{{ and }}}} for a brace itself.")
    literals[-1] += text[end:]
    return Pattern(tuple(literals), tuple(columns))


def _parse_fields(table: dict[str, Any]) -> FieldMapping:
    texts: dict[str, Pattern] = {}
    lists: dict[str, tuple[Pattern, ...]] = {}
    objects: dict[str, tuple[tuple[Pattern, Pattern], ...]] = {}
    whole: dict[str, str] = {}
    _refuse_unknown(table, RECORD_FIELDS, "record.")
    for name, value in table.items():
        where = f"record.{name}"
        if name in WHOLE_FIELDS and isinstance(value, str):
            whole[name] = _one_column(value, where)
        elif name in KEY_FIELDS or name in TEXT_FIELDS:
            texts[name] = _pattern(value, where)
        elif name in TEXT_LIST_FIELDS or name == "verified":
            values = value if isinstance(value, list) else [value]
            lists[name] = tuple(_pattern(each, where) for each in values)
        elif name in OBJECT_LIST_FIELDS:
            entries = value if isinstance(value, list) else [value]
            objects[name] = tuple(_object_patterns(each, name) for each in entries)
        else:
            _parse_group(name, value, texts)
    for pattern in lists.get("verified", ()):
        if not pattern.columns and pattern.literals[0] not in VERIFIABLE_FIELDS:
            raise MappingError(f"record.verified names one of {', '.join(VERIFIABLE_FIELDS)}.")
    return FieldMapping(texts, lists, objects, whole)


def _parse_group(name: str, value: object, texts: dict[str, Pattern]) -> None:
    """The fields of `address` and `attributes`, added to `texts` by their path."""
    if not isinstance(value, dict):
        raise MappingError(f'record.{name} is a table, or the one nested column: "{{{name}}}".')
    if name == "address":
        _refuse_unknown(value, ADDRESS_FIELDS, "record.address.")
    for key, each in value.items():
        texts[f"{name}.{key}"] = _pattern(each, f"record.{name}.{key}")


def _object_patterns(value: object, name: str) -> tuple[Pattern, Pattern]:
    label_key, value_key = OBJECT_LIST_FIELDS[name]
    if not isinstance(value, dict):
        raise MappingError(f'record.{name} is a list of {{ {label_key} = "...", {value_key} = "{{...}}" }}.')
    _refuse_unknown(value, (label_key, value_key), f"record.{name}.")
    if len(value) != 2:
        raise MappingError(f"record.{name}: each entry has {label_key} and {value_key}.")
    where = f"record.{name}."
    return _pattern(value[label_key], where + label_key), _pattern(value[value_key], where + value_key)


def _pattern(value: object, where: str) -> Pattern:
    if not isinstance(value, str):
        raise MappingError(f'{where} is a text such as "{{column}}", not {value!r}.')
    return parse_pattern(value, where)


def _one_column(text: str, where: str) -> str:
    pattern = parse_pattern(text, where)
    if not pattern.is_one_column:
        raise MappingError(f'{where} is a table, or one nested column such as "{{column}}".')
    return pattern.columns[0]


def _parse_transforms(table: dict[str, Any]) -> dict[str, tuple[TransformSpec, ...]]:
    return {column: tuple(_column_transforms(column, value)) for column, value in table.items()}


def _column_transforms(column: str, value: object) -> Iterable[TransformSpec]:
    for each in value if isinstance(value, list) else [value]:
        name, argument = each, None
        if isinstance(each, dict) and len(each) == 1:
            ((name, argument),) = each.items()
        if not isinstance(name, str):
            raise MappingError(f'columns.{column}: a transform is "name" or {{ name = argument }}.')
        try:
            yield check_transform(name, argument)
        except ValueError as error:
            raise MappingError(f"columns.{column}: {error}.") from error


def _parse_time_zone(value: object) -> str:
    try:
        return zoneinfo.ZoneInfo(str(value)).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MappingError(f"time_zone {value!r} is not known; one is America/Sao_Paulo.") from error


def _parse_source(table: dict[str, Any]) -> SourceDefaults:
    names = ("default_region", "default_area_code", "date_order", "trust", "own_domains", "claims")
    _refuse_unknown(table, names, "source.")
    region, area_code, trust = (table.get(name) for name in ("default_region", "default_area_code", "trust"))
    date_order = table.get("date_order")
    if region is not None:
        region = check_region(region)
    if area_code is not None and not (isinstance(area_code, str) and area_code.isdecimal()):
        raise MappingError('source.default_area_code is a text of digits such as "11".')
    if date_order not in (None, *DATE_ORDERS):
        raise MappingError(f"source.date_order is one of {', '.join(DATE_ORDERS)}.")
    if trust is not None and (isinstance(trust, bool) or not isinstance(trust, int) or not 0 <= trust <= 100):
        raise MappingError("source.trust is a whole number from 0 to 100.")
    own_domains = tuple(sorted({domain.strip().lower() for domain in _texts(table, "own_domains")}))
    claims = table.get("claims", False)
    if not isinstance(claims, bool):
        raise MappingError("source.claims is true or false.")
    return SourceDefaults(region, area_code, date_order, trust, own_domains, claims)


def check_region(value: object) -> str:
    """An ISO 3166 code in capitals. Raises MappingError."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z]{2}", value):
        raise MappingError(f"the default region is a code of two letters such as BR or PT, not {value!r}.")
    return value.upper()


def _parse_dialect(table: dict[str, Any]) -> Dialect:
    _refuse_unknown(table, ("encoding", "delimiter", "quote", "skip_lines", "columns"), "file.")
    encoding, delimiter, quote = (table.get(name) for name in ("encoding", "delimiter", "quote"))
    skip_lines = table.get("skip_lines", 0)
    if encoding is not None and str(encoding).lower() not in KNOWN_ENCODINGS:
        raise MappingError(f"file.encoding is one of {', '.join(KNOWN_ENCODINGS)}, not {encoding!r}.")
    for name, character in (("delimiter", delimiter), ("quote", quote)):
        if character is not None and (
            not isinstance(character, str) or len(character) != 1 or character in "\r\n\0"
        ):
            raise MappingError(f"file.{name} is one character.")
    if isinstance(skip_lines, bool) or not isinstance(skip_lines, int) or not 0 <= skip_lines <= 1000:
        raise MappingError("file.skip_lines is a whole number from 0 to 1000.")
    columns = tuple(_texts(table, "columns")) or None
    known_encoding = str(encoding).lower() if encoding is not None else None
    return Dialect(known_encoding, delimiter, quote or '"', skip_lines, columns)


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        raise MappingError(f"{name} is a table: [{name}].")
    return value


def _texts(table: dict[str, Any], name: str) -> list[str]:
    value = table.get(name, [])
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MappingError(f"{name} is a list of texts.")
    return value


def _refuse_unknown(table: Mapping[str, object], known: Iterable[str], prefix: str) -> None:
    known = list(known)
    for name in table:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.5)
            hint = f"the nearest is {prefix}{near[0]}" if near else f"there are {', '.join(known)}"
            raise MappingError(f"there is no {prefix}{name}; {hint}.")
