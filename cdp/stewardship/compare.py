"""Records side by side, a row a field: what agrees, what nearly does, and which characters differ. Pure rules.

Agreement is told for people's eyes and decides nothing: the evidence is the model's. Case and accents do not count.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rapidfuzz.distance import Levenshtein, Opcodes

from cdp.privacy.masking import HIDDEN, mask_free, mask_identifier, mask_telling, mask_value
from cdp.stewardship.raw_texts import raw_texts
from cdp.store.schema import IDENTIFIER_KINDS

EQUAL, SIMILAR, DIFFERENT, MISSING = "equal", "similar", "different", "missing"
# Of the characters of the longer text; 1980-02-29 and 1980-02-28 have 0.9, two unrelated names 0.3.
LEAST_SIMILARITY = 0.75
MASK = "•"

_SINGLE = (
    "full_name",
    "given_name",
    "family_name",
    "social_name",
    "agnomen",
    "birth_date",
    "gender",
)
_KINDS = ("document", "phone", "email", "handle", "loyalty_id", "device_id", "whatsapp_bsuid")
_ADDRESS = ("street", "number", "complement", "district", "city", "region", "postal_code", "country")


@dataclass(frozen=True)
class Side:
    """A record as it is compared. raw: as its source sent it. values: the standardized ones. identifiers: kind and
    value."""

    record_id: int
    source: str
    source_record_id: str
    raw: Mapping[str, Any]
    values: Mapping[str, Any]
    identifiers: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Span:
    text: str
    differs: bool


@dataclass(frozen=True)
class ShownValue:
    """A standardized value in pieces; their texts one after the other are the value."""

    spans: tuple[Span, ...]

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True)
class Cell:
    """What one record has in a field. verdict: against the first record that has anything. raw: None where masked."""

    record_id: int
    verdict: str
    values: tuple[ShownValue, ...]
    raw: tuple[str, ...] | None


@dataclass(frozen=True)
class ComparedField:
    """field: an attribute, a kind of identifier, 'address.city', 'attributes.occupation'. verdict: the worst of its
    cells; 'missing' where fewer than two records have it."""

    field: str
    verdict: str
    cells: tuple[Cell, ...]


def compare_sides(sides: Sequence[Side]) -> list[ComparedField]:
    """A row for each field that one of the records has, in the order people read them."""
    texts = [_texts(side) for side in sides]
    return [
        _compare(field, sides, [of_side.get(field, ()) for of_side in texts])
        for field in _in_order({field for of_side in texts for field in of_side})
    ]


def mask_comparison(fields: Iterable[ComparedField]) -> list[ComparedField]:
    """The same with what a mask hides in the place of each character; which ones differ stays visible."""
    return [
        replace(
            row,
            field=_masked_name(row.field),
            cells=tuple(_masked_cell(row.field, cell) for cell in row.cells),
        )
        for row in fields
    ]


def spans_of(text: str, other: str) -> tuple[Span, ...]:
    """The text in pieces: those that are the same in the other one, and those that are not."""
    found: list[Span] = []
    for step in _steps(_folded(text), _folded(other)):
        piece = text[step.src_start : step.src_end]
        differs = step.tag != "equal"
        if not piece:
            continue
        if found and found[-1].differs == differs:
            found[-1] = Span(found[-1].text + piece, differs)
        else:
            found.append(Span(piece, differs))
    return tuple(found)


def _steps(text: str, other: str) -> Opcodes:
    """One way from each of two texts to the other, though there may be several as short."""
    if text <= other:
        return Levenshtein.opcodes(text, other)
    return Levenshtein.opcodes(other, text).inverse()


def verdict_of(values: Sequence[str], others: Sequence[str]) -> str:
    """Of two lists: one value in common is enough to be equal."""
    if not values or not others:
        return MISSING
    best = max(_similarity(value, other) for value in values for other in others)
    if best == 1.0:
        return EQUAL
    return SIMILAR if best >= LEAST_SIMILARITY else DIFFERENT


def _compare(field: str, sides: Sequence[Side], texts: Sequence[Sequence[str]]) -> ComparedField:
    having = [place for place, values in enumerate(texts) if values]
    first = having[0]
    second = having[1] if len(having) > 1 else None
    cells = []
    for place, side in enumerate(sides):
        against = first if place != first else second
        others = () if against is None else texts[against]
        verdict = verdict_of(texts[place], others)
        if place == first and second is not None:
            verdict = EQUAL
        shown = tuple(ShownValue(_against(value, others)) for value in texts[place])
        cells.append(Cell(side.record_id, verdict, shown, raw_texts(field, side.raw)))
    return ComparedField(field, _worst([cells[place].verdict for place in having]), tuple(cells))


def _against(value: str, others: Sequence[str]) -> tuple[Span, ...]:
    """In pieces against the value that is most like it; whole where there is none."""
    if not value or not others:
        return (Span(value, False),) if value else ()
    return spans_of(value, max(others, key=lambda other: (_similarity(value, other), other)))


def _worst(verdicts: Sequence[str]) -> str:
    if len(verdicts) < 2:
        return MISSING
    return next(each for each in (DIFFERENT, SIMILAR, EQUAL) if each in verdicts)


def _similarity(one: str, other: str) -> float:
    return Levenshtein.normalized_similarity(_folded(one), _folded(other))


def _folded(text: str) -> str:
    """As many characters as the text: each without its case and accent."""
    return "".join(_fold(each) for each in text)


def _fold(character: str) -> str:
    folded = unicodedata.normalize("NFD", character)[0].casefold()
    return folded if len(folded) == 1 else character


def _texts(side: Side) -> dict[str, tuple[str, ...]]:
    """Field to its standardized values, as text."""
    found: dict[str, tuple[str, ...]] = {
        name: (str(side.values[name]),) for name in _SINGLE if side.values.get(name)
    }
    for group in ("address", "attributes"):
        for name, value in (side.values.get(group) or {}).items():
            if value not in (None, ""):
                found[f"{group}.{name}"] = (str(value),)
    for kind in IDENTIFIER_KINDS:
        of_kind = tuple(sorted(value for own, value in side.identifiers if own == kind))
        if of_kind:
            found[kind] = of_kind
    return found


def _in_order(fields: Iterable[str]) -> list[str]:
    known = [*_SINGLE, *_KINDS, *(f"address.{part}" for part in _ADDRESS)]
    place = {field: number for number, field in enumerate(known)}
    return sorted(fields, key=lambda field: (place.get(field, len(known)), field))


def _masked_name(field: str) -> str:
    """Of free attributes, which senders name as they like."""
    group, dot, name = field.partition(".")
    return f"{group}{dot}{mask_telling(name)}"


def _masked_cell(field: str, cell: Cell) -> Cell:
    return replace(cell, values=tuple(_masked(field, value) for value in cell.values), raw=None)


def _masked(field: str, value: ShownValue) -> ShownValue:
    head, tail = _visible(field, value.text)
    hidden_from, hidden_to = head, len(value.text) - tail
    spans, place = [], 0
    for span in value.spans:
        text = "".join(
            MASK if hidden_from <= number < hidden_to else each
            for number, each in enumerate(span.text, place)
        )
        spans.append(replace(span, text=text))
        place += len(span.text)
    return ShownValue(tuple(spans))


def _visible(field: str, text: str) -> tuple[int, int]:
    """How many characters the mask of the value leaves at the beginning and at the end."""
    masked = masked_text(field, text)
    if masked == text:
        return len(text), 0
    if HIDDEN in masked:
        return len(masked.partition(HIDDEN)[0]), len(masked.rpartition(HIDDEN)[2])
    # A mask that keeps the form of the value: '1980-**-**'.
    return len(masked.partition("-*")[0]), 0


def masked_text(field: str, text: str) -> str:
    """A value of a row as every other view masks it."""
    if field in IDENTIFIER_KINDS:
        return mask_identifier(field, text)
    group, dot, part = field.partition(".")
    if group == "attributes":
        return mask_free(text)
    return str(mask_value(group, {part: text})[part] if dot else mask_value(field, text))
