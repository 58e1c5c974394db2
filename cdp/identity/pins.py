"""Pins: values that stewards chose for golden records, by the record that gave them.

Grain: one row per interval in which one ruling holds a pin. A pin goes with its record, into whatever profile that
comes; where several meet, the latest ruling counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, Select, and_, exists, insert, literal, or_, select, update

from cdp.identity.survivorship import MemberRecord, Value
from cdp.store import Instant, id_set
from cdp.store.quick import quick
from cdp.store.schema import golden_pins as pins
from cdp.store.sets import number_set, set_values


class Pin(NamedTuple):
    """opened_by: the ruling; a later one has a greater id."""

    record_id: int
    attribute: str
    value: Value
    opened_by: int


PinsByRecord = Mapping[int, Sequence[Pin]]
NO_PINS: PinsByRecord = MappingProxyType({})


def choose_pins(
    members: Iterable[MemberRecord], by_record: PinsByRecord
) -> dict[str, tuple[MemberRecord, Value]]:
    """Attribute to the record and value that its latest pin names."""
    found: dict[str, tuple[int, MemberRecord, Value]] = {}
    for member in members:
        for pin in by_record.get(member.record_id, ()):
            latest = found.get(pin.attribute)
            if latest is None or latest[0] < pin.opened_by:
                found[pin.attribute] = (pin.opened_by, member, pin.value)
    return {attribute: (member, value) for attribute, (_, member, value) in sorted(found.items())}


def select_pins(
    connection: Connection, record_ids: Collection[int], *, at: datetime | None = None
) -> PinsByRecord:
    """Those in force on the records, now or at a moment."""
    if at is None:
        bound = set_values(connection, "ids", record_ids)
        rows: Iterable[Any] = _open_of(connection.dialect.name).tuples(connection, **bound)
    else:
        held = (pins.c.valid_from <= at, or_(pins.c.valid_to.is_(None), pins.c.valid_to > at))
        rows = connection.execute(_rows().where(pins.c.record_id.in_(sorted(record_ids)), *held))
    return _by_record(rows)


def select_pins_of_each(
    connection: Connection, record_ids: Collection[int], *, at: datetime | None = None
) -> PinsByRecord:
    """Of every record asked for: of one without any, that it has none."""
    return {**dict.fromkeys(record_ids, ()), **select_pins(connection, record_ids, at=at)}


def select_all_pins(connection: Connection) -> PinsByRecord:
    """Those in force: few, each of them a person's choice."""
    return _by_record(connection.execute(_rows().where(pins.c.valid_to.is_(None))))


def select_pinned(connection: Connection, action_id: int) -> set[int]:
    """The records that a ruling pinned values of."""
    return set(connection.scalars(select(pins.c.record_id).where(pins.c.opened_by == action_id)))


def select_pins_of_rulings(connection: Connection, action_ids: Collection[int]) -> dict[int, list[Pin]]:
    """By the ruling what it pinned, whether it holds or was taken back; without those that pinned nothing."""
    wanted = id_set(connection, sorted(set(action_ids)))
    rows = connection.execute(
        _rows().join_from(wanted, pins, pins.c.opened_by == wanted.c.id).order_by(pins.c.attribute).distinct()
    )
    found: dict[int, list[Pin]] = defaultdict(list)
    for record_id, attribute, value, opened_by in rows:
        found[opened_by].append(Pin(record_id, attribute, orjson.loads(value), opened_by))
    return found


def insert_pin(connection: Connection, pin: Pin, *, now: datetime) -> None:
    row = {**pin._asdict(), "value": orjson.dumps(pin.value).decode(), "valid_from": now}
    connection.execute(insert(pins), row)


def close_pins(connection: Connection, opened_by: int, *, closed_by: int, now: datetime) -> None:
    of_ruling = (pins.c.opened_by == opened_by, pins.c.valid_to.is_(None))
    connection.execute(update(pins).where(*of_ruling).values(valid_to=now, closed_by=closed_by))


def reopen_pins(connection: Connection, opened_by: int, *, now: datetime) -> None:
    """Hold again what a ruling held."""
    held = pins.alias("held")
    in_force = exists().where(_is_same(held), held.c.valid_to.is_(None)).correlate(pins)
    kept = [pins.c[name] for name in ("record_id", "attribute", "value", "opened_by")]
    again = select(*kept, literal(now, Instant)).distinct().where(pins.c.opened_by == opened_by, ~in_force)
    names = [*(column.name for column in kept), "valid_from"]
    connection.execute(insert(pins).from_select(names, again))


def _is_same(held: Any) -> ColumnElement[bool]:
    return and_(
        held.c.record_id == pins.c.record_id,
        held.c.attribute == pins.c.attribute,
        held.c.opened_by == pins.c.opened_by,
    )


def _rows() -> Select[Any]:
    return select(pins.c.record_id, pins.c.attribute, pins.c.value, pins.c.opened_by)


@quick
def _open_of(dialect: str) -> Select[Any]:
    ids = number_set(dialect, "ids")
    return _rows().where(pins.c.record_id.in_(select(ids.c.id)), pins.c.valid_to.is_(None))


def _by_record(rows: Iterable[Sequence[Any]]) -> PinsByRecord:
    found: dict[int, list[Pin]] = defaultdict(list)
    for record_id, attribute, value, opened_by in rows:
        found[record_id].append(Pin(record_id, attribute, orjson.loads(value), opened_by))
    return found
