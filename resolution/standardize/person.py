"""What a record says about a person: name, birth date, gender, address, free attributes."""

from collections.abc import Mapping

from resolution.standardize.addresses import postal_area, show_postal_code
from resolution.standardize.attributes import ATTRIBUTES_AT_MOST, MOTHER_NAME_KEYS, mother_name_of
from resolution.standardize.dates import is_too_old, year_of
from resolution.standardize.draft import LIST_AT_MOST, Draft
from resolution.standardize.names import Name, compose_name, linkage_of_name, shown_parts
from resolution.standardize.phonetics import given_forms
from resolution.standardize.rules import Rules
from resolution.standardize.text import tidy_text


def add_name(draft: Draft, rules: Rules) -> None:
    """The whole name decides; given and family name stand in when there is none, or only one word of it.

    The social name is what people are shown, and its first name is one more form of the given name.
    """
    record = draft.record
    full = _name_of(draft, rules, "full_name")
    given = _name_of(draft, rules, "given_name") if record.get("given_name") else None
    family = _name_of(draft, rules, "family_name") if record.get("family_name") else None
    social = _name_of(draft, rules, "social_name") if record.get("social_name") else None
    whole = _whole_name(full, compose_name(given, family)) or social
    if whole is None:
        return
    only_family = whole is family
    draft.linkage.update(linkage_of_name(whole, only_family=only_family))
    _show_name(draft, whole, None if only_family else given, family)
    if social is not None:
        draft.values["social_name"] = social.shown
        draft.put_list("given_forms", {*draft.linkage.get("given_forms", ()), *given_forms(social.tokens[0])})


def _name_of(draft: Draft, rules: Rules, field: str) -> Name | None:
    raw = draft.record.get(field)
    if raw is None:
        return None
    name = draft.accept(rules.name, raw, f"/{field}")
    if name is not None and name.cut:
        draft.refuse(f"/{field}", "truncated")
    return name


def _whole_name(full: Name | None, apart: Name | None) -> Name | None:
    """The full name, unless it is one word and the parts say more; its agnomen is not lost."""
    if full is None or apart is None:
        return full or apart
    if len(full.tokens) > 1 or len(apart.tokens) == 1:
        return full
    return Name(apart.shown, apart.tokens, apart.agnomen or full.agnomen)


def _show_name(draft: Draft, whole: Name, given: Name | None, family: Name | None) -> None:
    """Values for people; parts given apart are shown as given when they say the same as the whole name."""
    shown_given, shown_family = shown_parts(whole)
    if family is not None and family.tokens[-1] == whole.tokens[-1]:
        shown_family = family.shown
        if given is None and len(whole.tokens) == len(family.tokens):
            shown_given = None
    if given is not None and given.tokens[0] == whole.tokens[0]:
        shown_given = given.shown
    draft.values["full_name"] = whole.shown
    if shown_given:
        draft.values["given_name"] = shown_given
    if shown_family:
        draft.values["family_name"] = shown_family
    if whole.agnomen:
        draft.values["agnomen"] = whole.agnomen


def add_birth_date(draft: Draft, rules: Rules, today: str) -> None:
    """The day the record spoke bounds the date on both sides; of an impossible date the year is kept."""
    raw = draft.record.get("birth_date")
    if raw is None:
        return
    spoken_on = _day_of(draft.record.get("occurred_at"))
    latest = spoken_on or today
    refused_before = len(draft.refusals)
    born = draft.accept(rules.birth_date, raw, "/birth_date", latest, spoken_on is not None)
    if born is None and isinstance(raw, str) and draft.refusals[refused_before:]:
        born = year_of(raw, latest) if draft.refusals[-1].reason == "invalid" else None
        born = None if born and spoken_on and is_too_old(born, spoken_on) else born
    if born is None:
        return
    draft.values["birth_date"] = born
    if born[0] != "-":
        draft.linkage["birth_year"] = born[:4]
    if len(born) == 10:
        draft.linkage["birth_date"] = born
    if len(born) > 4:
        draft.linkage["birth_day"] = born[-5:]


def _day_of(instant: object) -> str | None:
    if isinstance(instant, str) and instant[:4].isdecimal() and instant[4:5] == "-" and instant.isascii():
        return instant[:10]
    return None


def add_gender(draft: Draft, rules: Rules) -> None:
    """m, f or x."""
    raw = draft.record.get("gender")
    gender = None if raw is None else draft.accept(rules.gender, raw, "/gender")
    if gender is not None:
        draft.values["gender"] = draft.linkage["gender"] = gender


def add_address(draft: Draft, rules: Rules, default_country: str) -> None:
    """The address as one group of values, and its linkage columns."""
    address = draft.record.get("address")
    if not address:
        return
    if not isinstance(address, Mapping):
        draft.refuse("/address", "invalid")
        return
    shown: dict[str, str] = {}
    country = default_country
    if (raw := address.get("country")) is not None:
        named = draft.accept(rules.country, raw, "/address/country")
        if named is not None:
            shown["country"] = draft.linkage["country"] = country = named
    if "street" in address or "number" in address:
        _add_street(draft, rules, address, shown, country)
    for field in ("district", "city"):
        if (raw := address.get(field)) is not None:
            place = draft.accept(rules.place, raw, f"/address/{field}")
            if place is not None:
                shown[field], draft.linkage[field] = place
    if (raw := address.get("region")) is not None:
        region = draft.accept(rules.region, raw, "/address/region")
        if region is not None:
            draft.linkage["region"] = region
            shown["region"] = region.upper() if len(region) < 4 else region.title()
    if (raw := address.get("postal_code")) is not None:
        code = draft.accept(rules.postal_code, raw, "/address/postal_code", country)
        if code is not None:
            draft.linkage["postal_code"] = code
            draft.linkage["postal_area"] = postal_area(code, country)
            shown["postal_code"] = show_postal_code(code, country)
    if shown:
        draft.values["address"] = shown


def _add_street(
    draft: Draft, rules: Rules, address: Mapping[str, object], shown: dict[str, str], country: str
) -> None:
    """A number of its own beats the one inside the street line."""
    street = draft.accept(rules.street, address.get("street"), "/address/street", country)
    if street is not None:
        shown["street"] = street.shown
        if street.name:
            draft.linkage["street"] = street.name
        if street.house_number:
            shown["number"] = draft.linkage["house_number"] = street.house_number
        if street.complement:
            shown["complement"] = street.complement
    number = draft.accept(rules.place, address.get("number"), "/address/number")
    if number is not None and number[1] not in ("s n", "sn"):
        shown["number"], draft.linkage["house_number"] = number


def add_attributes(draft: Draft, rules: Rules) -> None:
    """Free attributes to show, as 'key=value' to compare, and the mother's name as a column of its own."""
    attributes = draft.record.get("attributes")
    if not attributes:
        return
    if not isinstance(attributes, Mapping):
        draft.refuse("/attributes", "invalid")
        return
    if (mother := mother_name_of(attributes)) is not None:
        name = draft.accept(rules.name, mother[1], f"/attributes/{mother[0]}")
        if name is not None:
            draft.linkage["mother_name"] = " ".join(name.tokens)
    shown: dict[str, str] = {}
    columns: set[str] = set()
    for key, raw in list(attributes.items())[:LIST_AT_MOST]:
        name_of_key = tidy_text(str(key)[:64])
        text = str(raw).lower() if isinstance(raw, bool) else raw
        pair = draft.accept(rules.attribute, text, f"/attributes/{_escaped(name_of_key)}", name_of_key)
        if pair is None:
            continue
        shown[name_of_key] = pair[0]
        if key not in MOTHER_NAME_KEYS:
            columns.add(pair[1])
    if len(attributes) > LIST_AT_MOST:
        draft.refuse("/attributes", "too_many")
    if shown:
        draft.values["attributes"] = shown
    draft.put_list("attributes", sorted(columns)[:ATTRIBUTES_AT_MOST])


def _escaped(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
