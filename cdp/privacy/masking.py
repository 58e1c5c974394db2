"""What is shown of a value to a caller who has no reason to see it whole: pure rules, one a kind of value.

A mask keeps what lets an agent and a customer agree on which value is meant, and no more. Names and places
down to the city are not masked, unless they hold a phone or an address: which views show them is said by the views.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

HIDDEN = "***"
_MASKED_ADDRESS_PARTS = ("street", "number", "complement", "district")
_PERSONAL_DIGITS = 8
# A shorter value is in many a key by chance.
_TELLING_LETTERS = 4
_PERHAPS_TELLING = re.compile(r"[@%0-9]|[^\x00-\x7f]")
_BETWEEN_LETTERS = re.compile("[^a-z0-9]+")


def mask_identifier(kind: str, value: str) -> str:
    """'+5511987654321' -> '+55***4321', 'ana@example.com' -> 'a***@example.com'."""
    match kind:
        case "phone":
            return f"{value[:3]}{HIDDEN}{value[-4:]}" if len(value) >= 10 else HIDDEN
        case "email":
            local, _, domain = value.rpartition("@")
            return f"{local[:1]}{HIDDEN}@{domain}"
        case "handle":
            network, _, handle = value.partition(":")
            return f"{mask_telling(network)}:{handle[:1]}{HIDDEN}"
        case "document" | "loyalty_id":
            kind_of, _, number = value.partition(":")
            return f"{mask_telling(kind_of)}:{_tail(number)}"
        case _:
            return _tail(value)


def is_telling(value: object) -> bool:
    """Whether a text or a number holds an e-mail address, or digits enough for a phone or a document."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
    else:
        return False
    # Most are names and words.
    if _PERHAPS_TELLING.search(text) is None:
        return False
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    # Addresses of pages carry them escaped.
    if "%" in text:
        text = unquote(text)
    return "@" in text or sum(map(str.isdigit, text)) >= _PERSONAL_DIGITS


def mask_telling(value: Any) -> Any:
    """A scalar that is shown, unless somebody could be found by it."""
    return HIDDEN if is_telling(value) else value


def mask_source_record_id(source_record_id: str, identifiers: Iterable[tuple[str, str]] = ()) -> str:
    """Sources often use a phone, an e-mail or a document as their key: such a key shows its tail only.

    identifiers: kind and value of those of the person. A key that holds one of them is masked too; letters
    and digits alone decide, so that 'Ana-Lima' holds 'instagram:ana.lima'.
    """
    return _mask_key(source_record_id, _telling_parts(identifiers))


def mask_keys_of(identifiers: Iterable[tuple[str, str]]) -> Callable[[str], str]:
    """mask_source_record_id of one person's keys: most of their values are of the same few records."""
    telling: set[str] | None = None
    masked: dict[str, str] = {}

    def mask_key(source_record_id: str) -> str:
        nonlocal telling
        if source_record_id not in masked:
            if telling is None:
                telling = _telling_parts(identifiers)
            masked[source_record_id] = _mask_key(source_record_id, telling)
        return masked[source_record_id]

    return mask_key


def _mask_key(source_record_id: str, telling: Collection[str]) -> str:
    if is_telling(source_record_id):
        return _tail(source_record_id)
    key = _letters_and_digits(source_record_id)
    return _tail(source_record_id) if any(part in key for part in telling) else source_record_id


def mask_value(attribute: str, value: Any) -> Any:
    """One attribute of a person."""
    match attribute:
        case "birth_date":
            return mask_birth_date(value)
        case "address":
            return mask_address(value)
        case "attributes":
            return {mask_telling(name): mask_free(text) for name, text in value.items()}
        case _:
            return mask_telling(value)


def mask_birth_date(value: Any) -> Any:
    """The year; of a date that has none, nothing."""
    if isinstance(value, str) and value.startswith("-"):
        return HIDDEN
    return f"{value[:4]}-**-**" if isinstance(value, str) and len(value) > 4 else value


def mask_address(value: Mapping[str, Any]) -> dict[str, Any]:
    """Down to the city."""
    return {part: _mask_address_part(part, text) for part, text in value.items()}


def mask_free(value: Any) -> str:
    """A letter of what may be anything."""
    return f"{value[:1]}{HIDDEN}" if isinstance(value, str) else HIDDEN


def _mask_address_part(part: str, text: Any) -> Any:
    if part == "postal_code":
        return f"{str(text)[:3]}{HIDDEN}"
    return HIDDEN if part in _MASKED_ADDRESS_PARTS else mask_telling(text)


def _telling_parts(identifiers: Iterable[tuple[str, str]]) -> set[str]:
    """What of identifiers would tell them: their values without the network, program or document type before."""
    parts = set()
    for kind, value in identifiers:
        told = value.rpartition(":")[2] if kind in ("handle", "document", "loyalty_id") else value
        parts.add(told)
        if kind == "email":
            parts.add(told.partition("@")[0])
    return {folded for part in parts if len(folded := _letters_and_digits(part)) >= _TELLING_LETTERS}


def _letters_and_digits(text: str) -> str:
    if text.isascii():
        return text.lower() if text.isalnum() else _BETWEEN_LETTERS.sub("", text.lower())
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(filter(str.isalnum, decomposed))


def _tail(text: str) -> str:
    return f"{HIDDEN}{text[-3:]}" if len(text) >= _PERSONAL_DIGITS else HIDDEN
