"""The form in which a standardized record is stored: its canonical JSON, and the hash of what it says."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from resolution import hash_linkage_text, linkage_text
from resolution.standardize import StandardizedRecord


class StoredForm(NamedTuple):
    """`text` is JSON of values, linkage and refusals; records with one `linkage_hash` say the same."""

    text: str
    linkage_hash: int


def stored_form(standardized: StandardizedRecord) -> StoredForm:
    # What is hashed is a part of the text as it stands there: written once, it serves for both.
    linkage = linkage_text(standardized.linkage)
    whole = {
        "linkage": orjson.Fragment(linkage),
        "refusals": standardized.refusals,
        "values": standardized.values,
    }
    text = orjson.dumps(whole, option=orjson.OPT_SORT_KEYS).decode()
    return StoredForm(text, hash_linkage_text(linkage))
