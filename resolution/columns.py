"""The linkage columns: what a standardized record looks like to the engine, one name and type each.

docs/linkage-columns.md says what each holds. A list is sorted, without repeats and never empty; absent is null.
"""

from __future__ import annotations

SCALAR_COLUMNS = (
    "given_name",
    "given_sound",
    "family_name",
    "family_sound",
    "name_folded",
    "agnomen",
    "gender",
    "mother_name",
    "birth_date",
    "birth_year",
    "birth_day",
    "postal_code",
    "postal_area",
    "street",
    "house_number",
    "city",
    "district",
    "region",
    "country",
    "claim_digest",
)

LIST_COLUMNS = (
    "given_forms",
    "middle_names",
    "surname_sounds",
    "phones",
    "phone_variants",
    "phone_locals",
    "emails",
    "email_locals",
    "email_words",
    "name_words",
    "handles",
    "handle_words",
    "handle_locals",
    "loyalty_ids",
    "device_ids",
    "whatsapp_bsuids",
    "documents",
    "other_documents",
    "attributes",
    "claimed",
)

LINKAGE_COLUMNS = SCALAR_COLUMNS + LIST_COLUMNS

# Identifiers that many people may hold: their shared values move to a column of their own.
SHAREABLE_COLUMNS = (
    "phones",
    "emails",
    "handles",
    "whatsapp_bsuids",
    "loyalty_ids",
    "device_ids",
    "documents",
    "other_documents",
)

# A record with none of these is nobody in particular: a birth date and a city are many people's. A social name alone
# is known by its forms.
NAMING_COLUMNS = ("given_name", "given_forms", "family_name", "name_folded", *SHAREABLE_COLUMNS)
