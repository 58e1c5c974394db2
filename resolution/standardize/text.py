"""Text before any meaning: mojibake mended, blanks and control characters tidied, accents and case folded."""

import re
import unicodedata
from functools import lru_cache

import ftfy
from anyascii import anyascii

from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.tables import mojibake_pairs

# UTF-8 read as Latin-1 or Windows-1252: a lead byte shown as a letter, then a continuation byte shown as a sign.
_MOJIBAKE = re.compile(
    "[\u00c2-\u00c5\u00e2\u00e3][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


def text_of(raw: object, limit: int) -> str:
    """The raw value as tidy text of 1 to `limit` characters; raises RefusedValueError (invalid, too_long, empty).

    Whole numbers count as text, since spreadsheets make numbers of phones and documents.
    """
    if isinstance(raw, str):
        text = raw
    elif isinstance(raw, bool) or raw is None:
        raise RefusedValueError("empty" if raw is None else "invalid")
    elif isinstance(raw, int) and abs(raw) < 10**20:
        text = str(raw)
    elif isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        text = str(int(raw))
    else:
        raise RefusedValueError("invalid")
    if len(text) > limit:
        raise RefusedValueError("too_long")
    tidied = tidy_text(text)
    if not tidied:
        raise RefusedValueError("empty")
    return tidied


def tidy_text(text: str) -> str:
    """NFC, mojibake mended, control characters and runs of blanks made one blank; case and accents kept."""
    if not (text.isascii() and text.isprintable()):
        text = _mend_text(text)
    return " ".join(text.split())


def _mend_text(text: str) -> str:
    text = "".join(c if c.isprintable() else " " for c in text)
    if _MOJIBAKE.search(text):
        for broken, mended in mojibake_pairs():
            text = text.replace(broken, mended)
        text = ftfy.fix_encoding(text)
        text = "".join(c if c.isprintable() else " " for c in text)
    return unicodedata.normalize("NFC", text)


def fold_text(text: str) -> str:
    """Lower case without accents, in ASCII: 'JOÃO' -> 'joao', 'Ælfflæd' -> 'aelfflaed'."""
    return (text if text.isascii() else anyascii(text)).lower()


@lru_cache(maxsize=1 << 16)
def fold_words(text: str) -> str:
    """Folded words of letters and digits, joined by one blank: "São João d'Aliança" -> 'sao joao d alianca'."""
    return _NOT_ALPHANUMERIC.sub(" ", fold_text(text)).strip()


def fold_alphanumeric(text: str) -> str:
    """Folded letters and digits only: '01310-100' -> '01310100'."""
    return _NOT_ALPHANUMERIC.sub("", fold_text(text))


def is_one_character(text: str) -> bool:
    """True when the text repeats one character: '0000000', 'xxx'."""
    return text == text[:1] * len(text)
