"""Text before any meaning: mojibake mended, blanks tidied, accents and case folded, case made fit to show."""

import re
import unicodedata
from functools import lru_cache

import ftfy
from anyascii import anyascii

from resolution.standardize.tables import mojibake_pairs, words_of

# UTF-8 read as Latin-1 or Windows-1252: the lead byte shows as a letter, the next byte as a sign.
_MOJIBAKE = re.compile(
    "[\u00c2-\u00c5\u00e2\u00e3]"
    "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")
_APOSTROPHES = "'’´`"


def tidy_text(text: str) -> str:
    """NFC, mojibake mended, control characters and runs of blanks made one blank; case and accents kept."""
    if not (text.isascii() and text.isprintable()):
        text = _mend_text(text)
    return " ".join(text.split())


def _mend_text(text: str) -> str:
    if _MOJIBAKE.search(text):
        for broken, mended in mojibake_pairs():
            text = text.replace(broken, mended)
        text = ftfy.fix_encoding(text)
    if not text.isprintable():  # lone surrogates, NUL, invisible marks
        text = "".join([c if c.isprintable() else " " for c in text])
    return unicodedata.normalize("NFC", text)


def fold_text(text: str) -> str:
    """Lower case without accents, in ASCII: 'JOÃO' -> 'joao', 'Ælfflæd' -> 'aelfflaed'."""
    return (text if text.isascii() else anyascii(text)).lower()


@lru_cache(maxsize=1 << 14)
def fold_words(text: str) -> str:
    """Folded words of letters and digits, joined by one blank: "Olho d'Água" -> 'olho d agua'."""
    return _NOT_ALPHANUMERIC.sub(" ", fold_text(text)).strip()


def fold_alphanumeric(text: str) -> str:
    """Folded letters and digits only: '01310-100' -> '01310100'."""
    if not text.isascii():
        return _NOT_ALPHANUMERIC.sub("", fold_text(text))
    # What parts numbers; a pattern takes ten times as long to find it.
    plain = text.replace(".", "").replace("-", "").replace(" ", "").replace("/", "").lower()
    return plain if plain.isalnum() else _NOT_ALPHANUMERIC.sub("", plain)


def is_one_character(text: str) -> bool:
    """True when the text repeats one character: '0000000', 'xxx'."""
    return text == text[:1] * len(text)


def show_words(text: str) -> str:
    """A line in tidy case: 'RUA DAS FLORES' -> 'Rua das Flores'; words of mixed case stay as they are."""
    return " ".join([show_word(word, position > 0) for position, word in enumerate(text.split())])


@lru_cache(maxsize=1 << 16)
def show_word(word: str, inside: bool) -> str:
    """One word in tidy case; inside a name particles are low: 'DA' -> 'da', "D'ÁVILA" -> "d'Ávila"."""
    lowered = word.lower()
    if inside and lowered in words_of("names", "low_words"):
        return lowered
    if lowered in words_of("names", "roman"):
        return lowered.upper()
    if not (word.isupper() or word.islower()):
        return word
    if "-" in lowered:
        return "-".join(show_word(part, False) for part in word.split("-"))
    if len(lowered) > 2 and lowered[1] in _APOSTROPHES:
        start = "d" if lowered[0] == "d" and inside else lowered[0].upper()
        return f"{start}{lowered[1]}{lowered[2:].capitalize()}"
    if lowered.startswith("mc") and len(lowered) > 4:
        return f"Mc{lowered[2:].capitalize()}"
    return lowered.capitalize()
