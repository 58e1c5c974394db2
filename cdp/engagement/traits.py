"""What events say of the person, added up: of each trait what was said last, of each id that it was seen. Pure rules.

A state is a plain object, stored as JSON. Merging is the same in any order and any number of times: of two values of a
trait the later stands, of two equally late ones the one that sorts last.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from cdp.canonical import canonical_json
from cdp.engagement.message import Message
from cdp.intake.rows import RefusedRowError
from cdp.intake.shape import (
    CHECKS,
    LIST_LIMIT,
    OBJECT_LIST_FIELDS,
    RECORD_BYTES_LIMIT,
    TEXT_FIELDS,
    TEXT_LIST_FIELDS,
)
from cdp.store.instants import format_instant

# Free traits and ids beyond these go, the oldest first: a record has limits, and senders of new names have none.
ATTRIBUTES_AT_MOST = 200
ATTRIBUTES_BYTES = 16 * 1024
IDS_AT_MOST = 100
TRAIT_VALUES_AT_MOST = 20
TEXT_AT_MOST = 500
# What a record that is too large does without, in this order.
_DISPENSABLE = ("attributes", *OBJECT_LIST_FIELDS, *TEXT_LIST_FIELDS)
_ATTRIBUTE = "attributes."


@dataclass(frozen=True)
class Mapped:
    """Segment's names to ours, as segment.toml says."""

    traits: Mapping[str, str]
    address: Mapping[str, str]
    external_ids: Mapping[str, str]
    device: Mapping[str, str]
    shown_properties: frozenset[str]
    shown_context: frozenset[str]


@dataclass
class Said:
    """What one message says. values: field of the record, or attributes.NAME, to its value, None for taken back.
    held: (field, label, value) of the ids it carries."""

    values: dict[str, Any] = field(default_factory=dict)
    held: set[tuple[str, str, str]] = field(default_factory=set)


@cache
def mapping() -> Mapped:
    tables = tomllib.loads(files("cdp.engagement").joinpath("segment.toml").read_text("utf-8"))
    return Mapped(
        tables["traits"],
        tables["address"],
        tables["external_ids"],
        tables["device"],
        frozenset(tables["shown"]["properties"]),
        frozenset(tables["shown"]["context"]),
    )


def read_traits(message: Message) -> Said:
    """What cannot be a value of its field is left to the event."""
    said = Said()
    context = message.context
    _take_traits(said, context.get("traits"))
    if message.kind == "identify":
        _take_traits(said, message.properties)
    if message.kind == "group":
        _take_company(said, message.properties)
    _take_external_ids(said, context.get("externalIds"))
    device = context.get("device")
    if isinstance(device, Mapping):
        for name, target in mapping().device.items():
            _hold(said, target, "", device.get(name))
    if message.anonymous_id is not None:
        _hold(said, "device_ids", "", message.anonymous_id)
    return said


def add_up(messages: Iterable[tuple[Said, datetime]]) -> dict[str, Any]:
    """The state of all that was said, each with when."""
    state = empty_state()
    for said, occurred_at in messages:
        merge(state, said, occurred_at)
    return state


def empty_state() -> dict[str, Any]:
    return {"first_at": None, "values": {}, "held": []}


def merge(state: dict[str, Any], said: Said, occurred_at: datetime) -> None:
    """Add to a state what was said at a time."""
    at = format_instant(occurred_at)
    state["first_at"] = at if state["first_at"] is None else min(state["first_at"], at)
    values: dict[str, list[Any]] = state["values"]
    for name, value in said.values.items():
        known = values.get(name)
        if known is None or (known[0], canonical_json(known[1])) < (at, canonical_json(value)):
            values[name] = [at, value]
    # By the day: an id that is seen with every message is not written with every message.
    held = {tuple(entry[:3]): entry[3] for entry in state["held"]}
    for entry in said.held:
        held[entry] = max(held.get(entry, ""), at[:10])
    newest = sorted(held.items(), key=lambda each: (each[1], each[0]), reverse=True)[:IDS_AT_MOST]
    state["held"] = sorted([*entry, day] for entry, day in newest)
    _forget_old_attributes(values)


def record_values(state: Mapping[str, Any], source: str, source_record_id: str) -> dict[str, Any]:
    """The record that a state makes: always one that can be taken in."""
    values = {name: entry for name, entry in state["values"].items() if entry[1] is not None}
    record: dict[str, Any] = {
        "source": source,
        "source_record_id": source_record_id,
        "occurred_at": max([at for at, _ in values.values()], default=state["first_at"]),
    }
    for name, (_, value) in sorted(values.items()):
        if isinstance(value, list) and not name.startswith(_ATTRIBUTE):
            record.setdefault(name.partition(":")[0], []).extend(value)
        elif not name.startswith(_ATTRIBUTE):
            record[name] = value
    for target, label, value, _ in sorted(state["held"], key=lambda each: (each[3], each), reverse=True):
        listed = record.setdefault(target, [])
        entry = _entry(target, label, value)
        if entry not in listed and len(listed) < LIST_LIMIT:
            listed.append(entry)
    record["attributes"] = _attributes(values)
    for name in _DISPENSABLE:
        if len(orjson.dumps(record)) > RECORD_BYTES_LIMIT:
            record.pop(name, None)
    return record


def _take_traits(said: Said, traits: object) -> None:
    if not isinstance(traits, Mapping):
        return
    for name, value in traits.items():
        target = mapping().traits.get(name)
        if target is None:
            _take_attribute(said, name, value)
            continue
        target, _, label = target.partition(":")
        found = None if value is None else _value_of(target, label, value)
        if value is None or found is not None:
            said.values[target if not label else f"{target}:{label}"] = found


def _take_company(said: Said, properties: Mapping[str, Any]) -> None:
    _take_attribute(said, "company", {"id": properties["groupId"], **properties["traits"]})


def _take_attribute(said: Said, name: str, value: Any) -> None:
    # Segment tells of a company by an object; whoever reads a profile wants its name.
    if name == "company" and isinstance(value, Mapping):
        value = _text(value.get("name")) or _text(value.get("id"))
    if value is None or _is_one("attributes", {name: value}):
        said.values[f"{_ATTRIBUTE}{name}"] = value


def _value_of(target: str, label: str, value: Any) -> Any:
    """The trait as a value of its field; None where it is none."""
    if target == "address":
        return _address(value)
    if target in TEXT_FIELDS:
        return _text(value)
    texts = [text for text in map(_text, value if isinstance(value, list) else [value]) if text]
    entries = [_entry(target, label, text) for text in texts[:TRAIT_VALUES_AT_MOST]]
    return entries if entries and _is_one(target, entries) else None


def _address(value: Any) -> dict[str, str] | None:
    if not isinstance(value, Mapping):
        text = _text(value)
        return {"street": text} if text else None
    parts = {ours: _text(value.get(theirs)) for theirs, ours in mapping().address.items()}
    return {name: text for name, text in parts.items() if text} or None


def _take_external_ids(said: Said, listed: object) -> None:
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, Mapping) or each.get("encoding") not in (None, "none"):
            continue
        kind = each.get("type")
        if not isinstance(kind, str) or each.get("collection") not in (None, "users"):
            continue
        head, colon, label = kind.partition(":")
        target = mapping().external_ids.get(f"{head}:" if colon else kind)
        if target is not None:
            target, _, fixed = target.partition(":")
            _hold(said, target, fixed or label, each.get("id"))


def _hold(said: Said, target: str, label: str, value: object) -> None:
    text = _text(value)
    if (
        text
        and (label or target not in OBJECT_LIST_FIELDS)
        and _is_one(target, [_entry(target, label, text)])
    ):
        said.held.add((target, label, text))


def _entry(target: str, label: str, text: str) -> Any:
    if target in TEXT_LIST_FIELDS:
        return text
    label_key, value_key = OBJECT_LIST_FIELDS[target]
    return {label_key: label, value_key: text}


def _text(value: object) -> str | None:
    """What can be told as a text of moderate length."""
    if type(value) not in (str, int):
        return None
    text = str(value).strip()
    return text if 0 < len(text) <= TEXT_AT_MOST else None


def _is_one(target: str, value: object) -> bool:
    try:
        return bool(CHECKS[target](value, f"/{target}"))
    except RefusedRowError:
        return False


def _forget_old_attributes(values: dict[str, list[Any]]) -> None:
    names = [name for name in values if name.startswith(_ATTRIBUTE)]
    if len(names) > ATTRIBUTES_AT_MOST:
        names.sort(key=lambda name: (values[name][0], name))
        for name in names[: len(names) - ATTRIBUTES_AT_MOST]:
            del values[name]


def _attributes(values: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The newest, as far as there is room for them."""
    room = ATTRIBUTES_BYTES
    attributes = {}
    names = [name for name in values if name.startswith(_ATTRIBUTE)]
    for name in sorted(names, key=lambda name: (values[name][0], name), reverse=True):
        size = len(orjson.dumps(values[name][1])) + len(name)
        if size <= room:
            room -= size
            attributes[name.removeprefix(_ATTRIBUTE)] = values[name][1]
    return attributes
