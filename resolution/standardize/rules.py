"""The rules of one source: every kind of value with its settings filled in, remembering what came out."""

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, TypeVar

from resolution.standardize.addresses import (
    standardize_country,
    standardize_place,
    standardize_postal_code,
    standardize_region,
    standardize_street,
)
from resolution.standardize.attributes import standardize_attribute, standardize_gender
from resolution.standardize.dates import standardize_date
from resolution.standardize.documents import standardize_document
from resolution.standardize.draft import Reason
from resolution.standardize.emails import letters_of, local_word, standardize_email
from resolution.standardize.handles import (
    handle_letters,
    handle_word,
    standardize_handle,
    standardize_scoped_id,
)
from resolution.standardize.names import standardize_name
from resolution.standardize.opaque_ids import (
    standardize_device_id,
    standardize_loyalty_id,
    standardize_whatsapp_bsuid,
)
from resolution.standardize.phones import standardize_phone
from resolution.standardize.shapes import RefusedValueError, SourceSettings
from resolution.standardize.text import show_words, tidy_text

P = ParamSpec("P")
T = TypeVar("T")


class Rules:
    """One callable a kind of value: raw text in, the standardized value or a Reason out; none raises.

    Those whose raw values come again and again remember up to `cache_size` of them, oldest forgotten first; 0
    remembers nothing. Of phones, documents and addresses hardly one in ten was seen among the last 10,000, and
    remembering them cost more than it saved.
    """

    def __init__(self, settings: SourceSettings, cache_size: int) -> None:
        region, area_code, order = (
            settings.default_region.upper(),
            settings.default_area_code,
            settings.date_order,
        )
        own_domains = frozenset(domain.lower() for domain in settings.own_domains)

        def remembered(rule: Callable[P, T]) -> Callable[P, T]:
            return lru_cache(maxsize=cache_size)(rule) if cache_size else rule  # type: ignore[return-value]

        def phone(raw: str) -> tuple[str, str]:
            return standardize_phone(raw, region, area_code)

        def email(raw: str) -> tuple[tuple[str, ...], str, str]:
            addresses = standardize_email(raw, own_domains)
            word = local_word(addresses[0])
            return addresses, word, letters_of(word)

        def handle(raw: str, network: str) -> tuple[str, str, tuple[str, ...]]:
            value = standardize_handle(raw, network)
            return value, handle_word(value), handle_letters(value)

        def birth_date(raw: str, latest: str, is_dated: bool) -> str:
            return standardize_date(raw, order, latest, is_dated=is_dated)

        self.name = remembered(_judged(standardize_name))
        self.birth_date = _judged(
            birth_date
        )  # two-digit years and futures hang on the day: not worth remembering
        self.gender = remembered(_judged(standardize_gender))
        self.phone = _judged(phone)
        self.email = _judged(email)
        self.handle = _judged(handle)
        self.scoped_id = _judged(standardize_scoped_id)
        self.loyalty_id = _judged(standardize_loyalty_id)
        self.document = _judged(standardize_document)
        self.device_id = _judged(standardize_device_id)
        self.whatsapp_bsuid = _judged(standardize_whatsapp_bsuid)
        self.street = _judged(standardize_street)
        self.place = remembered(_judged(_place))
        self.region = remembered(_judged(standardize_region))
        self.country = remembered(_judged(standardize_country))
        self.postal_code = _judged(standardize_postal_code)
        self.attribute = remembered(_judged(_attribute))


def _judged(rule: Callable[..., T]) -> Callable[..., T | Reason]:
    """The rule on tidy text, with its refusals as values."""

    def judged(raw: str, *rest: str) -> T | Reason:
        text = tidy_text(raw)
        if not text:
            return Reason("empty")
        try:
            return rule(text, *rest)
        except RefusedValueError as refusal:
            return Reason(refusal.reason)

    return judged


def _place(raw: str) -> tuple[str, str]:
    """As shown and as compared."""
    return show_words(raw), standardize_place(raw)


def _attribute(raw: str, key: str) -> tuple[str, str]:
    """As shown and as 'key=value'."""
    return raw, standardize_attribute(raw, key)
