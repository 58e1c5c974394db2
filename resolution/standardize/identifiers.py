"""What a record says that points at a person: phones, e-mails, handles, loyalty ids, documents, devices."""

from collections.abc import Callable, Mapping

from resolution.standardize.documents import EXCLUSIVE_TYPES
from resolution.standardize.draft import Draft, Reason, typed_parts
from resolution.standardize.opaque_ids import is_whatsapp_bsuid
from resolution.standardize.phones import forms_of_line, local_digits, split_phones, variant_key
from resolution.standardize.rules import Rules
from resolution.standardize.shapes import Identifier, Refusal
from resolution.standardize.tables import pairs_of, words_of

_LEAST_LOCAL = 4
_LEAST_WORD = 5
_FIELD_OF_KIND = {
    "phone": "phones",
    "email": "emails",
    "handle": "handles",
    "loyalty_id": "loyalty_ids",
    "document": "documents",
    "device_id": "device_ids",
    "whatsapp_bsuid": "whatsapp_bsuids",
}
_PARTS_OF_KIND = {
    "handle": ("network", "handle"),
    "loyalty_id": ("program", "number"),
    "document": ("type", "number"),
}


def add_identifiers(draft: Draft, rules: Rules) -> None:
    """Identifiers of every kind, and their linkage columns."""
    record = draft.record
    if record.get("phones"):
        _add_phones(draft, rules)
    if record.get("emails"):
        _add_emails(draft, rules)
    if record.get("handles"):
        _add_handles(draft, rules)
    if record.get("loyalty_ids"):
        _add_loyalty_ids(draft, rules)
    if record.get("documents"):
        _add_documents(draft, rules)
    if record.get("device_ids"):
        _add_plain(draft, "device_id", rules.device_id)
    if record.get("whatsapp_bsuids"):
        _add_plain(draft, "whatsapp_bsuid", rules.whatsapp_bsuid)


def linkage_values(kind: str, value: str) -> list[tuple[str, str]]:
    """The linkage columns and values by which records are found to share an identifier: of a phone all its forms,
    and what they have in common; of a company's number none."""
    match kind:
        case "phone":
            numbers = [("phones", number) for number in forms_of_line(value)]
            return [*numbers, ("phone_variants", variant_key(value))]
        case "document":
            document_type = value.partition(":")[0]
            if document_type == "cnpj":
                return []
            return [("documents" if document_type in EXCLUSIVE_TYPES else "other_documents", value)]
        case _:
            return [(_FIELD_OF_KIND[kind], value)]


def one_identifier(kind: str, raw: object, rules: Rules, *, as_typed: bool = False) -> Identifier | Refusal:
    """One identifier for a lookup, by the rules that records go through.

    `kind` may also name a document type ('cpf') or a network ('instagram'). `raw` is the value, 'type:value',
    or the mapping a record would hold. As typed: an e-mail with the domain that it came with, not the one meant. The
    refusal's field is '/value'.
    """
    if kind in words_of("documents", "types") or kind in pairs_of("documents", "type_aliases"):
        kind, raw = "document", {"type": kind, "number": raw}
    elif kind in words_of("handles", "known_networks"):
        kind, raw = "handle", {"network": kind, "handle": raw}
    if kind not in _FIELD_OF_KIND:
        return Refusal("/value", "unknown_kind")
    if isinstance(raw, str) and kind in _PARTS_OF_KIND and ":" in raw[:64] and "://" not in raw[:64]:
        type_key, value_key = _PARTS_OF_KIND[kind]
        head, _, tail = raw.partition(":")
        raw = {type_key: head, value_key: tail}
    draft = Draft({_FIELD_OF_KIND[kind]: [raw]})
    add_identifiers(draft, rules)
    found = [each for each in draft.identifiers.values() if each.kind == kind or kind == "phone"]
    if found:
        return found[-1] if as_typed and kind == "email" else found[0]
    return Refusal("/value", draft.refusals[0].reason if draft.refusals else "empty")


def _add_phones(draft: Draft, rules: Rules) -> None:
    """A Brazilian number without its area code is no identifier, yet its last eight digits say something."""
    phones, variants, locals_, bsuids = set(), set(), set(), set[str]()
    for pointer, item in draft.items("phones"):
        if isinstance(item, str) and is_whatsapp_bsuid(item):
            _add_bsuid(draft, rules, item, pointer, bsuids)
            continue
        for raw in split_phones(item):
            phone = draft.accept(rules.phone, raw, pointer)
            if phone is not None:
                draft.identify("phone", phone[0], draft.is_verified("phones", pointer), phone[1])
                phones.add(phone[0])
                variants.add(phone[1])
                if phone[1].startswith("55"):
                    locals_.add(phone[1][-8:])
            elif draft.refusals and draft.refusals[-1] == Refusal(pointer, "missing_area_code"):
                locals_.add(local_digits(str(raw)))
    draft.put_list("phones", phones)
    draft.put_list("phone_variants", variants)
    draft.put_list("phone_locals", locals_)
    draft.put_list("whatsapp_bsuids", bsuids)


def _add_emails(draft: Draft, rules: Rules) -> None:
    emails, locals_, words = set(), set(), set()
    for pointer, raw in draft.items("emails"):
        parts = draft.accept(rules.email, raw, pointer)
        if parts is None:
            continue
        verified = draft.is_verified("emails", pointer)
        addresses, local, letters = parts
        for address in addresses:
            draft.identify("email", address, verified)
            emails.add(address)
        if len(local) >= _LEAST_LOCAL:
            locals_.add(local)
        if len(letters) >= _LEAST_WORD:
            words.add(letters)
    draft.put_list("emails", emails)
    draft.put_list("email_locals", locals_)
    draft.put_list("email_words", words)


def _add_handles(draft: Draft, rules: Rules) -> None:
    """A handle and the network's scoped id are both kept; WhatsApp's handle is a user id or a phone."""
    handles, locals_, words = set(), set(), set()
    bsuids = set(draft.linkage.get("whatsapp_bsuids", ()))
    for pointer, item in draft.items("handles"):
        network, raw = typed_parts(item, "network", "handle")
        verified = draft.is_verified("handles", pointer)
        if isinstance(raw, str) and network == "whatsapp" and is_whatsapp_bsuid(raw):
            _add_bsuid(draft, rules, raw, pointer, bsuids)
            continue
        if (parts := draft.accept(rules.handle, raw, pointer, network)) is not None:
            handle, local, letters = parts
            draft.identify("handle", handle, verified)
            handles.add(handle)
            if len(local) >= _LEAST_WORD:
                locals_.add(local)
            words.update([word for word in letters if len(word) >= _LEAST_WORD])
        if isinstance(item, Mapping) and item.get("scoped_id") is not None:
            scoped = draft.accept(rules.scoped_id, item["scoped_id"], f"{pointer}/scoped_id", network)
            if scoped is not None:
                draft.identify("handle", scoped, verified)
                handles.add(scoped)
    draft.put_list("handles", handles)
    draft.put_list("handle_locals", locals_)
    draft.put_list("handle_words", words)
    draft.put_list("whatsapp_bsuids", bsuids)


def _add_loyalty_ids(draft: Draft, rules: Rules) -> None:
    loyalty_ids = set()
    for pointer, item in draft.items("loyalty_ids"):
        program, raw = typed_parts(item, "program", "number")
        if (loyalty_id := draft.accept(rules.loyalty_id, raw, pointer, program)) is not None:
            draft.identify("loyalty_id", loyalty_id, draft.is_verified("loyalty_ids", pointer))
            loyalty_ids.add(loyalty_id)
    draft.put_list("loyalty_ids", loyalty_ids)


def _add_documents(draft: Draft, rules: Rules) -> None:
    """A CNPJ is a company's: an identifier, but no evidence that two records are one person."""
    exclusive, others = set(), set()
    for pointer, item in draft.items("documents"):
        document_type, raw = typed_parts(item, "type", "number")
        document = draft.accept(rules.document, raw, pointer, document_type)
        if document is None:
            continue
        draft.identify("document", document, draft.is_verified("documents", pointer))
        kind = document.partition(":")[0]
        if kind in EXCLUSIVE_TYPES:
            exclusive.add(document)
        elif kind != "cnpj":
            others.add(document)
    draft.put_list("documents", exclusive)
    draft.put_list("other_documents", others)


def _add_plain(draft: Draft, kind: str, rule: Callable[..., str | Reason]) -> None:
    field = _FIELD_OF_KIND[kind]
    values = set(draft.linkage.get(field, ()))
    for pointer, raw in draft.items(field):
        if (value := draft.accept(rule, raw, pointer)) is not None:
            draft.identify(kind, value, draft.is_verified(field, pointer))
            values.add(value)
    draft.put_list(field, values)


def _add_bsuid(draft: Draft, rules: Rules, raw: str, pointer: str, bsuids: set[str]) -> None:
    if (value := draft.accept(rules.whatsapp_bsuid, raw, pointer)) is not None:
        field = pointer.split("/")[1]
        draft.identify("whatsapp_bsuid", value, draft.is_verified(field, pointer))
        bsuids.add(value)
