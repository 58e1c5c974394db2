"""Raw values made comparable: pure rules, one file per kind of value, and the record that assembles them.

The rules are loaded when they are first asked for: naming a source's settings costs no phone library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from resolution.standardize.shapes import Identifier, Refusal, SourceSettings, StandardizedRecord

if TYPE_CHECKING:
    from resolution.standardize.identifiers import linkage_values
    from resolution.standardize.phones import superseded_phones
    from resolution.standardize.record import Standardizer, standardize_identifier, standardize_record

# A change of any rule or table raises this, so that the store knows which records to standardize anew.
STANDARDIZER_VERSION = 2

_PLACES = {
    "Standardizer": "record",
    "linkage_values": "identifiers",
    "standardize_identifier": "record",
    "standardize_record": "record",
    "superseded_phones": "phones",
}

__all__ = [
    "STANDARDIZER_VERSION",
    "Identifier",
    "Refusal",
    "SourceSettings",
    "StandardizedRecord",
    "Standardizer",
    "linkage_values",
    "standardize_identifier",
    "standardize_record",
    "superseded_phones",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"resolution.standardize.{_PLACES[name]}"), name)
