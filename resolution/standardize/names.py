"""Names of persons: tidy for showing, tokens for comparing; particles, titles, agnomens and initials in their places."""

import re
from dataclasses import dataclass
from functools import lru_cache

from resolution.standardize.phonetics import given_forms, phonetic_key
from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.tables import variants_of, words_of
from resolution.standardize.text import fold_text, fold_words, is_one_character

_TOKEN = re.compile(r"[^\W_]+(?:['’´`][^\W_]+)*[.°]?")
_APOSTROPHE = re.compile(r"^[do]['’´`](?=[a-z])")
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)?")
_ASIDE = re.compile(r"\([^)]*\)?|\"[^\"]*\"")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart: `shown` for people, `tokens` folded in order (initials are one letter), the agnomen."""

    shown: str
    tokens: tuple[str, ...]
    agnomen: str | None


def standardize_name(raw: str) -> Name:
    """A whole name or a part of one: 'SILVA, João da Jr.' -> 'João da Silva Jr.', (joao, silva), junior.

    Raises RefusedValueError: junk (no letters, 'Cliente', 'xxx'), household ('Família Silva'), organization, too_long.
    """
    if len(raw) > _LONGEST:
        raise RefusedValueError("too_long")
    words = _TOKEN.findall(_in_order(_ASIDE.sub(" ", raw) if "(" in raw or '"' in raw else raw))
    pairs = [(word, folded) for word in words if (folded := fold_name_token(word))]
    _refuse_junk([folded for _, folded in pairs])
    pairs = _without_titles(pairs)
    pairs, agnomen = _without_agnomen(pairs)
    particles = words_of("names", "particles")
    tokens = tuple(folded for _, folded in pairs if folded not in particles) or tuple(
        folded for _, folded in pairs
    )
    shown = " ".join(_shown(word, folded, position) for position, (word, folded) in enumerate(pairs))
    if agnomen:
        shown = f"{shown} {agnomen[0]}"
    return Name(shown, tokens, agnomen[1] if agnomen else None)


@lru_cache(maxsize=1 << 16)
def fold_name_token(word: str) -> str:
    """One word of a name, folded: "D'Ávila" -> 'avila', 'S.' -> 's', 'w8lcocks' stays, '1st' and '82' are nothing."""
    folded = _NOT_ALPHANUMERIC.sub("", _APOSTROPHE.sub(_keep_o, fold_text(word)))
    if _ORDINAL.fullmatch(folded):
        return ""
    if folded[-1:].isdigit():
        folded = folded.rstrip("0123456789")
    return folded


def _keep_o(match: re.Match[str]) -> str:
    """D' is a particle, O' is part of the name (O'Brien)."""
    return "o" if match[0][0] == "o" else ""


def _in_order(text: str) -> str:
    """'SILVA, João' -> 'João SILVA'; what follows the comma is left there when it is a rank or an agnomen."""
    before, comma, after = text.partition(",")
    if not comma:
        return text
    words = [word for word in fold_words(after[:_LONGEST]).split() if not _ORDINAL.fullmatch(word)]
    if not words or words[0] in words_of("names", "ranks") or words[0] in variants_of("names", "agnomens"):
        return f"{before} {after}"
    return f"{after} {before}"


def _refuse_junk(tokens: list[str]) -> None:
    whole = " ".join(tokens)
    if not whole or whole in words_of("names", "junk") or (is_one_character(whole) and len(whole) != 1):
        raise RefusedValueError("junk")
    if tokens[0] in words_of("names", "household_words"):
        raise RefusedValueError("household")
    if not words_of("names", "organization_words").isdisjoint(tokens):
        raise RefusedValueError("organization")


def _without_titles(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    titles, ranks = words_of("names", "titles"), words_of("names", "ranks")
    while len(pairs) > 1 and pairs[0][1] in titles:
        pairs = pairs[1:]
    if len(pairs) > 2 and any(folded in ranks for _, folded in pairs[1:]):
        pairs = [pairs[0], *(pair for pair in pairs[1:] if pair[1] not in ranks)]
    return pairs


def _without_agnomen(pairs: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], tuple[str, str] | None]:
    """The rest and (agnomen as shown, agnomen meant); a name that is nothing else keeps it."""
    if len(pairs) < 2:
        return pairs, None
    word, folded = pairs[-1]
    meant = variants_of("names", "agnomens").get(folded)
    if meant is None:
        return pairs, None
    return pairs[:-1], (_shown(word, folded, 1), meant)


@lru_cache(maxsize=1 << 16)
def _shown(word: str, folded: str, position: int) -> str:
    """The word in tidy case: particles low, words all in capitals or all in small letters with one capital."""
    lowered = word.lower()
    if position and lowered in words_of("names", "low_words"):
        return lowered
    if not (word.isupper() or word.islower()):
        return word
    if folded == "ii":
        return "II"
    if len(lowered) > 2 and lowered[1] in "'’´`":
        start = lowered[0] if lowered[0] == "d" and position else lowered[0].upper()
        return f"{start}{lowered[1]}{lowered[2:].capitalize()}"
    if lowered.startswith("mc") and len(lowered) > 4:
        return f"Mc{lowered[2:].capitalize()}"
    return lowered.capitalize()


def compose_name(given: Name | None, family: Name | None) -> Name | None:
    """One name from a given name and a family name that came apart."""
    if given is None or family is None:
        return given or family
    return Name(
        f"{given.shown} {family.shown}", given.tokens + family.tokens, family.agnomen or given.agnomen
    )


def name_words(tokens: tuple[str, ...], agnomen: str | None) -> list[str]:
    """How the name is written as a local part or handle, letters only, five or more, sorted.

    First and any surname in both orders, initial and surname, first and initial, everything together,
    first with all initials: joao da silva santos -> joaosantos, santosjoao, jsantos, joaoss, ...
    """
    if len(tokens) < 2:
        return []
    first, rest = tokens[0], tokens[1:6]
    last = rest[-1]
    words = {first + "".join(rest), first + "".join(word[0] for word in rest)}
    words.add(first[0] + "".join(word[0] for word in rest[:-1]) + last)
    for surname in rest:
        if len(surname) > 1:
            words.update(
                (first + surname, surname + first, first[0] + surname, first + surname[0], surname + first[0])
            )
    if agnomen:
        words.add(first + agnomen)
    return sorted(word for word in words if len(word) > 4 and word.isalpha())


def shown_parts(name: Name) -> tuple[str | None, str | None]:
    """The first given name and the last surname with its particles, as shown: ('João', 'da Silva')."""
    words = name.shown.split()
    if name.agnomen:
        words = words[:-1]
    if len(name.tokens) < 2 or len(words) < 2:
        return words[0] if words else None, None
    start = len(words) - 1
    while start > 1 and words[start - 1].lower() in words_of("names", "low_words"):
        start -= 1
    return words[0], " ".join(words[start:])


def linkage_of_name(name: Name, *, only_family: bool = False) -> dict[str, str | list[str]]:
    """The linkage columns of a whole name; `only_family` says that its tokens are surnames alone."""
    columns: dict[str, str | list[str]] = {}
    tokens = name.tokens
    rest = tokens
    if not only_family:
        first, rest = tokens[0], tokens[1:]
        columns["given_name"] = first
        columns["given_forms"] = list(given_forms(first))
        columns["given_sound"] = phonetic_key(first)
    last = rest[-1] if rest and len(rest[-1]) > 1 else None
    middle = rest[:-1] if last else rest
    if middle:
        columns["middle_names"] = sorted(set(middle))
    if last:
        columns["family_name"] = last
        columns["family_sound"] = phonetic_key(last)
    if sounds := sorted({phonetic_key(token) for token in rest if len(token) > 1}):
        columns["surname_sounds"] = sounds
    if len(tokens) > 1:
        columns["name_folded"] = " ".join(tokens)
        if words := name_words(tokens, name.agnomen):
            columns["name_words"] = words
    if name.agnomen:
        columns["agnomen"] = name.agnomen
    return columns
