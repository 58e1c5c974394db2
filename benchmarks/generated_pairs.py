"""Pairs of records that say anything: values of every odd kind, and of each record one that differs from it a little.

Hundreds of pairs come from a few vocabularies, so that any two values often agree and hundreds are one call of DuckDB.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from resolution import Model
from resolution.columns import LIST_COLUMNS, SCALAR_COLUMNS

Linkage = dict[str, Any]
Pair = tuple[Linkage, Linkage]

LONG_TEXT: Final = 2_000
LONG_LIST: Final = 300

NAMES: Final = ("jose", "josé", "maria", "mario", "j", "silva", "sylva", "ana reis", "joão de sá", "müller")
CODES: Final = ("+5511987654321", "+551187654321", "01310100", "cpf:123", "cpf:132", "a=1", "0", "clube:1")
ADDRESSES: Final = (
    "ana@a.example",
    "anna@a.example",
    "ana@b.example",
    "anareis",
    "ana.reis",
    "email:ana@a.example",
)
DATES: Final = (
    *("1980-02-03", "1980-03-02", "1980-01-01", "02-03", "1980", "1981-02-03", "1900-02-28"),
    # No date, or one that only some would read.
    *("1980-02-30", "1900-02-29", "0000-00-00", "0001-01-01", "9999-12-31", "9999-99-99", "10000-01-01"),
    *(
        "290309-12-22",
        "1980-2-3",
        "1980/02/03",
        "03.02.1980",
        "1980-02-03 ",
        " 1980-02-03",
        "1980-02-03T00:00:00",
    ),
    *("1980-02-03 (BC)", "-1980-02-03", "infinity", "-infinity", "epoch", "today", "19800203", "٢٠٠١-٠٢-٠٣"),
)
ODD: Final = (
    *(
        "",
        " ",
        "\t",
        "\n",
        "a\nb",
        "ana\x01reis",
        "a\x00b",
        "\x1f",
        "\x7f",
        "\x85",
        "jose\r\n",
        "\u200bana",
        "\ufeffana",
    ),
    *(
        "ß",
        "İ",
        "ı",
        "ǆ",
        "ﬁ",
        "ÀÉ ß",
        "Ω",
        "Ω",
        "李小龍",
        "عمر",
        "👩‍👧",
        "😀",
        "🇧🇷",
        "e\u0301\u0327",
        "\u0301",
    ),
    *("%", "_", "'", "''", '"', "\\", "null", "NULL", "nan", "1e400", "-0", "0x1f", "[]", "{}"),
)
_KINDS: Final[Mapping[str, Sequence[str]]] = {
    "birth_date": DATES,
    "birth_year": DATES,
    "birth_day": DATES,
    **dict.fromkeys(
        ("emails", "email_locals", "email_words", "name_words", "handles", "handle_words"), ADDRESSES
    ),
    **dict.fromkeys(("handle_locals", "claimed", "claim_digest"), ADDRESSES),
    **dict.fromkeys(
        ("postal_code", "postal_area", "house_number", "gender", "phones", "phone_variants"), CODES
    ),
    **dict.fromkeys(("loyalty_ids", "device_ids", "whatsapp_bsuids", "documents", "other_documents"), CODES),
    **dict.fromkeys(("phone_locals", "attributes"), CODES),
}


def generated_pairs(
    count: int, *, seed: int, terms: Mapping[str, Sequence[str]] | None = None, texts: Sequence[str] = ()
) -> list[Pair]:
    """Terms: values of a column that the model knows. Texts: more values for every column."""
    drawing = _Drawing(random.Random(seed), terms or {}, texts)
    return [drawing.pair() for _ in range(count)]


def known_terms(model: Model) -> dict[str, list[str]]:
    """The values that the model has a frequency of, in an order that is always the same."""
    return {column: sorted(found) for column, found in model.frequencies.items()}


class _Drawing:
    """Draws records; odd: how often a value is an odd one, absent: how often there is none."""

    def __init__(
        self, chosen: random.Random, terms: Mapping[str, Sequence[str]], texts: Sequence[str]
    ) -> None:
        self._chosen = chosen
        self._odd = [*ODD, *texts]
        self._usual = {
            column: [
                *_KINDS.get(column, NAMES),
                *chosen.sample(terms.get(column, ()), k=min(30, len(terms.get(column, ())))),
            ]
            for column in (*SCALAR_COLUMNS, *LIST_COLUMNS)
        }

    def pair(self) -> Pair:
        absent, odd = self._chosen.choice((0.1, 0.5, 0.8)), self._chosen.choice((0.0, 0.1, 0.5))
        left = self._record(absent, odd)
        right = self._record(absent, odd)
        alike = self._chosen.choice((0.0, 0.4, 0.8))
        for column, value in left.items():
            if self._chosen.random() < alike:
                right[column] = self._changed(value)
        return (left, right) if self._chosen.random() < 0.5 else (right, left)

    def _record(self, absent: float, odd: float) -> Linkage:
        record: Linkage = {}
        for column in SCALAR_COLUMNS:
            if self._chosen.random() >= absent:
                record[column] = self._text(column, odd)
        for column in LIST_COLUMNS:
            if self._chosen.random() >= absent:
                record[column] = self._list(column, odd)
        return record

    def _text(self, column: str, odd: float) -> str:
        text = self._chosen.choice(self._odd if self._chosen.random() < odd else self._usual[column])
        return self._twisted(text) if self._chosen.random() < odd else text

    def _twisted(self, text: str) -> str:
        """The text in another form, or one nobody has seen."""
        way = self._chosen.randrange(6)
        if way == 0:
            return unicodedata.normalize("NFD", text)
        if way == 1:
            return text.upper()
        if way == 2:
            return f"{text}{self._chosen.choice(self._odd)}"
        if way == 3:
            return f"{text}{self._chosen.randrange(10**6)}"
        if way == 4 and self._chosen.random() < 0.05:
            return (text * LONG_TEXT)[:LONG_TEXT]
        return text[::-1]

    def _list(self, column: str, odd: float) -> list[str | None]:
        """In any order, with repeats; now and then empty, with nulls in it, or long."""
        if self._chosen.random() < 0.005:
            return [f"{self._text(column, odd)}{number % 250}" for number in range(LONG_LIST)]
        size = self._chosen.choice((0, 1, 1, 1, 2, 3, 5) if odd else (1, 1, 2))
        found: list[str | None] = [self._text(column, odd) for _ in range(size)]
        if self._chosen.random() < odd / 2:
            found.insert(self._chosen.randint(0, len(found)), None)
        if found and self._chosen.random() < odd / 2:
            found.append(self._chosen.choice(found))
        return found

    def _changed(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._mistyped(value) if self._chosen.random() < 0.5 else value
        kept = [text for text in value if self._chosen.random() < 0.7]
        kept = [self._mistyped(text) if text and self._chosen.random() < 0.3 else text for text in kept]
        return self._chosen.sample(kept, len(kept))

    def _mistyped(self, text: str) -> str:
        """One letter too many, too few, another one, or two swapped; or the accents apart from their letters."""
        place, letter = self._chosen.randint(0, len(text)), self._chosen.choice("ae1é\u0301")
        way = self._chosen.randrange(5)
        if way == 0:
            return text[:place] + letter + text[place:]
        if way == 1:
            return text[:place] + text[place + 1 :]
        if way == 2:
            return text[:place] + letter + text[place + 1 :]
        if way == 3:
            return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]
        return unicodedata.normalize("NFD", text)
