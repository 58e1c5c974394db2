"""Documents: CPF, CNPJ and NIF by their check digits; every other type as written, strong but fallible."""

from functools import lru_cache

from stdnum.br import cnpj
from stdnum.exceptions import ValidationError
from stdnum.pt import nif

from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.tables import pairs_of, words_of
from resolution.standardize.text import fold_alphanumeric, fold_words, is_one_character

# Two different values of one of these never belong to one person. A CNPJ is a company's.
EXCLUSIVE_TYPES = frozenset(("cpf", "nif"))


def standardize_document(raw: str, document_type: str) -> str:
    """`type:number`, as 'cpf:39053344705'; an unknown type counts as `other`.

    Raises RefusedValueError: junk, invalid (check digits or length), too_long.
    """
    if len(raw) > 64:
        raise RefusedValueError("too_long")
    kind = _document_type(document_type)
    number = fold_alphanumeric(raw)
    if not number or is_one_character(number) or number in words_of("documents", "junk_numbers"):
        raise RefusedValueError("junk")
    if kind == "cpf":
        return f"cpf:{_cpf(number)}"
    if kind == "cnpj":
        return f"cnpj:{_cnpj(number)}"
    if kind == "nif":
        return f"nif:{_nif(number)}"
    if len(number) < 4:
        raise RefusedValueError("invalid")
    return f"{kind}:{number}"


def is_cpf(digits: str) -> bool:
    """True for eleven digits whose two check digits hold (weights 10..2 and 11..2, modulo 11)."""
    if len(digits) != 11 or not (digits.isdigit() and digits.isascii()):
        return False
    # Codes in place of digits, 48 too much each: a tenth of the time of eleven calls of int().
    a, b, c, d, e, f, g, h, i, check_1, check_2 = digits.encode()
    first = 10 * a + 9 * b + 8 * c + 7 * d + 6 * e + 5 * f + 4 * g + 3 * h + 2 * i - 54 * 48
    if first * 10 % 11 % 10 != check_1 - 48:
        return False
    second = first + a + b + c + d + e + f + g + h + i + 2 * check_1 - 11 * 48
    return second * 10 % 11 % 10 == check_2 - 48


@lru_cache(maxsize=256)
def _document_type(raw: str) -> str:
    kind = fold_words(raw[:40]).replace(" ", "_")
    kind = pairs_of("documents", "type_aliases").get(kind, kind)
    return kind if kind in words_of("documents", "types") else "other"


def _cpf(number: str) -> str:
    """Spreadsheets drop leading zeros, so eight to ten digits are filled up; the check digits then decide."""
    digits = number.zfill(11) if 8 <= len(number) <= 11 else number
    if digits in words_of("documents", "junk_cpf") or is_one_character(digits):
        raise RefusedValueError("junk")
    if not is_cpf(digits):
        raise RefusedValueError("invalid")
    return digits


def _cnpj(number: str) -> str:
    try:
        return str(cnpj.validate(number.upper().zfill(14)))
    except (ValidationError, ValueError):
        raise RefusedValueError("invalid") from None


def _nif(number: str) -> str:
    number = number.removeprefix("pt")
    if number in words_of("documents", "junk_nif"):
        raise RefusedValueError("junk")
    try:
        return str(nif.validate(number))
    except (ValidationError, ValueError):
        raise RefusedValueError("invalid") from None
