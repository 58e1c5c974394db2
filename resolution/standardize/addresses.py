"""Addresses: street name without its type, house number, place names folded, postal code and its area."""

import re
from dataclasses import dataclass

from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.tables import pairs_of, words_of
from resolution.standardize.text import fold_alphanumeric, fold_text, fold_words, is_one_character, show_words

_WORD = re.compile(r"[a-z0-9]+")
_AFTER_COMMA = re.compile(r",\s*(?:n(?:o|umero|um)?\s*[.:°]?\s*)?(\d{1,6}[a-z]?)\b")
_HOUSE_NUMBER = re.compile(r"\d{1,6}[a-z]?")
_NUMBER_MARK = re.compile(r"\bs\s*[/.]\s*n\b\.?|\bn[o°]?\s*[.:°]?\s*(?=\d)")
_SHOWN_NUMBER = re.compile(r"[\s,]+(?:[nN][ºo°.]*\s*)?(\d{1,6}[A-Za-z]?)\b")
_NO_NUMBER = re.compile(r"[\s,]+s\s*/\s*n\b", re.IGNORECASE)
_JUNK = frozenset(
    (
        "nao informado",
        "nao informada",
        "nao tem",
        "na",
        "n a",
        "none",
        "null",
        "xxx",
        "teste",
        "sem endereco",
        "nao",
        "desconhecido",
    )
)


@dataclass(frozen=True, slots=True)
class Street:
    """A street line taken apart; `shown` keeps accents and type, the rest is folded."""

    shown: str
    name: str | None
    house_number: str | None
    complement: str | None


def standardize_street(raw: str, country: str) -> Street:
    """'Rua Prof. Ana de Lima, 10 ap 3' -> 'professor ana lima', number '10', complement 'ap 3'.

    In countries that write the number first (GB, US, AU, ...): '20 Mcclelland Avenue' -> 'mcclelland', '20'.
    Raises RefusedValueError: junk, too_long.
    """
    if len(raw) > 300:
        raise RefusedValueError("too_long")
    folded = fold_text(raw)
    if fold_words(raw) in _JUNK or not any(c.isalnum() for c in folded):
        raise RefusedValueError("junk")
    if country in ("GB", "US", "AU", "CA", "NZ", "IE", "ZA", "FR"):
        return _number_first(raw, _WORD.findall(folded))
    return _number_last(raw, folded)


def _number_first(raw: str, words: list[str]) -> Street:
    at = next((position for position, word in enumerate(words) if _HOUSE_NUMBER.fullmatch(word)), None)
    number = None if at is None else words[at]
    names = [word for position, word in enumerate(words) if position != at]
    shown = [word for word in raw.replace(",", " ").split() if word.lower() != number]
    if len(names) > 1 and names[-1] in words_of("addresses", "types_after"):
        names.pop()
    return Street(show_words(" ".join(shown) or raw), " ".join(names) or None, number, None)


def _number_last(raw: str, folded: str) -> Street:
    marked = _AFTER_COMMA.search(folded)
    number, complement = None, []
    if marked:
        number = marked[1]
        complement = _WORD.findall(folded[marked.end() :])
        folded = folded[: marked.start()]
    words = _WORD.findall(_NUMBER_MARK.sub(" ", folded))
    words, rest = _before_complement(words)
    complement = rest + complement
    if (
        number is None
        and len(words) > 1
        and _HOUSE_NUMBER.fullmatch(words[-1])
        and words[-2] not in ("de", "km")
    ):
        number = words.pop()
    if len(words) > 1 and words[0] in words_of("addresses", "types_before"):
        words = words[1:]
    abbreviations, particles = pairs_of("addresses", "abbreviations"), words_of("addresses", "particles")
    names = [abbreviations.get(word, word) for word in words if word not in particles]
    return Street(_shown_street(raw, number), " ".join(names) or None, number, " ".join(complement) or None)


def _shown_street(raw: str, number: str | None) -> str:
    """The line up to its house number, or up to 's/n', in tidy case."""
    if number is not None:
        found = [match for match in _SHOWN_NUMBER.finditer(raw) if match[1].lower() == number]
        raw = raw[: found[-1].start()] if found else raw
    elif "/" in raw and (unnumbered := _NO_NUMBER.search(raw)):
        raw = raw[: unnumbered.start()]
    return show_words(raw)


def _before_complement(words: list[str]) -> tuple[list[str], list[str]]:
    openers = words_of("addresses", "complements")
    for position in range(2, len(words)):
        if words[position] in openers and (
            words[position - 1][0].isdigit()
            or (position + 1 < len(words) and words[position + 1][0].isdigit())
        ):
            return words[:position], words[position:]
    if len(words) > 2 and words[-1] in openers:
        return words[:-1], words[-1:]
    return words, []


def standardize_postal_code(raw: str, country: str) -> str:
    """Letters and digits only: '01310-100' -> '01310100'; a Brazilian code of seven digits lost its zero.

    Raises RefusedValueError: junk, invalid, too_long.
    """
    if len(raw) > 24:
        raise RefusedValueError("too_long")
    code = fold_alphanumeric(raw)
    if not code or (len(code) > 4 and is_one_character(code)) or code in ("12345678", "naotem", "01234567"):
        raise RefusedValueError("junk")
    if country == "BR":
        code = code.zfill(8) if len(code) == 7 else code
        if len(code) != 8 or not code.isdigit() or code.startswith("00"):
            raise RefusedValueError("invalid")
    if country == "PT" and not (len(code) in (4, 7) and code.isdigit()):
        raise RefusedValueError("invalid")
    if not 3 <= len(code) <= 10:
        raise RefusedValueError("invalid")
    return code


def postal_area(code: str, country: str) -> str:
    """The coarse part: BR first 5, PT first 4, GB the outward code, elsewhere the first 3."""
    if country == "BR":
        return code[:5]
    if country == "PT":
        return code[:4]
    if country == "GB":
        return code[:-3] if len(code) > 4 else code
    return code[:3]


def show_postal_code(code: str, country: str) -> str:
    """The code as people write it: '01310-100', '1000-205', 'CW3 0DJ'."""
    if country == "BR":
        return f"{code[:5]}-{code[5:]}"
    if country == "PT" and len(code) == 7:
        return f"{code[:4]}-{code[4:]}"
    if country == "GB" and len(code) > 4:
        return f"{code[:-3]} {code[-3:]}".upper()
    return code.upper()


def standardize_place(raw: str) -> str:
    """A city or district folded: "São João d'Aliança" -> 'sao joao d alianca'. Raises RefusedValueError."""
    if len(raw) > 120:
        raise RefusedValueError("too_long")
    place = fold_words(raw)
    if not place or place in _JUNK or (len(place) > 2 and is_one_character(place)):
        raise RefusedValueError("junk")
    return place


def standardize_region(raw: str) -> str:
    """A state or province folded, Brazil's states by their two letters: 'São Paulo' -> 'sp'."""
    region = standardize_place(raw)
    return pairs_of("addresses", "regions").get(region, region)


def standardize_country(raw: str) -> str:
    """Two capital letters when known, else the folded words: 'Brasil' -> 'BR'."""
    country = standardize_place(raw)
    named = pairs_of("addresses", "countries").get(country)
    return named or (country.upper() if len(country) == 2 else country)
