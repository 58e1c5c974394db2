"""Which values a steward may pin in a golden record: each that its records give, once, by the record that gives it. A
pure rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cdp.identity.survivorship import value_form
from cdp.stewardship.compare import Side
from cdp.stewardship.pin import ATTRIBUTES


def value_choices(sides: Iterable[Side], pins: Mapping[str, int]) -> dict[str, list[Side]]:
    """Attribute to the records to choose from, in their order: where they agree there is nothing to choose. Pins:
    attribute to the record chosen so far, which stands for its value."""
    listed = list(sides)
    found: dict[str, list[Side]] = {}
    for attribute in ATTRIBUTES:
        by_form: dict[str, Side] = {}
        for side in listed:
            if value := side.values.get(attribute):
                form = value_form(value)
                if form not in by_form or pins.get(attribute) == side.record_id:
                    by_form[form] = side
        if len(by_form) > 1 or attribute in pins:
            found[attribute] = list(by_form.values())
    return found
