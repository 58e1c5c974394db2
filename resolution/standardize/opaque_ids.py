"""Ids that mean nothing by themselves: loyalty numbers, devices, WhatsApp's business-scoped user ids."""

import re

from resolution.standardize.shapes import RefusedValueError
from resolution.standardize.text import fold_alphanumeric, fold_words, is_one_character

_BSUID = re.compile(r"([A-Za-z]{2})\.([A-Za-z0-9]{1,128})")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_JUNK = frozenset(
    (
        "123456",
        "12345678",
        "123456789",
        "unknown",
        "none",
        "null",
        "undefined",
        "naotem",
        "teste",
        "9774d56d682e549c",
    )
)


def standardize_loyalty_id(raw: str, program: str) -> str:
    """`program:number`, as 'clube:998877'; a missing program is 'default'. Raises RefusedValueError."""
    if len(raw) > 64:
        raise RefusedValueError("too_long")
    number = fold_alphanumeric(raw)
    if len(number) < 3 or is_one_character(number) or number in _JUNK:
        raise RefusedValueError("junk")
    return f"{fold_words(program[:40]).replace(' ', '_') or 'default'}:{number}"


def standardize_device_id(raw: str) -> str:
    """The id as it came, a UUID in lower case. Raises RefusedValueError (junk, too_long)."""
    if len(raw) > 128:
        raise RefusedValueError("too_long")
    device_id = raw.strip()
    plain = fold_alphanumeric(device_id)
    if len(plain) < 4 or is_one_character(plain) or plain in _JUNK:
        raise RefusedValueError("junk")
    return device_id.lower() if _UUID.fullmatch(device_id) else device_id


def standardize_whatsapp_bsuid(raw: str) -> str:
    """Country in capitals, a dot, up to 128 alphanumerics: 'BR.1a2B3c'. Raises RefusedValueError."""
    match = _BSUID.fullmatch(raw.strip())
    if match is None:
        raise RefusedValueError("invalid")
    return f"{match[1].upper()}.{match[2]}"


def is_whatsapp_bsuid(raw: str) -> bool:
    """True for the shape of a business-scoped user id."""
    return raw[2:3] == "." and _BSUID.fullmatch(raw) is not None
