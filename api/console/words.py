"""What the parts of a record and of the ledger are called, in the reader's language."""

from __future__ import annotations

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

_ = lazy_gettext

ATTRIBUTES: dict[str, LazyString] = {
    "display_name": _("Name to show"),
    "full_name": _("Full name"),
    "given_name": _("First name"),
    "family_name": _("Family name"),
    "social_name": _("Social name"),
    "birth_date": _("Birth date"),
    "gender": _("Gender"),
    "address": _("Address"),
    "attributes": _("Other attributes"),
}
IDENTIFIERS: dict[str, LazyString] = {
    "phone": _("Phone"),
    "email": _("E-mail"),
    "handle": _("Handle"),
    "loyalty_id": _("Loyalty number"),
    "document": _("Document"),
    "device_id": _("Device"),
    "whatsapp_bsuid": _("WhatsApp user id"),
}
ADDRESS_PARTS: dict[str, LazyString] = {
    "street": _("Street"),
    "number": _("Number"),
    "complement": _("Complement"),
    "district": _("District"),
    "city": _("City"),
    "region": _("State"),
    "postal_code": _("Postal code"),
    "country": _("Country"),
}
# Why a golden value was chosen: the survivorship rule that decided.
RULES: dict[str, LazyString] = {
    "verified": _("verified"),
    "trusted": _("most trusted source"),
    "most_frequent": _("given most often"),
    "most_complete": _("most complete"),
    "longest": _("longest"),
    "most_recent": _("most recent"),
    "only_value": _("nothing says otherwise"),
    "record_key": _("by the order of records"),
    "by_key": _("each by its own rule"),
    "social_name": _("social name comes first"),
    "full_name": _("full name"),
    "pinned": _("pinned by a steward"),
}
LEDGER: dict[str, LazyString] = {
    "create": _("created"),
    "attach": _("record came"),
    "join": _("joined"),
    "split": _("split"),
    "move": _("moved"),
    "detach": _("record left"),
    "undo": _("taken back"),
}
STATES: dict[str, LazyString] = {
    "live": _("live"),
    "absorbed": _("absorbed"),
    "empty": _("without records"),
    "erased": _("erased"),
    "open": _("open"),
    "same": _("same person"),
    "different": _("different people"),
    "unsure": _("unsure"),
    "withdrawn": _("withdrawn"),
}
# Why the machine left a pair to stewards.
CANDIDATE_REASONS: dict[str, LazyString] = {
    "review_band": _("evidence too weak to join by itself"),
    "exclusive_conflict": _("two values of a document that people have one of"),
    "exclusive_shared": _("one document, and little else in common"),
    "size_limit": _("the profile would be too large"),
}
ACTIONS: dict[str, LazyString] = {
    "join": _("joined"),
    "split": _("split"),
    "decision": _("decided"),
    "undo": _("taken back"),
}


# What the machine gives as reasons, in its own words.
MACHINE_REASONS: dict[str, LazyString] = {
    "batch resolution": _("everything was resolved"),
    "resolution": _("resolved"),
    "record received": _("a record came"),
    "record deleted": _("a record was deleted"),
}


def machine_reason(reason: str) -> str:
    """A reason of the machine's in the reader's language; a person's as they wrote it."""
    return str(MACHINE_REASONS.get(reason, reason))


def attribute_name(name: str) -> str:
    return str(ATTRIBUTES.get(name, name))


def identifier_name(kind: str) -> str:
    return str(IDENTIFIERS.get(kind, kind))


def plain_value(attribute: str, value: object) -> str:
    """A golden or standardized value on one line."""
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values() if part)
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)
