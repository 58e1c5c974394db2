"""How names sound and are spelled in Portuguese: a phonetic key, and one spelling per family of spellings."""

import re
from functools import lru_cache

from resolution.standardize.tables import names_with_nicknames, nicknames, pairs_of, variants_of

# Applied in this order to a folded token; what two spellings of one sound share comes out equal.
_SOUND_RULES = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"[^a-z]", ""),
        (r"ph", "f"),
        (r"sch|sh|ch(?=[aeiouy])", "x"),
        (r"ch", "k"),
        (r"sc(?=[eiy])|ss", "s"),
        (r"c(?=[eiy])", "s"),
        (r"qu(?=[eiy])|q|ck|c", "k"),
        (r"gu(?=[eiy])", "G"),
        (r"g(?=[eiy])", "j"),
        (r"lh", "li"),
        (r"nh", "ni"),
        (r"h", ""),
        (r"w", "v"),
        (r"y", "i"),
        (r"z", "s"),
        (r"m(?=[^aeiou]|$)", "n"),
        (r"e", "i"),
        (r"o", "u"),
        (r"(.)\1+", r"\1"),
    )
)

_SPELLING_RULES = tuple(
    (re.compile(pattern), spelling)
    for pattern, spelling in (
        (r"ph", "f"),
        (r"th", "t"),
        (r"(?<=[a-z])h(?=[^aeiouy]|$)", ""),
        (r"(?<=[^clnst])(?<=[a-z])h", ""),
        (r"w", "v"),
        (r"y", "i"),
        (r"ck|k", "c"),
        (r"(?<=[a-z])z", "s"),
        (r"g(?=[ei])", "j"),
        (r"n(?=[bp])", "m"),
        (r"(.)\1+", r"\1"),
    )
)


@lru_cache(maxsize=1 << 16)
def phonetic_key(token: str) -> str:
    """Sound of a folded token, vowels kept so that Joao and Joana stay apart: 'souza' and 'sousa' -> 'susa'.

    Source: our own rules after the spelling families of IDENTIFIERS; w->v, y->i, ph->f, th->t, z/s, ss/c,
    lh, nh, silent h; e/i and o/u are one vowel, doubled letters one letter. An empty key means no letters.
    """
    for pattern, sound in _SOUND_RULES:
        token = pattern.sub(sound, token)
    return token.lower()


@lru_cache(maxsize=1 << 16)
def spelling_form(token: str) -> str:
    """The spelling that stands for its family: 'luiz' -> 'luis', 'philippe' -> 'felipe'."""
    families = variants_of("names", "spellings")
    if token in families:
        return families[token]
    for pattern, spelling in _SPELLING_RULES:
        token = pattern.sub(spelling, token)
    return families.get(token, token)


@lru_cache(maxsize=1 << 16)
def given_forms(token: str) -> tuple[str, ...]:
    """Sorted spelling forms of what a folded given name may stand for, itself included: 'ze' -> jose, ze."""
    token = pairs_of("names", "abbreviations").get(token, token)
    meant = nicknames().get(token, ())
    if not meant and token not in names_with_nicknames():
        meant = nicknames().get(spelling_form(token), ())
    return tuple(sorted({spelling_form(token), *map(spelling_form, meant)}))
