"""One record on its way through standardization: what was accepted, and what was refused and why."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from resolution.standardize.shapes import Identifier, Refusal, StandardizedRecord
from resolution.standardize.text import tidy_text

LIST_AT_MOST = 50
VALUE_AT_MOST = 320
_NOTHING = frozenset[str]()

T = TypeVar("T")


class Reason(str):
    """Why a value was refused, in the place of the value; 'empty' stands for no value at all."""

    __slots__ = ()


class Draft:
    """The parts of a StandardizedRecord while they are gathered."""

    __slots__ = ("identifiers", "linkage", "record", "refusals", "values", "verified")

    def __init__(self, record: Mapping[str, object]) -> None:
        self.record = record
        self.values: dict[str, Any] = {}
        self.linkage: dict[str, str | list[str]] = {}
        self.identifiers: dict[tuple[str, str], Identifier] = {}
        self.refusals: list[Refusal] = []
        named = record.get("verified")
        self.verified = (
            frozenset([word for word in named[:LIST_AT_MOST] if isinstance(word, str)])
            if isinstance(named, list | tuple)
            else _NOTHING
        )

    def finish(self) -> StandardizedRecord:
        return StandardizedRecord(
            self.values, tuple(self.identifiers.values()), self.linkage, tuple(self.refusals)
        )

    def accept(self, rule: Callable[..., T | Reason], raw: object, pointer: str, *rest: object) -> T | None:
        """What the rule makes of a raw value, or None after noting why; an empty value is just nothing."""
        outcome: T | Reason
        if type(raw) is str and len(raw) <= VALUE_AT_MOST:
            outcome = rule(raw, *rest)
        else:
            text = _text_of(raw)
            outcome = text if type(text) is Reason else rule(text, *rest)
        if not isinstance(outcome, Reason):
            return outcome
        if outcome != "empty":
            self.refuse(pointer, outcome)
        return None

    def refuse(self, pointer: str, reason: str) -> None:
        self.refusals.append(Refusal(pointer, str(reason)))

    def items(self, field: str) -> Iterable[tuple[str, object]]:
        """Pointer and raw item of a list field; a lone value counts as a list of one; 50 at most."""
        raw = self.record.get(field)
        if type(raw) is not list and not isinstance(raw, list | tuple):
            return [] if raw is None else [(f"/{field}", raw)]
        if len(raw) > LIST_AT_MOST:
            self.refuse(f"/{field}/{LIST_AT_MOST}", "too_many")
        return zip(_pointers(field), raw, strict=False)

    def is_verified(self, field: str, pointer: str) -> bool:
        """True when `verified` of the record names the field ('phones') or the item ('/phones/0')."""
        return bool(self.verified) and (field in self.verified or pointer in self.verified)

    def identify(self, kind: str, value: str, verified: bool, variant: str | None = None) -> None:
        """Note an identifier once; a verified mention beats an unverified one."""
        key = (kind, value)
        known = self.identifiers.get(key)
        if known is None or (verified and not known.verified):
            self.identifiers[key] = Identifier(kind, value, variant, verified)

    def put_list(self, column: str, values: Iterable[str]) -> None:
        """A linkage column of distinct values, sorted; no column when there are none."""
        if values:
            self.linkage[column] = sorted(values)


def typed_parts(item: object, type_key: str, value_key: str) -> tuple[str, object]:
    """Type and raw value of an item such as {"network": ..., "handle": ...}; a lone value has no type."""
    # Asking for the exact type first takes a tenth of the time of asking a Mapping whether it is one.
    if type(item) is not dict and not isinstance(item, Mapping):
        return "", item
    named = item.get(type_key)
    return tidy_text(named[:64]) if isinstance(named, str) else "", item.get(value_key)


@lru_cache(maxsize=64)
def _pointers(field: str) -> tuple[str, ...]:
    """The JSON pointers of a list's items, as many as are looked at."""
    return tuple([f"/{field}/{position}" for position in range(LIST_AT_MOST)])


def _text_of(raw: object) -> str:
    """Text of a raw value that is not a short string; spreadsheets make numbers of phones and documents."""
    if raw is None:
        return Reason("empty")
    if isinstance(raw, str):
        return str(raw) if len(raw) <= VALUE_AT_MOST else Reason("too_long")
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**20:
        return str(raw)
    if isinstance(raw, float) and abs(raw) < 1e15 and raw.is_integer():
        return str(int(raw))
    return Reason("invalid")
