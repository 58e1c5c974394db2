"""The masks that fields of answers name (`api/fields.py`): what is shown of a value, in a rule and in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cdp.engagement.event_masking import mask_context, mask_properties
from cdp.privacy.masking import (
    mask_address,
    mask_birth_date,
    mask_free,
    mask_identifier,
    mask_source_record_id,
    mask_telling,
    mask_value,
)

# Reads what stands beside the value in its document, by name.
Read = Callable[..., Any]
# Masks the keys by which sources know the person that the document is of.
MaskKey = Callable[[str], str]
Rule = Callable[[Any, Read, MaskKey], Any]


@dataclass(frozen=True)
class Mask:
    """name, told: as the description has them. rule: None for what everybody is shown alike."""

    name: str
    told: str
    rule: Rule | None


SHOWN = Mask("shown", "As it is.", None)
TEXT = Mask(
    "text",
    "As it is, unless it holds an e-mail address, or digits enough for a phone or a document: then `***`.",
    lambda value, read, mask_key: mask_telling(value),
)
IDENTIFIER = Mask(
    "identifier",
    "A few characters, by its `type`: `+55***4321`, `a***@example.com`.",
    lambda value, read, mask_key: mask_identifier(read("type"), value),
)
MASKED_FOR_ALL = Mask("identifier_for_all", "As `identifier`, whoever asks.", None)
SOURCE_KEY = Mask(
    "source_key",
    "As it is, unless it holds an identifier of the person, or what `text` hides: then its last three characters.",
    lambda value, read, mask_key: None if value is None else mask_key(value),
)
SENDERS_ID = Mask(
    "senders_id",
    "As it is, unless it holds what `text` hides: then its last three characters.",
    lambda value, read, mask_key: None if value is None else mask_source_record_id(str(value)),
)
BIRTH_DATE = Mask("birth_date", "The year.", lambda value, read, mask_key: mask_birth_date(value))
ADDRESS = Mask(
    "address",
    "City, region and country; of the postal code three characters.",
    lambda value, read, mask_key: mask_address(value),
)
FREE = Mask("free", "The first letter.", lambda value, read, mask_key: mask_free(value))
ATTRIBUTES = Mask(
    "attributes",
    "Each as it is masked in a golden record.",
    lambda value, read, mask_key: {name: mask_value(name, each) for name, each in value.items()},
)
PROPERTIES = Mask(
    "properties",
    "What is of products, orders and pages as `text` and `senders_id`, traits as the values they are mapped to, of "
    "anything else the first letter.",
    lambda value, read, mask_key: mask_properties(read("kind"), value),
)
CONTEXT = Mask(
    "context",
    "As `text`, what is of the app and the page alone.",
    lambda value, read, mask_key: mask_context(value),
)
# Of a value that stands for any attribute: the attribute says how.
ATTRIBUTE = Mask("attribute", "As the attribute is.", None)
MASKS = (
    TEXT,
    IDENTIFIER,
    MASKED_FOR_ALL,
    SOURCE_KEY,
    SENDERS_ID,
    BIRTH_DATE,
    ADDRESS,
    FREE,
    ATTRIBUTES,
    PROPERTIES,
    CONTEXT,
    ATTRIBUTE,
)
