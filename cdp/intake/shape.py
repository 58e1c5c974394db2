"""The shape of a record (docs/import.md): names, types and sizes of its fields. Meaning is judged elsewhere.

Pure, and the same for every way in: what passes is brought into one canonical form, whose hash tells two
versions of a record apart and settles which of two equally dated ones stands.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from typing import NamedTuple

import orjson

from cdp.intake.instants import InstantOutOfRangeError, format_instant, parse_instant
from cdp.intake.rows import RefusedRowError
from cdp.intake.spreadsheets import is_destroyed_number

RECORD_BYTES_LIMIT = 1 << 16
KEY_LIMIT = 200
LIST_LIMIT = 100
ATTRIBUTE_KEY_LIMIT = 100
DEPTH_LIMIT = 8
EXACT_FLOAT_LIMIT = 2.0**53
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)  # Whatever carries a date replaces what carries none.

DOCUMENT_TYPES = (
    "cpf",
    "cnpj",
    "nif",
    "passport",
    "ssn",
    "national_id",
    "tax_id",
    "drivers_license",
    "other",
)
KEY_FIELDS = ("source", "source_record_id", "occurred_at")
TEXT_FIELDS = ("full_name", "given_name", "family_name", "social_name", "birth_date", "gender")
TEXT_LIST_FIELDS = ("phones", "emails", "device_ids", "whatsapp_bsuids")
# Field to the keys of its entries; the last key holds the value that identifies.
OBJECT_LIST_FIELDS = {
    "handles": ("network", "handle"),
    "loyalty_ids": ("program", "number"),
    "documents": ("type", "number"),
}
# Beside the handle, the id that the network gave the page or app for the person.
SCOPED_ID = "scoped_id"
ADDRESS_FIELDS = (
    "street",
    "number",
    "complement",
    "district",
    "city",
    "region",
    "postal_code",
    "country",
)
VERIFIABLE_FIELDS = (*TEXT_LIST_FIELDS, *OBJECT_LIST_FIELDS)
RECORD_FIELDS = (
    *KEY_FIELDS,
    *TEXT_FIELDS,
    *TEXT_LIST_FIELDS,
    *OBJECT_LIST_FIELDS,
    "address",
    "attributes",
    "verified",
)


_WHOLE_SECONDS_IN_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_TEXTS = frozenset((*KEY_FIELDS, *TEXT_FIELDS))
_ADDRESS = frozenset(ADDRESS_FIELDS)


class CheckedRecord(NamedTuple):
    """A record in canonical form: `raw` is its JSON text with sorted keys, `raw_hash` 32 hex characters.

    `destroyed_count` is how many identifiers a spreadsheet had rounded: they would join strangers and go.
    """

    source: str
    source_record_id: str
    occurred_at: datetime
    values: dict[str, object]
    raw: str
    raw_hash: str
    destroyed_count: int


def check_record(
    values: Mapping[str, object],
    *,
    default_source: str | None,
    default_occurred_at: datetime | None = None,
    time_zone: tzinfo = UTC,
) -> CheckedRecord:
    """The canonical record. Raises RefusedRowError with a JSON pointer for the first thing that is wrong.

    A time without zone is in `time_zone`. Nulls, empty texts and empty lists say nothing and are left out.
    A record without a time is as old as can be (`UNDATED`), unless `default_occurred_at` dates it.
    """
    record: dict[str, object] = {}
    for field, value in values.items():
        # Plain texts are most of what comes.
        if type(value) is str and field in _TEXTS:
            if value:
                record[field] = value
            continue
        check = CHECKS.get(field)
        if check is None:
            raise _unknown_field(field, RECORD_FIELDS, f"/{_escaped(str(field))}")
        checked = None if value is None else check(value, f"/{field}")
        if checked:
            record[field] = checked
    source = _key(record, "source", default_source)
    source_record_id = _key(record, "source_record_id", None)
    if "+" in source_record_id and is_destroyed_number(source_record_id):
        message = "a spreadsheet turned the key into a rounded number; export it as text"
        raise RefusedRowError("spreadsheet_number", message, "/source_record_id")
    stated = record.get("occurred_at")
    occurred_at = _instant(stated, time_zone) or default_occurred_at
    if occurred_at is not None and not _is_canonical(stated):
        record["occurred_at"] = format_instant(occurred_at)
    raw = _encode(record)
    destroyed_count = _drop_destroyed_numbers(record) if b"E+" in raw or b"e+" in raw else 0
    if destroyed_count:
        raw = _encode(record)
    raw_hash = hashlib.blake2b(raw, digest_size=16).hexdigest()
    return CheckedRecord(
        source,
        source_record_id,
        occurred_at or UNDATED,
        values=record,
        raw=raw.decode(),
        raw_hash=raw_hash,
        destroyed_count=destroyed_count,
    )


def _is_canonical(text: object) -> bool:
    """Whether a valid time is written as format_instant would: formatting takes ten times as long as looking."""
    return isinstance(text, str) and _WHOLE_SECONDS_IN_UTC.fullmatch(text) is not None


def _drop_destroyed_numbers(record: dict[str, object]) -> int:
    """Rounded numbers among opaque ids, where no later rule could tell. Phones are judged by theirs."""
    count = 0
    for field in ("device_ids", *OBJECT_LIST_FIELDS):
        items = record.get(field)
        if not isinstance(items, list):
            continue
        kept = [item for item in items if not any(map(is_destroyed_number, _values_of(item)))]
        if len(kept) < len(items):
            count += len(items) - len(kept)
            record[field] = kept
            if not kept:
                del record[field]
    return count


def _values_of(item: object) -> list[str]:
    """What identifies in an item of a list: all but the label of an entry."""
    return [str(text) for text in list(item.values())[1:]] if isinstance(item, dict) else [str(item)]


def _instant(value: object, time_zone: tzinfo) -> datetime | None:
    if value is None:
        return None
    try:
        return parse_instant(str(value), time_zone)
    except InstantOutOfRangeError as error:
        message = "out of range: a time of a record is of the years 1900 to 9999"
        raise RefusedRowError("occurred_at", message, "/occurred_at") from error
    except ValueError as error:
        message = "not an ISO 8601 time such as 2026-11-20T12:00:00Z"
        raise RefusedRowError("occurred_at", message, "/occurred_at") from error


def _key(record: dict[str, object], field: str, default: str | None) -> str:
    value = record.get(field, default)
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise RefusedRowError("missing", f"{field} is missing", f"/{field}")
    if len(text) > KEY_LIMIT:
        raise RefusedRowError("too_long", f"{field} is longer than {KEY_LIMIT} characters", f"/{field}")
    if not text.isprintable():
        raise RefusedRowError("unprintable", f"{field} holds characters that do not print", f"/{field}")
    record[field] = text
    return text


def _encode(record: dict[str, object]) -> bytes:
    try:
        raw = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        message = "the row holds bytes or characters that are not Unicode text"
        raise RefusedRowError("encoding", message) from error
    if len(raw) > RECORD_BYTES_LIMIT:
        largest = max(record, key=lambda field: len(orjson.dumps(record[field])))
        message = (
            f"the record has {len(raw):,} bytes and may have {RECORD_BYTES_LIMIT:,}; most are of {largest}"
        )
        raise RefusedRowError("too_large", message, f"/{largest}")
    if b"\\u0000" in raw and any("\0" in text for text in _texts(record)):
        raise RefusedRowError("nul", "the row holds a NUL character")
    return raw


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _escaped(name: str) -> str:
    """A name as one step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _wrong_type(pointer: str, wanted: str) -> RefusedRowError:
    return RefusedRowError("wrong_type", f"not {wanted}", pointer)


def _unknown_field(field: object, known: Iterable[str], pointer: str) -> RefusedRowError:
    near = get_close_matches(str(field)[:60], list(known), 1, 0.6)
    hint = f"; {near[0]} is meant?" if near else ""
    return RefusedRowError("unknown_field", f"there is no such field{hint}", pointer[:120])


def _check_text(value: object, pointer: str) -> str | None:
    """A text; a whole number is taken as its digits, since exports write telephone numbers so."""
    if type(value) is str:
        return value
    if value is None:
        return None
    if type(value) is int:
        return str(value)
    raise _wrong_type(pointer, "a text")


def _check_list(value: object, pointer: str) -> list[object]:
    if not isinstance(value, list):
        raise _wrong_type(pointer, "a list")
    if len(value) > LIST_LIMIT:
        raise RefusedRowError("too_many", f"more than {LIST_LIMIT} entries", pointer)
    return value


def _check_text_list(value: object, pointer: str) -> list[str]:
    texts: list[str] = []
    for index, item in enumerate(_check_list(value, pointer)):
        text = item if type(item) is str else _check_text(item, f"{pointer}/{index}")
        if text:
            texts.append(text)
    return texts


def _check_object_list(value: object, pointer: str) -> list[dict[str, str]]:
    keys = label_key, value_key = OBJECT_LIST_FIELDS[pointer[1:]]
    entries: list[dict[str, str]] = []
    for index, item in enumerate(_check_list(value, pointer)):
        if item is None:
            continue
        label, text = _check_entry(item, keys, pointer, index)
        if text:
            entries.append({label_key: label, value_key: text})
    return entries


def _check_entry(item: object, keys: tuple[str, str], pointer: str, index: int) -> tuple[str, str]:
    """Label and value of an entry; an entry without a value is an empty one."""
    if not isinstance(item, dict):
        raise _wrong_type(f"{pointer}/{index}", "an object")
    label_key, value_key = keys
    label, text = item.get(label_key), item.get(value_key)
    if len(item) == 2 and label and text and type(label) is str and type(text) is str:
        return label, text
    if len(item) > (label_key in item) + (value_key in item):
        unknown = next(key for key in item if key not in keys)
        raise _unknown_field(unknown, keys, f"{pointer}/{index}/{_escaped(str(unknown))}")
    if type(label) is not str:
        label = _check_text(label, f"{pointer}/{index}/{label_key}") or ""
    if type(text) is not str:
        text = _check_text(text, f"{pointer}/{index}/{value_key}") or ""
    if text and not label:
        raise RefusedRowError("missing", f"{label_key} is missing", f"{pointer}/{index}/{label_key}")
    return label, text


def _check_handles(value: object, pointer: str) -> list[dict[str, str]]:
    """Handles, scoped ids, or both of one account."""
    entries: list[dict[str, str]] = []
    for index, item in enumerate(_check_list(value, pointer)):
        if item is None:
            continue
        scoped_id = None
        if isinstance(item, dict) and SCOPED_ID in item:
            scoped_id = _check_text(item[SCOPED_ID], f"{pointer}/{index}/{SCOPED_ID}")
            item = {key: each for key, each in item.items() if key != SCOPED_ID}
        network, handle = _check_entry(item, OBJECT_LIST_FIELDS["handles"], pointer, index)
        if scoped_id and not network:
            raise RefusedRowError("missing", "network is missing", f"{pointer}/{index}/network")
        named = {"network": network, "handle": handle, SCOPED_ID: scoped_id or ""}
        if handle or scoped_id:
            entries.append({key: text for key, text in named.items() if text})
    return entries


def _check_documents(value: object, pointer: str) -> list[dict[str, str]]:
    entries = _check_object_list(value, pointer)
    for index, entry in enumerate(entries):
        entry["type"] = entry["type"].strip().lower()
        if entry["type"] not in DOCUMENT_TYPES:
            message = f"a document is one of {', '.join(DOCUMENT_TYPES)}"
            raise RefusedRowError("unknown_type", message, f"{pointer}/{index}/type")
    return entries


def _check_address(value: object, pointer: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _wrong_type(pointer, "an object")
    address: dict[str, str] = {}
    for key, item in value.items():
        if key not in _ADDRESS:
            raise _unknown_field(key, ADDRESS_FIELDS, f"{pointer}/{_escaped(str(key))}")
        text = item if type(item) is str else _check_text(item, f"{pointer}/{key}")
        if text:
            address[key] = text
    return address


def _check_attributes(value: object, pointer: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _wrong_type(pointer, "an object")
    attributes: dict[str, object] = {}
    for key, item in value.items():
        if not isinstance(key, str) or not key.strip() or len(key) > ATTRIBUTE_KEY_LIMIT:
            message = f"a name of an attribute has 1 to {ATTRIBUTE_KEY_LIMIT} characters"
            raise RefusedRowError("too_long", message, pointer)
        if type(item) is not str:
            _check_free_value(item, f"{pointer}/{_escaped(key)}", 1)
        if item is not None and item != "":
            attributes[key] = item
    return attributes


def _check_free_value(value: object, pointer: str, depth: int) -> None:
    if depth > DEPTH_LIMIT:
        raise RefusedRowError("too_deep", f"nested deeper than {DEPTH_LIMIT}", pointer[:120])
    if isinstance(value, float):
        # A longer integer than JSON readers keep arrives as a float; its digits are lost already.
        if not abs(value) < EXACT_FLOAT_LIMIT:
            raise RefusedRowError("number_too_large", "send such a number as text", pointer)
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise RefusedRowError("number_too_large", "send such a number as text", pointer)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_free_value(item, f"{pointer}/{_escaped(str(key))}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_free_value(item, f"{pointer}/{index}", depth + 1)
    elif value is not None and not isinstance(value, str):
        raise _wrong_type(pointer, "a JSON value")


def _check_verified(value: object, pointer: str) -> list[str]:
    fields = _check_text_list(value, pointer)
    for index, field in enumerate(fields):
        if field not in VERIFIABLE_FIELDS:
            raise _unknown_field(field, VERIFIABLE_FIELDS, f"{pointer}/{index}")
    return sorted(set(fields))


CHECKS: dict[str, Callable[[object, str], object]] = {
    **dict.fromkeys((*KEY_FIELDS, *TEXT_FIELDS), _check_text),
    **dict.fromkeys(TEXT_LIST_FIELDS, _check_text_list),
    "handles": _check_handles,
    "loyalty_ids": _check_object_list,
    "documents": _check_documents,
    "address": _check_address,
    "attributes": _check_attributes,
    "verified": _check_verified,
}
