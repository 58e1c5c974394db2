"""Text as DuckDB takes it: counted in code points, with the simple case mappings of Unicode."""

from __future__ import annotations

# The separators of Unicode (category Zs), which DuckDB's trim takes for blanks: tabs and line ends are none.
BLANKS = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def right(text: str, count: int) -> str:
    return text[-count:] if count else ""


def substring(text: str, start: int, length: int | None = None) -> str:
    """Counted from 1, from the end when negative; a negative length goes back from the start."""
    begin = start - 1 if start > 0 else len(text) + start if start < 0 else -1
    end = len(text) if length is None else begin + length
    if length is not None and length < 0:
        begin, end = end, begin
    return text[max(begin, 0) : max(end, 0)]


def split(text: str, separator: str) -> tuple[str, ...]:
    """Into its characters when there is no separator."""
    return tuple(text.split(separator)) if separator else tuple(text) or ("",)


def split_part(text: str, separator: str, place: int) -> str:
    """Counted from 1, from the end when negative; empty where there is no such part."""
    parts = split(text, separator)
    if place > 0:
        return parts[place - 1] if place <= len(parts) else ""
    return parts[place] if place and -place <= len(parts) else ""


def concatenate(*texts: str | None) -> str:
    """Nulls are left out."""
    return "".join(text for text in texts if text is not None)


def concatenate_with(separator: str | None, *texts: str | None) -> str | None:
    return None if separator is None else separator.join(text for text in texts if text is not None)


def replace(text: str, part: str, by: str) -> str:
    return text.replace(part, by) if part else text


def trim(text: str, characters: str = BLANKS) -> str:
    return text.strip(characters)


def trim_left(text: str, characters: str = BLANKS) -> str:
    return text.lstrip(characters)


def trim_right(text: str, characters: str = BLANKS) -> str:
    return text.rstrip(characters)


def lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(_lower_character, text))


def upper(text: str) -> str:
    return text.upper() if text.isascii() else "".join(map(_upper_character, text))


def _lower_character(character: str) -> str:
    """One for one: the dotted capital I is the only one that Python lowers to two."""
    return character.lower()[0]


def _upper_character(character: str) -> str:
    """One for one: where Python gives several letters, the title-case one if it is one."""
    if character == "ß":
        return "ẞ"
    return next((each for each in (character.upper(), character.title()) if len(each) == 1), character)
