"""What the parts of a record and of the ledger are called, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from cdp.identity import resolve
from cdp.realtime import ingest, redo, standardize_anew

_ = lazy_gettext

ATTRIBUTES: dict[str, LazyString] = {
    "display_name": _("Name to show"),
    "full_name": _("Full name"),
    "given_name": _("First name"),
    "family_name": _("Family name"),
    "social_name": _("Social name"),
    "agnomen": _("Suffix of the name"),
    "birth_date": _("Birth date"),
    "gender": _("Gender"),
    "address": _("Address"),
    "attributes": _("Other attributes"),
}
# Free attributes that sources give most, by the names they send; others are told as they were sent.
FREE_ATTRIBUTES: dict[str, LazyString] = {
    "mother_name": _("Mother's name"),
    "nome_mae": _("Mother's name"),
    "nome_da_mae": _("Mother's name"),
    "occupation": _("Occupation"),
    "profissao": _("Occupation"),
    "marital_status": _("Marital status"),
    "estado_civil": _("Marital status"),
    "nationality": _("Nationality"),
    "nacionalidade": _("Nationality"),
    "language": _("Language"),
    "idioma": _("Language"),
    "company": _("Company"),
    "empresa": _("Company"),
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
# Of values that many records share.
COLUMNS: dict[str, LazyString] = {
    "phones": _("Phones"),
    "phone_variants": _("Phones, with or without the ninth digit"),
    "emails": _("E-mails"),
    "handles": _("Handles"),
    "loyalty_ids": _("Loyalty numbers"),
    "device_ids": _("Devices"),
    "documents": _("Documents (CPF, CNPJ, NIF)"),
    "other_documents": _("Other documents"),
    "whatsapp_bsuids": _("WhatsApp user ids"),
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
GENDERS: dict[str, LazyString] = {
    "f": _("female"),
    "m": _("male"),
    "x": _("other or non-binary"),
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
    "frozen": _("a steward froze one of the profiles"),
}
# Why a yes takes two people.
REASONS_FOR_TWO: dict[str, LazyString] = {
    "size": _("many records"),
    "confirmed": _("people that a steward has confirmed"),
    "documents": _("documents that contradict each other"),
}
# What the audit has of profiles and items, from the console and from programs.
AUDITED: dict[str, LazyString] = {
    "profile.read": _("looked at the profile"),
    "profile.read_actions": _("looked at its decisions"),
    "profile.read_as_of": _("looked at it as it was"),
    "profile.read_audit": _("looked at this audit"),
    "profile.read_candidate": _("looked at the item"),
    "profile.read_comments": _("read the comments"),
    "profile.read_context": _("looked at what an agent needs"),
    "profile.read_explanation": _("looked at how it came together"),
    "profile.read_history": _("looked at its ledger"),
    "profile.read_records": _("looked at its records"),
    "profile.read_ruling": _("looked at what a decision does"),
    "profile.read_sample": _("read the pair again"),
    "profile.read_timeline": _("looked at its events"),
    "stewardship.assign": _("assigned the item"),
    "stewardship.claim": _("took the item"),
    "stewardship.comment": _("commented"),
    "stewardship.decision": _("decided the item"),
    "stewardship.join": _("joined profiles"),
    "stewardship.pending": _("answered, for a second person to confirm"),
    "stewardship.pending_withdrawn": _("took their answer back"),
    "stewardship.pending_changed": _("an answer waited no more: the profiles changed"),
    "stewardship.pin": _("pinned a value"),
    "stewardship.proposed": _("asked for what takes a second person"),
    "stewardship.proposal_changed": _("it waited no more: the profiles changed"),
    "stewardship.proposal_refused": _("refused what waited"),
    "stewardship.proposal_withdrawn": _("took back what waited"),
    "stewardship.release": _("gave the item back"),
    "stewardship.skip": _("skipped the item"),
    "stewardship.split": _("took records out"),
    "stewardship.undo": _("took back"),
    "stewardship.freeze": _("froze the profile"),
}
# What waits for a second person.
PROPOSALS: dict[str, LazyString] = {
    "join": _("join"),
    "split": _("take records out"),
    "take_apart": _("take apart"),
}
# What the outbox holds of a ruling.
OUTBOX_EVENTS: dict[str, LazyString] = {
    "profile.created": _("Profile that is there from now on:"),
    "profile.joined": _("Profile that takes in others:"),
    "profile.split": _("Profile that is parted:"),
    "profile.updated": _("Profile that changes otherwise:"),
    "stewardship.ruled": _("The ruling itself"),
}
ACTIONS: dict[str, LazyString] = {
    "pin": _("pinned"),
    "freeze": _("frozen"),
    "join": _("joined"),
    "split": _("split"),
    "decision": _("decided"),
    "undo": _("taken back"),
}


# What people give as reasons most; kept in English, told in the reader's language, and their own words may follow.
REASONS: dict[str, LazyString] = {
    "what the records say": _("what the records say"),
    "people of one household": _("people of one household"),
    "a shared or wrong contact": _("a shared or wrong contact"),
    "the customer or the source was asked": _("the customer or the source was asked"),
}
# What the console gives for who takes back what was just done; kept in English like the others.
AT_ONCE = "taken back at once"
# What the machine gives.
_MACHINE_REASONS: dict[str, LazyString] = {
    resolve.REASON: _("everything was resolved"),
    ingest.REASON: _("a record came"),
    ingest.REASON_OF_DELETION: _("a record was deleted"),
    redo.REASON: _("values became shared, or ceased to be"),
    AT_ONCE: _("taken back at once"),
}
# How bad the news of a comparison is, by sign and word.
VERDICTS: dict[str, tuple[str, LazyString]] = {
    "equal": ("=", _("equal")),
    "similar": ("≈", _("similar")),
    "different": ("≠", _("different")),
    "missing": ("–", _("missing")),
}


def told_reason(reason: str) -> str:
    """A reason that this service knows, in the reader's language; a person's own words as they wrote them."""
    if reason.startswith(standardize_anew.REASON_WITHOUT_VERSION):
        version = reason.removeprefix(standardize_anew.REASON_WITHOUT_VERSION)
        return str(gettext("standardized anew, by version %(version)s", version=version))
    known, colon, own = reason.partition(": ")
    told = REASONS.get(known) or _MACHINE_REASONS.get(known)
    return f"{told}{colon}{own}" if told else reason


def field_name(field: str) -> str:
    """Of a row of a comparison: an attribute, a kind of identifier, a part of the address."""
    group, _dot, name = field.partition(".")
    if group == "address":
        return str(ADDRESS_PARTS.get(name, name))
    if group == "attributes":
        return str(FREE_ATTRIBUTES.get(name, name))
    return str(ATTRIBUTES.get(field) or IDENTIFIERS.get(field) or field)


def attribute_name(name: str) -> str:
    return str(ATTRIBUTES.get(name, name))


def identifier_name(kind: str) -> str:
    """Of one identifier, or of the column in which values are compared."""
    return str(IDENTIFIERS.get(kind) or COLUMNS.get(kind) or kind)


def in_order(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Attributes as people read them; those without a name of ours last."""
    place = {name: number for number, name in enumerate(ATTRIBUTES)}
    return sorted(values.items(), key=lambda each: (place.get(each[0], len(place)), each[0]))


def plain_value(attribute: str, value: object) -> str:
    """A golden or standardized value on one line."""
    if attribute == "gender" and value in GENDERS:
        return str(GENDERS[str(value)])
    if isinstance(value, dict) and attribute == "address":
        value = {part: value.get(part) for part in ADDRESS_PARTS}
    if isinstance(value, dict) and attribute == "attributes":
        return ", ".join(f"{FREE_ATTRIBUTES.get(name, name)}: {part}" for name, part in value.items())
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values() if part)
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)
