"""A raw source record made into values for people, identifiers, linkage columns and refusals."""

from collections.abc import Iterable, Mapping
from datetime import date

from resolution.standardize.claims import add_claims
from resolution.standardize.draft import Draft
from resolution.standardize.identifiers import add_identifiers, one_identifier
from resolution.standardize.person import add_address, add_attributes, add_birth_date, add_gender, add_name
from resolution.standardize.rules import Rules
from resolution.standardize.shapes import Identifier, Refusal, SourceSettings, StandardizedRecord

_NO_BOUND = "9998-12-31"


class Standardizer:
    """Standardizes the records of one source and remembers what raw values came out as, where they repeat.

    `today` bounds the birth dates of records without `occurred_at`; None sets no bound. The memory holds at
    most `cache_size` raw values a kind; 0 remembers nothing and gives the same results.
    """

    def __init__(
        self, settings: SourceSettings, *, today: date | None = None, cache_size: int = 100_000
    ) -> None:
        self._rules = Rules(settings, cache_size)
        self._country = settings.default_region.upper()
        self._claims = settings.claims
        self._today = today.isoformat() if today else _NO_BOUND

    def standardize(self, record: Mapping[str, object]) -> StandardizedRecord:
        """Everything one raw record says; never raises on bad values, each of them gives a refusal instead.

        Linkage columns, absent when there is nothing; lists (*) are sorted, distinct and never empty:
        given_name, given_forms*, given_sound, middle_names*, family_name, family_sound, surname_sounds*,
        name_folded, name_words*, agnomen, gender, mother_name, birth_date, birth_year, birth_day (MM-DD),
        phones*, phone_variants*, phone_locals* (last 8 digits, Brazil), emails*, email_locals*, email_words*,
        handles*, handle_locals*, handle_words*, loyalty_ids*, device_ids*, whatsapp_bsuids*, documents*,
        other_documents*, postal_code, postal_area, street, house_number, city, district, region, country,
        attributes*; of a source of claims also claimed*, claim_digest.
        """
        if not isinstance(record, Mapping):
            return StandardizedRecord({}, (), {}, (Refusal("", "invalid"),))
        return self.standardize_all([record])[0]

    def standardize_all(self, records: Iterable[Mapping[str, object]]) -> list[StandardizedRecord]:
        """What `standardize` gives for each of some hundred records, in order.

        Every part of all of them, then the next part: code and tables of one part stay in the processor's cache,
        which takes a sixth less time than all parts of every record.
        """
        drafts = list(map(Draft, records))
        rules = self._rules
        for draft in drafts:
            add_name(draft, rules)
        for draft in drafts:
            add_birth_date(draft, rules, self._today)
            add_gender(draft, rules)
        for draft in drafts:
            add_identifiers(draft, rules)
        for draft in drafts:
            add_address(draft, rules, self._country)
            add_attributes(draft, rules)
        if self._claims:
            for draft in drafts:
                add_claims(draft)
        return [draft.finish() for draft in drafts]

    def standardize_identifier(
        self, kind: str, raw: object, *, as_typed: bool = False
    ) -> Identifier | Refusal:
        """One identifier as a lookup names it: 'phone' and '11 98765-4321', 'cpf' and '390.533.447-05'.

        Handles, loyalty ids and documents also come as the mapping a record would hold. As typed: an e-mail whose
        domain looks like a slip is left as it is. Never verified here.
        """
        return one_identifier(kind, raw, self._rules, as_typed=as_typed)


def standardize_record(record: Mapping[str, object], settings: SourceSettings) -> StandardizedRecord:
    """One raw record without any memory; see Standardizer.standardize."""
    return Standardizer(settings, cache_size=0).standardize(record)


def standardize_identifier(kind: str, raw: object, settings: SourceSettings) -> Identifier | Refusal:
    """One identifier without any memory; see Standardizer.standardize_identifier."""
    return Standardizer(settings, cache_size=0).standardize_identifier(kind, raw)
