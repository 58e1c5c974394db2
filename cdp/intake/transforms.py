"""The closed list of column transforms. Each takes the text of one cell and gives text, or several texts.

A transform that does not fit its cell raises ValueError; the mapper keeps the cell as it was and counts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cdp.intake.spreadsheets import serial_to_iso

Transform = Callable[[str], "str | list[str]"]
Argument = str | int | tuple[str, ...] | tuple[tuple[str, str], ...] | None

PARTICLES = frozenset({"da", "de", "do", "das", "dos", "e"})
DECIMAL_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?")
TIME_DIRECTIVES = re.compile(r"%[HIMSfpXcT]")
TRUE_WORDS = frozenset({"true", "yes", "y", "sim", "s", "verdadeiro", "1", "x", "on"})
FALSE_WORDS = frozenset({"false", "no", "n", "não", "nao", "falso", "0", "off"})


@dataclass(frozen=True)
class TransformSpec:
    """A transform as the mapping names it; it can be sent to a worker, which a function cannot."""

    name: str
    argument: Argument = None


def build_transform(spec: TransformSpec) -> Transform:
    """The function for a checked spec (`check_transform`)."""
    if spec.argument is None:
        return PLAIN[spec.name]
    return WITH_ARGUMENT[spec.name](spec.argument)


def check_transform(name: str, argument: object) -> TransformSpec:
    """A spec from TOML values. Raises ValueError, with what is wrong in words."""
    if name not in PLAIN and name not in WITH_ARGUMENT:
        known = ", ".join(sorted({*PLAIN, *WITH_ARGUMENT}))
        raise ValueError(f"there is no transform {name!r}; there are {known}")
    if argument is None:
        if name not in PLAIN:
            raise ValueError(f"the transform {name} needs an argument: {{ {name} = ... }}")
        return TransformSpec(name)
    if name not in WITH_ARGUMENT:
        raise ValueError(f"the transform {name} takes no argument")
    spec = TransformSpec(name, _frozen(name, argument))
    try:
        build_transform(spec)("")
    except (re.error, TypeError, IndexError) as error:
        raise ValueError(f"the argument of {name} is wrong: {error}") from error
    except ValueError:
        pass  # The empty text need not fit; that the function could be built was the question.
    return spec


def _frozen(name: str, argument: object) -> Argument:
    if name == "pad":
        if isinstance(argument, bool) or not isinstance(argument, int) or not 1 <= argument <= 64:
            raise ValueError("pad takes a width from 1 to 64")
        return argument
    if name == "words":
        if not isinstance(argument, dict) or not all(isinstance(word, str) for word in argument.values()):
            raise ValueError('words takes a table of texts: { words = { "M" = "m" } }')
        return tuple((str(key).strip().casefold(), word) for key, word in argument.items())
    texts = [argument] if isinstance(argument, str) else argument
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} takes a text or a list of texts")
    if name == "replace" and len(texts) != 2:
        raise ValueError('replace takes two texts: { replace = ["from", "to"] }')
    if name == "extract" and len(texts) != 1:
        raise ValueError("extract takes one regular expression")
    if name == "split" and not all(texts):
        raise ValueError("split takes separators, and an empty one separates nothing")
    return tuple(texts)


def title(text: str) -> str:
    words = text.lower().split(" ")
    return " ".join(word if word in PARTICLES else word.capitalize() for word in words)


def decimal_comma(text: str) -> str:
    """`1.234,56` as `1234.56`."""
    text = text.strip()
    if not DECIMAL_COMMA.fullmatch(text):
        raise ValueError(text)
    return text.replace(".", "").replace(",", ".")


def boolean(text: str) -> str:
    word = text.strip().casefold()
    if word in TRUE_WORDS:
        return "true"
    if word in FALSE_WORDS:
        return "false"
    raise ValueError(text)


def epoch_seconds(text: str) -> str:
    return _epoch(float(text))


def epoch_milliseconds(text: str) -> str:
    return _epoch(float(text) / 1000)


def _epoch(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (OverflowError, OSError) as error:
        raise ValueError(str(seconds)) from error


def date(argument: Argument) -> Transform:
    """The first of the formats that fits: an ISO date, or an ISO time where the format tells the hour."""
    formats = _texts(argument)

    def parse(text: str) -> str:
        for pattern in formats:
            try:
                moment = datetime.strptime(text.strip(), pattern)  # noqa: DTZ007  The zone is the mapping's.
            except ValueError:
                continue
            return moment.isoformat() if TIME_DIRECTIVES.search(pattern) else moment.date().isoformat()
        raise ValueError(text)

    return parse


def split(argument: Argument) -> Transform:
    separator = re.compile("|".join(re.escape(text) for text in _texts(argument)))
    return lambda text: [part.strip() for part in separator.split(text) if part.strip()]


def extract(argument: Argument) -> Transform:
    """The first group of a regular expression, or its whole match when it has none."""
    expression = re.compile(_texts(argument)[0])

    def first_group(text: str) -> str:
        match = expression.search(text)
        if match is None:
            raise ValueError(text)
        return match.group(1 if expression.groups else 0) or ""

    return first_group


def replace(argument: Argument) -> Transform:
    old, new = _texts(argument)
    return lambda text: text.replace(old, new)


def blank(argument: Argument) -> Transform:
    """Texts that mean nothing, such as `-` or `N/A`."""
    nothing = {text.strip().casefold() for text in _texts(argument)}
    return lambda text: "" if text.strip().casefold() in nothing else text


def words(argument: Argument) -> Transform:
    """A word of theirs to a word of ours; one that is not in the table does not fit."""
    table = dict(_pairs(argument))

    def look_up(text: str) -> str:
        word = table.get(text.strip().casefold())
        if word is None:
            raise ValueError(text)
        return word

    return look_up


def pad(argument: Argument) -> Transform:
    """Zeros in front, as they stood before a spreadsheet took the text for a number."""
    width = argument if isinstance(argument, int) else 0
    return lambda text: text.strip().zfill(width) if text.strip().isdigit() else text


def _texts(argument: Argument) -> list[str]:
    return [text for text in argument if isinstance(text, str)] if isinstance(argument, tuple) else []


def _pairs(argument: Argument) -> list[tuple[str, str]]:
    return [pair for pair in argument if isinstance(pair, tuple)] if isinstance(argument, tuple) else []


PLAIN: dict[str, Transform] = {
    "strip": str.strip,
    "squeeze": lambda text: " ".join(text.split()),
    "lower": str.lower,
    "upper": str.upper,
    "title": title,
    "digits": lambda text: "".join(character for character in text if character.isdecimal()),
    "decimal_comma": decimal_comma,
    "excel_date": lambda text: serial_to_iso(text.strip()),
    "boolean": boolean,
    "epoch_seconds": epoch_seconds,
    "epoch_milliseconds": epoch_milliseconds,
}
WITH_ARGUMENT: dict[str, Callable[[Argument], Transform]] = {
    "date": date,
    "split": split,
    "extract": extract,
    "replace": replace,
    "blank": blank,
    "words": words,
    "pad": pad,
}
