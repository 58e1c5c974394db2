"""Numbers as DuckDB takes them: exact decimals, doubles of IEEE 754 with NaN above all, casts from text."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal

from resolution.errors import FailedConditionError

_EXACT = Context(prec=100)

_BLANKS = r"[ \t\n\v\f\r]*"
_DIGITS = r"\d+(?:_\d+)*"
_MANTISSA = rf"(?:({_DIGITS})(?:\.({_DIGITS})?)?|\.({_DIGITS}))"
_EXPONENT = rf"[eE]([+-]?{_DIGITS})"
_WHOLE = re.compile(rf"{_BLANKS}([+-]?){_MANTISSA}(?:{_EXPONENT}\.?)?{_BLANKS}", re.ASCII)
_DOUBLE = re.compile(
    rf"{_BLANKS}(?:\+(?!\+))?([+-]?(?:{_MANTISSA}(?:{_EXPONENT})?|nan|inf|infinity)){_BLANKS}",
    re.ASCII | re.IGNORECASE,
)
_BASED = re.compile(rf"{_BLANKS}(0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[bB][01]+(?:_[01]+)*)", re.ASCII)

# The exponent of a whole number is read as one of 16 bits; beyond this much it is out of any range, or nothing.
_EXPONENT_BITS, _LARGEST_EXPONENT = 16, 400


def add_exactly(left: int | Decimal, right: int | Decimal) -> Decimal:
    return _EXACT.add(Decimal(left), Decimal(right))


def subtract_exactly(left: int | Decimal, right: int | Decimal) -> Decimal:
    return _EXACT.subtract(Decimal(left), Decimal(right))


def multiply_exactly(left: int | Decimal, right: int | Decimal) -> Decimal:
    return _EXACT.multiply(Decimal(left), Decimal(right))


def divide(left: float, right: float) -> float:
    if right:
        return left / right
    if left != left or not left:
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def divide_whole(left: int, right: int) -> int:
    """Towards zero. Raises FailedConditionError for a division by zero, as the remainder does."""
    _require_divisor(right)
    return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)


def remainder(left: int, right: int) -> int:
    """With the sign of what is divided."""
    _require_divisor(right)
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _require_divisor(number: int) -> None:
    if not number:
        raise FailedConditionError("A condition divides by zero: guard it with nullif.")


def order(number: float) -> tuple[bool, float]:
    """What doubles are compared by: NaN is equal to itself and above all."""
    return (True, 0.0) if number != number else (False, number)


def round_half_away(number: float) -> float:
    if not math.isfinite(number):
        return number
    whole = math.trunc(number)
    return float(whole if abs(number - whole) < 0.5 else whole + math.copysign(1, number))


def square_root(number: float) -> float:
    return math.sqrt(number) if number >= 0 else math.nan


def floor(number: float) -> float:
    return float(math.floor(number)) if math.isfinite(number) else number


def ceiling(number: float) -> float:
    return float(math.ceil(number)) if math.isfinite(number) else number


def whole_of_text(text: str, bits: int) -> int | None:
    """A text as a whole number of so many bits, rounded half away from zero; null where it is none."""
    if based := _BASED.fullmatch(text):
        return within(int(based[1], 0), bits)
    found = _WHOLE.fullmatch(text)
    if found is None:
        return None
    sign, whole, fraction, only_fraction, exponent_text = found.groups()
    exponent = within(int(exponent_text or 0), _EXPONENT_BITS)
    if exponent is None or within(int(whole or 0), 64) is None:
        return None
    digits = f"{whole or '0'}.{fraction or only_fraction or '0'}".replace("_", "")
    shift = max(min(exponent, _LARGEST_EXPONENT), -_LARGEST_EXPONENT)
    number = Decimal(f"{sign}{digits}e{shift}").to_integral_value(ROUND_HALF_UP)
    return within(int(number), bits)


def whole_of_double(number: float, bits: int) -> int | None:
    """Rounded half to even; null where it does not fit."""
    return within(round(number), bits) if math.isfinite(number) else None


def within(number: int, bits: int) -> int | None:
    return number if -(2 ** (bits - 1)) <= number < 2 ** (bits - 1) else None


def double_of_text(text: str) -> float | None:
    found = _DOUBLE.fullmatch(text)
    return None if found is None else float(found[1].replace("_", ""))
