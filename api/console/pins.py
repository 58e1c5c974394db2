"""Golden values that a steward chooses for a profile before it is made: offered in its preview, read from its forms,
told of rulings that pinned them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from api.console.numbers import is_number
from api.console.reading import MASKED, Reading, shown
from api.console.states import PageError
from api.snapshots import snapshot
from cdp.identity.pins import Pin, select_pins_of_rulings
from cdp.stewardship.compare import Side
from cdp.stewardship.compare_reads import select_sides
from cdp.stewardship.entries import select_rulings_of_entries
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pin import ATTRIBUTES
from cdp.stewardship.value_choices import value_choices

# Of larger profiles the values of the first records are offered; of others, the page of the profile pins any.
RECORDS_OFFERED = 50


@dataclass(frozen=True)
class Choice:
    """A value, masked as the page is, and the record that gives it. is_chosen: whether it is pinned."""

    record_id: int
    source: str
    value: Any
    is_chosen: bool


@dataclass(frozen=True)
class PinTold:
    """value: always masked. The record may be another person's by now than those that the page is about."""

    attribute: str
    record_id: int
    value: Any


@dataclass(frozen=True)
class PinsOffered:
    """pins: those of the preview, attribute to record. by_attribute: what may be chosen in their place, of the values
    of `offered_count` records of `record_count`."""

    pins: Mapping[str, int]
    by_attribute: Mapping[str, Sequence[Choice]]
    offered_count: int
    record_count: int


def read_pins(form: MultiDict[str, str]) -> dict[str, int] | None:
    """Of fields such as pin=full_name:12; an empty one chooses nothing. None where there is no such field. Raises
    PageError."""
    if "pin" not in form:
        return None
    pins: dict[str, int] = {}
    for each in filter(None, form.getlist("pin")):
        attribute, _colon, number = each.partition(":")
        if attribute not in ATTRIBUTES or attribute in pins or not is_number(number):
            raise PageError(
                "pin_unusable", gettext("What was chosen cannot be read as one value an attribute.")
            )
        pins[attribute] = int(number)
    return pins


def pin_fields(pins: Mapping[str, int]) -> list[str]:
    """As read_pins reads them: an empty one first, which says that none but these are chosen."""
    return ["", *(f"{attribute}:{record_id}" for attribute, record_id in sorted(pins.items()))]


def offer_pins(
    outcome: Outcome, pins: Mapping[str, int], reading: Reading, *, first: Sequence[int] = ()
) -> PinsOffered:
    """Outcome: a preview of what makes one profile. First: records of it whose values come first."""
    record_ids = {each for state in outcome.after for each in state.record_ids}
    leading = dict.fromkeys([*first, *pins.values()])
    in_order = [*leading, *sorted(record_ids - leading.keys())]
    with snapshot() as connection:
        sides = select_sides(connection, in_order[:RECORDS_OFFERED])
    choices = value_choices(sides, pins)
    shown_values = {side.record_id: _shown_values(side, reading) for side in sides}
    return PinsOffered(
        pins,
        {
            attribute: [
                Choice(
                    each.record_id,
                    each.source,
                    shown_values[each.record_id][attribute],
                    pins.get(attribute) == each.record_id,
                )
                for each in given
            ]
            for attribute, given in choices.items()
        },
        len(sides),
        len(in_order),
    )


def pins_of_rulings(connection: Any, action_ids: Collection[int]) -> dict[int, list[PinTold]]:
    """By the ruling, what it pinned."""
    found = select_pins_of_rulings(connection, action_ids)
    return {action_id: [_told(each) for each in given] for action_id, given in found.items()}


def pins_of_entries(connection: Any, entry_ids: Collection[int]) -> dict[int, list[PinTold]]:
    """By the entry of the ledger, what the ruling pinned that wrote it."""
    rulings = select_rulings_of_entries(connection, entry_ids)
    told = pins_of_rulings(connection, set(rulings.values()))
    return {entry_id: told[action_id] for entry_id, action_id in rulings.items() if action_id in told}


def _shown_values(side: Side, reading: Reading) -> dict[str, Any]:
    return _as_shown({name: side.values[name] for name in ATTRIBUTES if side.values.get(name)}, reading)


def _told(pin: Pin) -> PinTold:
    value = _as_shown({pin.attribute: pin.value}, MASKED)[pin.attribute]
    return PinTold(pin.attribute, pin.record_id, value)


def _as_shown(values: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    """Attribute to value, masked as golden ones are."""
    golden = {name: {"value": value} for name, value in values.items()}
    told, _ = shown({"golden": golden, "identifiers": []}, reading)
    return {name: each["value"] for name, each in told.items()}
