"""What is shown of an event to a caller who has no reason to see it whole. Pure rules.

Of products, orders, pages and apps, what segment.toml names is shown; what it does not name may be anything, and keeps
a letter. Traits are masked as the values they are mapped to. Whatever is shown, names of members too, goes through one
rule: what could be an e-mail address, a phone or a document is not shown, wherever a sender put it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from cdp.engagement.traits import mapping
from cdp.privacy.masking import (
    HIDDEN,
    is_telling,
    mask_identifier,
    mask_source_record_id,
    mask_telling,
    mask_value,
)

_KIND_OF_FIELD = {"emails": "email", "phones": "phone"}
_NAMES_OF_PEOPLE = ("full_name", "given_name", "family_name", "gender")
# Numbers under these names are money: they may have any number of digits.
_AMOUNTS = frozenset({"discount", "price", "revenue", "shipping", "subtotal", "tax", "total"})
# The sender's own numbers of things keep their last letters, as its keys of records do.
_IDS = frozenset(
    {
        *("cart_id", "checkout_id", "groupId", "list_id", "order_id", "previousId", "product_id", "sku"),
        *("wish_list_id", "wishlist_id"),
    }
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def mask_properties(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    match kind:
        case "identify":
            return {mask_telling(name): _mask_trait(name, value) for name, value in properties.items()}
        case "group":
            return {
                "groupId": _mask_scalar("groupId", properties["groupId"]),
                "traits": {mask_telling(name): _head(each) for name, each in properties["traits"].items()},
            }
        case "alias":
            return {"previousId": _mask_scalar("previousId", properties["previousId"])}
        case _:
            return _mask_others(properties, mapping().shown_properties)


def mask_context(context: Mapping[str, Any]) -> dict[str, Any]:
    """What is not named is left out: a context is large, and mostly about the device."""
    shown = mapping().shown_context
    return {name: _mask_all(value) for name, value in context.items() if name in shown}


def _mask_trait(name: str, value: Any) -> Any:
    target, _, label = mapping().traits.get(name, "").partition(":")
    if target == "address" and isinstance(value, Mapping):
        return {mask_telling(part): _mask_address_part(part, each) for part, each in value.items()}
    if not isinstance(value, str):
        return _head(value)
    if target in _NAMES_OF_PEOPLE:
        return mask_telling(value)
    if target == "birth_date":
        return mask_value("birth_date", value) if _DATE.match(value) else HIDDEN
    if target == "documents":
        return mask_identifier("document", f"{label}:{value}")
    if target in _KIND_OF_FIELD:
        return _mask_reachable(_KIND_OF_FIELD[target], value)
    return _head(value)


def _mask_reachable(kind: str, value: str) -> str:
    """A phone or an e-mail address, as far as what was sent as one is one."""
    _, at, domain = value.rpartition("@")
    is_one = bool(at) and not is_telling(domain) if kind == "email" else not at
    return mask_identifier(kind, value) if is_one else HIDDEN


def _mask_address_part(part: str, value: Any) -> Any:
    ours = mapping().address.get(part)
    if ours is None or not isinstance(value, str):
        return _head(value)
    return mask_value("address", {ours: value})[ours]


def _mask_others(value: Mapping[str, Any], shown: Collection[str]) -> dict[str, Any]:
    return {
        mask_telling(name): _mask_shown(name, each, shown) if name in shown else _head(each)
        for name, each in value.items()
    }


def _mask_shown(name: str, value: Any, shown: Collection[str]) -> Any:
    """Within what is shown, names that are not are masked too: products carry what a shop likes."""
    if isinstance(value, Mapping):
        return _mask_others(value, shown)
    if isinstance(value, list):
        return [_mask_shown(name, each, shown) for each in value]
    return _mask_scalar(name, value)


def _mask_all(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {mask_telling(name): _mask_all(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_mask_all(each) for each in value]
    return mask_telling(value)


def _mask_scalar(name: str, value: Any) -> Any:
    """The one rule of whatever is shown."""
    if not is_telling(value) or (name in _AMOUNTS and not isinstance(value, str)):
        return value
    return mask_source_record_id(str(value)) if name in _IDS else HIDDEN


def _head(value: Any) -> Any:
    """A letter of a text; nothing of anything else, but whether there was something."""
    if value is None:
        return None
    return f"{value[:1]}{HIDDEN}" if isinstance(value, str) else HIDDEN
