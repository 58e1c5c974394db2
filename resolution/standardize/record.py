"""A raw source record made into values for people, identifiers, linkage columns and refusals."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache, partial
from typing import Any, TypeVar

from resolution.standardize.addresses import (
    Street,
    postal_area,
    show_postal_code,
    standardize_country,
    standardize_place,
    standardize_postal_code,
    standardize_region,
    standardize_street,
)
from resolution.standardize.attributes import (
    ATTRIBUTES_AT_MOST,
    MOTHER_NAME_KEYS,
    mother_name_of,
    standardize_attribute,
    standardize_gender,
)
from resolution.standardize.dates import standardize_date
from resolution.standardize.documents import EXCLUSIVE_TYPES, standardize_document
from resolution.standardize.emails import letters_of, local_word, standardize_email
from resolution.standardize.handles import handle_letters, handle_word, standardize_handle
from resolution.standardize.names import Name, compose_name, linkage_of_name, shown_parts, standardize_name
from resolution.standardize.opaque_ids import (
    is_whatsapp_bsuid,
    standardize_device_id,
    standardize_loyalty_id,
    standardize_whatsapp_bsuid,
)
from resolution.standardize.phones import standardize_phone
from resolution.standardize.phonetics import given_forms
from resolution.standardize.shapes import (
    Identifier,
    Refusal,
    RefusedValueError,
    SourceSettings,
    StandardizedRecord,
)
from resolution.standardize.text import text_of, tidy_text

STANDARDIZER_VERSION = 1
LIST_AT_MOST = 50
_LONGEST = 320
_NO_LATEST = date(9998, 12, 31)
_FIELD_OF_KIND = {
    "phone": "phones",
    "email": "emails",
    "handle": "handles",
    "loyalty_id": "loyalty_ids",
    "document": "documents",
    "device_id": "device_ids",
    "whatsapp_bsuid": "whatsapp_bsuids",
}
_PARTS = {
    "handles": ("network", "handle"),
    "loyalty_ids": ("program", "number"),
    "documents": ("type", "number"),
}

T = TypeVar("T")


class Reason(str):
    """Why a value was refused, in the place of the value."""

    __slots__ = ()


class Standardizer:
    """Standardizes records of one source and remembers, per kind of value, what raw values came out as.

    `today` bounds birth dates of records that carry no `occurred_at`; None sets no bound. The memory is
    bounded by `cache_size` values per kind; 0 remembers nothing and gives the same results.
    """

    def __init__(
        self, settings: SourceSettings, *, today: date | None = None, cache_size: int = 100_000
    ) -> None:
        self.settings = settings
        self._latest = today or _NO_LATEST
        region, area_code = settings.default_region, settings.default_area_code
        own_domains = frozenset(domain.lower() for domain in settings.own_domains)

        def remembered(function: Callable[..., T]) -> Callable[..., T | Reason]:
            return lru_cache(maxsize=cache_size)(partial(_outcome, function))

        self._phone = remembered(lambda raw: standardize_phone(raw, region, area_code))
        self._email = remembered(lambda raw: _email_parts(raw, own_domains))
        self._name = remembered(standardize_name)
        self._date = remembered(lambda raw, latest: standardize_date(raw, settings.date_order, latest))
        self._document = remembered(lambda raw, kind: standardize_document(kind, raw))
        self._handle = remembered(lambda raw, network: _handle_parts(raw, network))
        self._loyalty_id = remembered(lambda raw, program: standardize_loyalty_id(program, raw))
        self._device_id = remembered(standardize_device_id)
        self._bsuid = remembered(standardize_whatsapp_bsuid)
        self._gender = remembered(standardize_gender)
        self._street = remembered(lambda raw, country: standardize_street(raw, country))
        self._place = remembered(lambda raw: (raw, standardize_place(raw)))
        self._region = remembered(standardize_region)
        self._country = remembered(standardize_country)
        self._postal_code = remembered(lambda raw, country: standardize_postal_code(raw, country))
        self._attribute = remembered(lambda raw, key: (raw, standardize_attribute(key, raw)))

    def standardize(self, record: Mapping[str, object]) -> StandardizedRecord:
        """Everything of one raw record; never raises on bad values, each of them gives a refusal instead.

        Linkage columns, absent when there is nothing; lists are sorted, unique and never empty:
        given_name, given_forms*, given_sound, middle_names*, family_name, family_sound, surname_sounds*,
        name_folded, name_words*, agnomen, gender, mother_name, birth_date, birth_year, birth_day (MM-DD),
        phones*, phone_variants*, emails*, email_locals*, email_words*, handles*, handle_locals*, handle_words*,
        loyalty_ids*, device_ids*, whatsapp_bsuids*, documents*, other_documents*, postal_code, postal_area,
        street, house_number, city, district, region, country, attributes* (* a list).
        """
        draft = _Draft(record)
        self._add_name(draft)
        self._add_birth_date(draft)
        self._add_gender(draft)
        self._add_phones(draft)
        self._add_emails(draft)
        self._add_handles(draft)
        self._add_loyalty_ids(draft)
        self._add_documents(draft)
        self._add_plain_ids(draft)
        self._add_address(draft)
        self._add_attributes(draft)
        return draft.finish()

    def standardize_identifier(
        self, kind: str, raw: object, *, verified: bool = False
    ) -> Identifier | Refusal:
        """One identifier for a lookup; `raw` is a value, or 'part:value' for handles, loyalty ids, documents.

        A mapping such as {"network": ..., "handle": ...} is understood as well. The refusal's field is "/value".
        """
        field = _FIELD_OF_KIND.get(kind)
        if field is None:
            return Refusal("/value", "unknown_kind")
        part, inner = _PARTS.get(field, (None, ""))
        if part and isinstance(raw, str) and ":" in raw and not raw.startswith("http"):
            head, _, tail = raw.partition(":")
            raw = {part: head, inner: tail}
        outcome = self.standardize({field: [raw]})
        wanted = [i for i in outcome.identifiers if i.kind == kind]
        if wanted:
            return Identifier(kind, wanted[0].value, wanted[0].variant, verified)
        return Refusal("/value", outcome.refusals[0].reason if outcome.refusals else "empty")

    def _add_name(self, draft: "_Draft") -> None:
        record = draft.record
        full = self._one_name(draft, "full_name")
        given = self._one_name(draft, "given_name")
        family = self._one_name(draft, "family_name")
        social = self._one_name(draft, "social_name") if record.get("social_name") else None
        apart = compose_name(given, family)
        whole = full
        if apart is not None and (full is None or (len(full.tokens) == 1 and len(apart.tokens) > 1)):
            whole = apart
        if whole is None:
            whole = social
        elif apart is not None and whole is apart and full is not None and full.agnomen and not whole.agnomen:
            whole = Name(whole.shown, whole.tokens, full.agnomen)
        if whole is None:
            return
        only_family = whole is family and given is None
        draft.linkage.update(linkage_of_name(whole, only_family=only_family))
        draft.values["full_name"] = whole.shown
        shown_given, shown_family = shown_parts(whole)
        if only_family:
            shown_given, shown_family = None, whole.shown
        draft.put_value(
            "given_name",
            given.shown if given and apart is not None and _agree(whole, given, family) else shown_given,
        )
        draft.put_value(
            "family_name", family.shown if family and _agree(whole, given, family) else shown_family
        )
        draft.put_value("agnomen", whole.agnomen)
        if social is not None:
            draft.values["social_name"] = social.shown
            forms = set(given_forms(social.tokens[0])).union(draft.linkage.get("given_forms", ()))
            draft.linkage["given_forms"] = sorted(forms)

    def _one_name(self, draft: "_Draft", field: str) -> Name | None:
        raw = draft.record.get(field)
        return None if raw is None else draft.accept(self._name, raw, f"/{field}")

    def _add_birth_date(self, draft: "_Draft") -> None:
        raw = draft.record.get("birth_date")
        if raw is None:
            return
        born = draft.accept(self._date, raw, "/birth_date", self._latest_of(draft.record.get("occurred_at")))
        if born is None:
            return
        draft.values["birth_date"] = born
        if born[0] != "-":
            draft.linkage["birth_year"] = born[:4]
        if len(born) == 10:
            draft.linkage["birth_date"] = born
        if len(born) > 4:
            draft.linkage["birth_day"] = born[-5:]

    def _latest_of(self, occurred_at: object) -> date:
        if isinstance(occurred_at, str):
            return _day_of(occurred_at[:10]) or self._latest
        return self._latest

    def _add_gender(self, draft: "_Draft") -> None:
        raw = draft.record.get("gender")
        gender = None if raw is None else draft.accept(self._gender, raw, "/gender")
        if gender is not None:
            draft.values["gender"] = draft.linkage["gender"] = gender

    def _add_phones(self, draft: "_Draft") -> None:
        variants = set()
        for pointer, raw in draft.items("phones"):
            if isinstance(raw, str) and is_whatsapp_bsuid(raw):
                self._add_plain_id(draft, "whatsapp_bsuid", self._bsuid, raw, pointer)
                continue
            if (phone := draft.accept(self._phone, raw, pointer)) is not None:
                draft.identify("phone", phone[0], draft.is_verified("phones", pointer), phone[1])
                variants.add(phone[1])
        draft.put_list("phones", draft.of_kind("phone"))
        draft.put_list("phone_variants", variants)

    def _add_emails(self, draft: "_Draft") -> None:
        locals_, words = set(), set()
        for pointer, raw in draft.items("emails"):
            parts = draft.accept(self._email, raw, pointer)
            if parts is None:
                continue
            addresses, local, word = parts
            for address in addresses:
                draft.identify("email", address, draft.is_verified("emails", pointer))
            if len(local) > 3:
                locals_.add(local)
            if len(word) > 4:
                words.add(word)
        draft.put_list("emails", draft.of_kind("email"))
        draft.put_list("email_locals", locals_)
        draft.put_list("email_words", words)

    def _add_handles(self, draft: "_Draft") -> None:
        locals_, words = set(), set()
        for pointer, item in draft.items("handles"):
            network, raw = draft.parts(item, "network", "handle")
            if isinstance(raw, str) and is_whatsapp_bsuid(raw) and network in ("whatsapp", "whatsapp_bsuid"):
                self._add_plain_id(draft, "whatsapp_bsuid", self._bsuid, raw, pointer)
                continue
            parts = draft.accept(self._handle, raw, pointer, network)
            if parts is None:
                continue
            handle, local, letters = parts
            draft.identify("handle", handle, draft.is_verified("handles", pointer))
            if len(local) > 4:
                locals_.add(local)
            words.update(word for word in letters if len(word) > 4)
        draft.put_list("handles", draft.of_kind("handle"))
        draft.put_list("handle_locals", locals_)
        draft.put_list("handle_words", words)

    def _add_loyalty_ids(self, draft: "_Draft") -> None:
        for pointer, item in draft.items("loyalty_ids"):
            program, raw = draft.parts(item, "program", "number")
            loyalty_id = draft.accept(self._loyalty_id, raw, pointer, program)
            if loyalty_id is not None:
                draft.identify("loyalty_id", loyalty_id, draft.is_verified("loyalty_ids", pointer))
        draft.put_list("loyalty_ids", draft.of_kind("loyalty_id"))

    def _add_documents(self, draft: "_Draft") -> None:
        exclusive, others = set(), set()
        for pointer, item in draft.items("documents"):
            kind, raw = draft.parts(item, "type", "number")
            document = draft.accept(self._document, raw, pointer, kind)
            if document is None:
                continue
            draft.identify("document", document, draft.is_verified("documents", pointer))
            written = document.partition(":")[0]
            if written in EXCLUSIVE_TYPES:
                exclusive.add(document)
            elif written != "cnpj":
                others.add(document)
        draft.put_list("documents", exclusive)
        draft.put_list("other_documents", others)

    def _add_plain_ids(self, draft: "_Draft") -> None:
        for pointer, raw in draft.items("device_ids"):
            self._add_plain_id(draft, "device_id", self._device_id, raw, pointer)
        for pointer, raw in draft.items("whatsapp_bsuids"):
            self._add_plain_id(draft, "whatsapp_bsuid", self._bsuid, raw, pointer)
        draft.put_list("device_ids", draft.of_kind("device_id"))
        draft.put_list("whatsapp_bsuids", draft.of_kind("whatsapp_bsuid"))

    def _add_plain_id(
        self, draft: "_Draft", kind: str, function: Callable[..., str | Reason], raw: object, pointer: str
    ) -> None:
        value = draft.accept(function, raw, pointer)
        if value is not None:
            draft.identify(kind, value, draft.is_verified(f"{kind}s", pointer))

    def _add_address(self, draft: "_Draft") -> None:
        address = draft.record.get("address")
        if not address:
            return
        if not isinstance(address, Mapping):
            draft.refuse("/address", "invalid")
            return
        shown: dict[str, str] = {}
        country = self.settings.default_region
        if (raw := address.get("country")) is not None:
            named = draft.accept(self._country, raw, "/address/country")
            if named is not None:
                shown["country"] = draft.linkage["country"] = country = named
        self._add_street(draft, address, shown, country)
        for field in ("district", "city"):
            if (raw := address.get(field)) is not None:
                place = draft.accept(self._place, raw, f"/address/{field}")
                if place is not None:
                    shown[field], draft.linkage[field] = place
        if (raw := address.get("region")) is not None:
            region = draft.accept(self._region, raw, "/address/region")
            if region is not None:
                draft.linkage["region"] = region
                shown["region"] = region.upper() if len(region) < 4 else region.title()
        if (raw := address.get("postal_code")) is not None:
            code = draft.accept(self._postal_code, raw, "/address/postal_code", country)
            if code is not None:
                draft.linkage["postal_code"] = code
                draft.linkage["postal_area"] = postal_area(code, country)
                shown["postal_code"] = show_postal_code(code, country)
        if shown:
            draft.values["address"] = shown

    def _add_street(
        self, draft: "_Draft", address: Mapping[str, object], shown: dict[str, str], country: str
    ) -> None:
        street: Street | None = None
        if (raw := address.get("street")) is not None:
            street = draft.accept(self._street, raw, "/address/street", country)
        if street is not None:
            shown["street"] = street.shown_street
            if street.street:
                draft.linkage["street"] = street.street
            if street.house_number:
                shown["number"] = draft.linkage["house_number"] = street.house_number
            if street.complement:
                shown["complement"] = street.complement
        if (raw := address.get("number")) is not None:
            number = draft.accept(self._place, raw, "/address/number")
            if number is not None and number[1] not in ("s n", "sn"):
                shown["number"], draft.linkage["house_number"] = number

    def _add_attributes(self, draft: "_Draft") -> None:
        attributes = draft.record.get("attributes")
        if not attributes:
            return
        if not isinstance(attributes, Mapping):
            draft.refuse("/attributes", "invalid")
            return
        mother = mother_name_of(attributes)
        if mother is not None:
            name = draft.accept(self._name, mother[1], f"/attributes/{mother[0]}")
            if name is not None:
                draft.linkage["mother_name"] = " ".join(name.tokens)
        shown: dict[str, str] = {}
        columns: set[str] = set()
        for position, (key, raw) in enumerate(attributes.items()):
            pointer = f"/attributes/{_pointer_part(key)}"
            if position >= LIST_AT_MOST:
                draft.refuse(pointer, "too_many")
            elif isinstance(raw, bool):
                raw = str(raw).lower()
            if position >= LIST_AT_MOST or raw is None:
                continue
            pair = draft.accept(self._attribute, raw, pointer, _pointer_part(key))
            if pair is None:
                continue
            shown[_pointer_part(key)] = pair[0]
            if key not in MOTHER_NAME_KEYS:
                columns.add(pair[1])
        if shown:
            draft.values["attributes"] = shown
        draft.put_list("attributes", sorted(columns)[:ATTRIBUTES_AT_MOST])


class _Draft:
    """One record on its way: what was accepted and what was refused so far."""

    __slots__ = ("identifiers", "linkage", "record", "refusals", "values", "verified")

    def __init__(self, record: Mapping[str, object]) -> None:
        self.record = record
        self.values: dict[str, Any] = {}
        self.linkage: dict[str, str | list[str]] = {}
        self.identifiers: dict[tuple[str, str], Identifier] = {}
        self.refusals: list[Refusal] = []
        verified = record.get("verified")
        self.verified = (
            frozenset(word for word in verified if isinstance(word, str))
            if isinstance(verified, list | tuple)
            else frozenset()
        )

    def finish(self) -> StandardizedRecord:
        return StandardizedRecord(
            self.values, tuple(self.identifiers.values()), self.linkage, tuple(self.refusals)
        )

    def accept(
        self, function: Callable[..., T | Reason], raw: object, pointer: str, *rest: object
    ) -> T | None:
        """The standardized value, or None after noting why not; an empty value is silently nothing."""
        if type(raw) is not str:
            text = _text_or_reason(raw)
        else:
            text = raw if len(raw) <= _LONGEST else Reason("too_long")
        outcome = text if type(text) is Reason else function(text, *rest)
        if type(outcome) is not Reason:
            return outcome  # type: ignore[return-value]
        if outcome != "empty":
            self.refuse(pointer, outcome)
        return None

    def refuse(self, pointer: str, reason: str) -> None:
        self.refusals.append(Refusal(pointer, str(reason)))

    def items(self, field: str) -> Iterator[tuple[str, object]]:
        """Pointer and raw item of a list field; a lone value counts as a list of one; at most 50."""
        raw = self.record.get(field)
        if raw is None:
            return
        if not isinstance(raw, list | tuple):
            yield f"/{field}", raw
            return
        for position, item in enumerate(raw[:LIST_AT_MOST]):
            yield f"/{field}/{position}", item
        if len(raw) > LIST_AT_MOST:
            self.refuse(f"/{field}/{LIST_AT_MOST}", "too_many")

    def parts(self, item: object, kind: str, value: str) -> tuple[str, object]:
        """The two parts of a typed item; a lone value has no kind."""
        if not isinstance(item, Mapping):
            return "", item
        named = item.get(kind)
        return named[:64] if isinstance(named, str) else "", item.get(value)

    def is_verified(self, field: str, pointer: str) -> bool:
        return bool(self.verified) and (field in self.verified or pointer in self.verified)

    def identify(self, kind: str, value: str, verified: bool, variant: str | None = None) -> None:
        known = self.identifiers.get((kind, value))
        if known is None or (verified and not known.verified):
            self.identifiers[kind, value] = Identifier(kind, value, variant, verified)

    def of_kind(self, kind: str) -> list[str]:
        return [value for known, value in self.identifiers if known == kind]

    def put_list(self, column: str, values: Iterable[str]) -> None:
        if values:
            self.linkage[column] = sorted(values)

    def put_value(self, field: str, value: str | None) -> None:
        if value:
            self.values[field] = value


def standardize_record(record: Mapping[str, object], settings: SourceSettings) -> StandardizedRecord:
    """One raw record without any memory; see Standardizer.standardize for the shape."""
    return Standardizer(settings, cache_size=0).standardize(record)


def standardize_identifier(kind: str, raw: object, settings: SourceSettings) -> Identifier | Refusal:
    """One identifier, for lookups: ('phone', '11 98765-4321') -> +5511987654321; see Standardizer."""
    return Standardizer(settings, cache_size=0).standardize_identifier(kind, raw)


def _outcome(function: Callable[..., T], raw: str, *rest: object) -> T | Reason:
    try:
        return function(text_of(raw, _LONGEST), *rest)
    except RefusedValueError as refusal:
        return Reason(refusal.reason)


def _text_or_reason(raw: object) -> str:
    try:
        return text_of(raw, _LONGEST)
    except RefusedValueError as refusal:
        return Reason(refusal.reason)


def _email_parts(raw: str, own_domains: frozenset[str]) -> tuple[tuple[str, ...], str, str]:
    addresses = standardize_email(raw, own_domains)
    local = local_word(addresses[0])
    return addresses, local, letters_of(local)


def _handle_parts(raw: str, network: str) -> tuple[str, str, tuple[str, ...]]:
    handle = standardize_handle(network, raw)
    return handle, handle_word(handle), handle_letters(handle)


def _agree(whole: Name, given: Name | None, family: Name | None) -> bool:
    """True when the parts given apart say the same as the whole name."""
    return (given is None or given.tokens[0] == whole.tokens[0]) and (
        family is None or family.tokens[-1] == whole.tokens[-1]
    )


def _pointer_part(key: object) -> str:
    return tidy_text(str(key)[:64])


@lru_cache(maxsize=4096)
def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
