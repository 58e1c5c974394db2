"""Raw values made comparable: pure rules, one file per kind of value, and the record that assembles them."""

from resolution.standardize.phones import superseded_phones
from resolution.standardize.record import (
    STANDARDIZER_VERSION,
    Standardizer,
    standardize_identifier,
    standardize_record,
)
from resolution.standardize.shapes import Identifier, Refusal, SourceSettings, StandardizedRecord

__all__ = [
    "STANDARDIZER_VERSION",
    "Identifier",
    "Refusal",
    "SourceSettings",
    "StandardizedRecord",
    "Standardizer",
    "standardize_identifier",
    "standardize_record",
    "superseded_phones",
]
