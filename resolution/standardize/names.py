"""Names of persons: tidy to show, tokens to compare; particles, titles and agnomens in their places."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from resolution.standardize.phonetics import given_forms, phonetic_key
from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.tables import variants_of, words_of
from resolution.standardize.text import fold_text, fold_words, is_one_character, show_word

_TOKEN = re.compile(r"[^\W_]+(?:['’´`][^\W_]+)*[.°]?")
_APOSTROPHE = re.compile(r"^[do]['’´`](?=[a-z])")
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)?")
_ASIDE = re.compile(r"\([^)]*\)?|\"[^\"]*\"")
_LONGEST = 200
# Tills keep names in fields of 30 characters; a last word of up to three letters there is a fragment.
_CUT_AT = 30
_FRAGMENT = 3


class Name(NamedTuple):
    """A name taken apart: `shown` for people, `tokens` folded (an initial is one letter), the agnomen.

    `cut` says that a narrow field cut the name off inside its last word, which is left out of the tokens.
    """

    shown: str
    tokens: tuple[str, ...]
    agnomen: str | None = None
    cut: bool = False


class _Tables(NamedTuple):
    """What every name is held against: looking each list up anew took a tenth of the time of a name."""

    junk: frozenset[str]
    junk_openers: frozenset[str]
    household_words: frozenset[str]
    organization_openers: frozenset[str]
    organization_words: frozenset[str]
    titles: frozenset[str]
    ranks: frozenset[str]
    particles: frozenset[str]
    agnomens: Mapping[str, str]


@cache
def _tables() -> _Tables:
    return _Tables(
        junk=words_of("names", "junk"),
        junk_openers=words_of("names", "junk_openers"),
        household_words=words_of("names", "household_words"),
        organization_openers=words_of("names", "organization_openers"),
        organization_words=words_of("names", "organization_words"),
        titles=words_of("names", "titles"),
        ranks=words_of("names", "ranks"),
        particles=words_of("names", "particles"),
        agnomens=variants_of("names", "agnomens"),
    )


def standardize_name(raw: str) -> Name:
    """A whole name or a part of one: 'SILVA FILHO, João da' -> 'João da Silva Filho', (joao, silva), filho.

    Raises RefusedValueError: junk (no letters, 'Cliente', 'xxx'), household ('Família Silva'), organization,
    invalid (an e-mail address), too_long.
    """
    if len(raw) > _LONGEST:
        raise RefusedValueError("too_long")
    if "@" in raw and "@" in raw.strip("@"):
        raise RefusedValueError("invalid")
    tables = _tables()
    text = _in_order(_ASIDE.sub(" ", raw) if "(" in raw or '"' in raw else raw)
    words = _words(text)
    pairs = [(word, folded) for word in words if (folded := fold_name_token(word))]
    _refuse_junk([folded for _, folded in pairs], tables)
    if len(pairs) > 1:
        pairs = _without_titles(pairs, tables, announced="," in raw or len(pairs) < len(words))
    shown = " ".join([show_word(word, position > 0) for position, (word, _) in enumerate(pairs)])
    agnomen = None
    if len(pairs) > 1:
        agnomen = tables.agnomens.get(pairs[-1][1])
        if agnomen is not None:
            pairs = pairs[:-1]
    cut = (
        len(raw) == _CUT_AT
        and text is raw
        and len(pairs) > 2
        and agnomen is None
        and len(pairs[-1][1]) <= _FRAGMENT
    )
    if cut:
        pairs = pairs[:-1]
    tokens = tuple([folded for word, folded in pairs if folded not in tables.particles or word[-1] == "."])
    return Name(shown, tokens or (pairs[0][1],), agnomen, cut)


def _words(text: str) -> list[str]:
    # Letters and blanks are most of what comes, and splitting takes a fifth of the time of the pattern.
    return text.split() if text.replace(" ", "").isalpha() else _TOKEN.findall(text)


@lru_cache(maxsize=1 << 16)
def fold_name_token(word: str) -> str:
    """One word of a name, folded: "D'Ávila" -> 'avila', 'S.' -> 's', 'w8lcocks' stays, '1st' is nothing."""
    folded = _NOT_ALPHANUMERIC.sub("", _APOSTROPHE.sub(_keep_o, fold_text(word)))
    if folded in variants_of("names", "agnomens"):
        return folded
    if _ORDINAL.fullmatch(folded):
        return ""
    return folded.rstrip("0123456789") if folded[-1:].isdigit() else folded


def _keep_o(match: re.Match[str]) -> str:
    """D' is a particle, O' is part of the name (O'Brien)."""
    return "o" if match[0][0] == "o" else ""


def _in_order(text: str) -> str:
    """'SILVA, João' -> 'João SILVA', unless a rank, an agnomen or nothing new follows the comma."""
    before, comma, after = text.partition(",")
    if not comma:
        return text
    words = [word for word in fold_words(after).split() if not _ORDINAL.fullmatch(word)]
    stays = (
        not words or words[0] in words_of("names", "ranks") or words[0] in variants_of("names", "agnomens")
    )
    if stays or set(words) <= set(fold_words(before).split()):
        return f"{before} {after}" if stays else before
    return f"{after} {before}"


def _refuse_junk(tokens: list[str], tables: _Tables) -> None:
    whole = " ".join(tokens)
    if not whole or whole in tables.junk or (len(whole) > 1 and is_one_character(whole)):
        raise RefusedValueError("junk")
    if tokens[0] in tables.junk_openers:
        raise RefusedValueError("junk")
    if tokens[0] in tables.household_words:
        raise RefusedValueError("household")
    opens = len(tokens) > 1 and tokens[0] in tables.organization_openers
    if opens or not tables.organization_words.isdisjoint(tokens):
        raise RefusedValueError("organization")


def _without_titles(
    pairs: list[tuple[str, str]], tables: _Tables, *, announced: bool
) -> list[tuple[str, str]]:
    """Without titles in front and ranks (baron, esq) at the end; anywhere if a comma or an ordinal tells."""
    titles, ranks = tables.titles, tables.ranks
    while len(pairs) > 1 and pairs[0][1] in titles:
        pairs = pairs[1:]
    if announced:
        return [pairs[0], *(pair for pair in pairs[1:] if pair[1] not in ranks)]
    while len(pairs) > 2 and pairs[-1][1] in ranks:
        pairs = pairs[:-1]
    return pairs


def compose_name(given: Name | None, family: Name | None) -> Name | None:
    """One name from a given name and a family name that came apart."""
    if given is None or family is None:
        return given or family
    return Name(
        f"{given.shown} {family.shown}", given.tokens + family.tokens, family.agnomen or given.agnomen
    )


def name_words(tokens: tuple[str, ...], agnomen: str | None) -> list[str]:
    """How the name is written as a local part or handle, letters only, five or more, sorted.

    First and any surname in both orders, initial and surname, first and initial of a surname, all together,
    all initials and the last: joao silva santos -> joaosantos, santosjoao, jsantos, joaos, jssantos, ...
    """
    first, rest = tokens[0], tokens[1:6]
    initial = first[0]
    words: list[str] = []
    for surname in rest:
        if len(surname) > 1:
            words += (first + surname, surname + first, initial + surname, first + surname[0])
    if len(rest) > 1:
        words.append(first + "".join(rest))
        words.append(initial + "".join([surname[0] for surname in rest[:-1]]) + rest[-1])
    if agnomen:
        words.append(first + agnomen)
    if not "".join(tokens).isalpha():
        words = [word for word in words if word.isalpha()]
    return sorted({word for word in words if len(word) > 4})


def shown_parts(name: Name) -> tuple[str | None, str | None]:
    """The first given name and the last surname with its particles, as shown: ('João', 'da Silva')."""
    words = name.shown.split()
    if name.agnomen:
        words = words[:-1]
    if len(name.tokens) < 2 or len(words) < 2:
        return words[0] if words else None, None
    start = len(words) - 1
    low_words = words_of("names", "low_words")
    while start > 1 and words[start - 1].lower() in low_words:
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
    last = rest[-1] if rest and len(rest[-1]) > 1 and not name.cut else None
    middle = rest[:-1] if last else rest
    if middle:
        columns["middle_names"] = sorted(set(middle)) if len(middle) > 1 else list(middle)
    if last:
        columns["family_name"] = last
        columns["family_sound"] = phonetic_key(last)
    if sounds := {phonetic_key(token) for token in rest if len(token) > 1}:
        columns["surname_sounds"] = sorted(sounds)
    if len(tokens) > 1:
        columns["name_folded"] = " ".join(tokens)
        if words := name_words(tokens, name.agnomen):
            columns["name_words"] = words
    if name.agnomen:
        columns["agnomen"] = name.agnomen
    return columns
