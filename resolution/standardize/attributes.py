"""Gender and free attributes."""

from collections.abc import Mapping

from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.tables import pairs_of, words_of
from resolution.standardize.text import fold_words

MOTHER_NAME_KEYS = ("mother_name", "nome_mae", "nome_da_mae")
ATTRIBUTES_AT_MOST = 32
_LONGEST_VALUE = 64


def standardize_gender(raw: str) -> str:
    """'m', 'f' or 'x' from what sources write. Raises RefusedValueError: junk (not informed), invalid."""
    word = fold_words(raw[:40])
    gender = pairs_of("attributes", "genders").get(word)
    if gender is None:
        raise RefusedValueError("junk" if word in words_of("attributes", "unknown") else "invalid")
    return gender


def standardize_attribute(value: str, key: str) -> str:
    """'key=value' folded, the value cut at 64 characters. Raises RefusedValueError (junk)."""
    name, word = fold_words(key[:64]).replace(" ", "_"), fold_words(value[:400])
    if not name or not word or word in words_of("attributes", "unknown"):
        raise RefusedValueError("junk")
    return f"{name}={word[:_LONGEST_VALUE].rstrip()}"


def mother_name_of(attributes: Mapping[str, object]) -> tuple[str, object] | None:
    """(key, raw name) of the mother's name, whichever of its keys the source uses."""
    for key in MOTHER_NAME_KEYS:
        if attributes.get(key) is not None:
            return key, attributes[key]
    return None
