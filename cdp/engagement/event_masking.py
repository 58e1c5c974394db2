"""What is shown of an event to a caller who has no reason to see it whole. Pure rules.

Of products, orders, pages and apps, what segment.toml names is shown; what it does not name may be anything, and keeps
a letter. Traits are masked as the values they are mapped to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from cdp.engagement.traits import mapping
from cdp.privacy.masking import HIDDEN, mask_identifier, mask_source_record_id, mask_value

_FREE_TEXTS = frozenset({"name", "path", "query", "title"})
_PERSONAL_DIGITS = 8
_KIND_OF_FIELD = {"emails": "email", "phones": "phone"}


def mask_name(name: str | None) -> str | None:
    """Names of events are chosen by programmers; one that holds an address is masked all the same."""
    return HIDDEN if name is not None and "@" in name else name


def mask_properties(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    match kind:
        case "identify":
            return _mask_traits(properties)
        case "group":
            return {
                **properties,
                "traits": {name: _head(each) for name, each in properties["traits"].items()},
            }
        case "alias":
            return {"previousId": mask_source_record_id(properties["previousId"])}
        case _:
            return _mask_others(properties, mapping().shown_properties)


def mask_context(context: Mapping[str, Any]) -> dict[str, Any]:
    """What is not named is left out: a context is large, and mostly about the device."""
    shown = mapping().shown_context
    return {name: _shown(value) for name, value in context.items() if name in shown}


def _mask_traits(traits: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _mask_trait(name, value) for name, value in traits.items()}


def _mask_trait(name: str, value: Any) -> Any:
    target, _, label = mapping().traits.get(name, "").partition(":")
    if target in ("full_name", "given_name", "family_name", "gender") and isinstance(value, str):
        return value
    if target == "birth_date":
        return mask_value("birth_date", value) if isinstance(value, str) and len(value) > 4 else HIDDEN
    if target == "address" and isinstance(value, Mapping):
        return {part: _mask_address_part(part, each) for part, each in value.items()}
    if target == "documents" and isinstance(value, str):
        return mask_identifier("document", f"{label}:{value}")
    if target in _KIND_OF_FIELD and isinstance(value, str):
        return mask_identifier(_KIND_OF_FIELD[target], value)
    return _head(value)


def _mask_address_part(part: str, value: Any) -> Any:
    ours = mapping().address.get(part)
    if ours is None or not isinstance(value, str):
        return _head(value)
    return mask_value("address", {ours: value})[ours]


def _mask_others(value: Mapping[str, Any], shown: Collection[str]) -> dict[str, Any]:
    return {
        name: HIDDEN
        if name in _FREE_TEXTS and _holds_a_number(each)
        else _mask_shown(each, shown)
        if name in shown
        else _head(each)
        for name, each in value.items()
    }


def _holds_a_number(value: Any) -> bool:
    """Of a phone or a document, in what people type or addresses of pages carry."""
    return isinstance(value, str) and sum(map(str.isdigit, value)) >= _PERSONAL_DIGITS


def _mask_shown(value: Any, shown: Collection[str]) -> Any:
    """Within what is shown, names that are not are masked too: products carry what a shop likes."""
    if isinstance(value, Mapping):
        return _mask_others(value, shown)
    if isinstance(value, list):
        return [_mask_shown(each, shown) for each in value]
    return _shown(value)


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _shown(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shown(each) for each in value]
    return HIDDEN if isinstance(value, str) and "@" in value else value


def _head(value: Any) -> Any:
    """A letter of a text; nothing of anything else, but whether there was something."""
    if value is None:
        return None
    return f"{value[:1]}{HIDDEN}" if isinstance(value, str) else HIDDEN
