"""Which value of each attribute a golden record shows, and why: pure rules over the records of one profile.

Each attribute has an ordered list of rules; a rule keeps the best of the values that are left, and the last
word is the record key, so that the same records always give the same golden record, whatever their order.
`survivorship.toml` is the default.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from operator import itemgetter
from pathlib import Path
from typing import Any

from cdp.errors import CdpError
from resolution.standardize import superseded_phones

Value = Any
# Attribute to its rules in order; 'default' serves those that are not named.
Rules = Mapping[str, Sequence[str]]

# A free attribute may be False or 0; these say nothing.
_EMPTY: tuple[Value, ...] = (None, "", {}, [])

# What a record may say of a person, and the rules may be about.
ATTRIBUTE_NAMES = (
    "full_name",
    "given_name",
    "family_name",
    "social_name",
    "agnomen",
    "birth_date",
    "gender",
    "address",
    "attributes",
)
RULE_NAMES = ("verified", "trusted", "most_frequent", "most_complete", "longest", "most_recent")


class SurvivorshipError(CdpError):
    """A survivorship file that cannot be used."""

    reason = "survivorship_invalid"


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A record of the profile. values: the standardized values people read; occurred_at: ISO text in UTC.

    identifiers: (kind, value, verified). verified: the fields that the record says were verified.
    """

    record_id: int
    source: str
    source_record_id: str
    source_trust: int
    occurred_at: str
    values: Mapping[str, Value]
    identifiers: Sequence[tuple[str, str, bool]]
    verified: frozenset[str] = frozenset()


# A value as one record gives it.
Given = tuple[MemberRecord, Value]


def choose_golden_record(
    records: Sequence[MemberRecord], rules: Rules, pins: Mapping[str, Given] | None = None
) -> dict[str, dict[str, Value]]:
    """Attribute to {value, rule, record_id, source, source_record_id, occurred_at, records}.

    `rule` is the rule that decided: one of RULE_NAMES, 'only_value' where the records agree or one alone has
    the attribute, 'record_key' where the rules could not decide, 'pinned' where a steward said so: pins are by the
    record they were taken from, with the value it gave then. `records` counts the records that give the value.
    'attributes' holds the free ones, each key chosen for itself, and
    'display_name' the social name, or else the full one.
    """
    given: dict[str, list[Given]] = {}
    for record in records:
        for attribute, value in record.values.items():
            if value:
                given.setdefault(attribute, []).append((record, value))
    free = _free_attributes(given.pop("attributes", ()), rules.get("attributes") or rules["default"])
    golden = {
        attribute: _choose(attribute, given[attribute], rules.get(attribute) or rules["default"])
        for attribute in sorted(given)
    }
    if free:
        golden["attributes"] = {"value": free, "rule": "by_key"}
    for attribute, (record, value) in (pins or {}).items():
        form = value_form(value)
        count = sum(value_form(other) == form for _, other in given.get(attribute, ()))
        golden[attribute] = _told(record, value, "pinned", count)
    for shown in ("social_name", "full_name"):
        if shown in golden:
            golden["display_name"] = {**golden[shown], "rule": shown}
            break
    return golden


def union_of_identifiers(records: Sequence[MemberRecord]) -> list[dict[str, Value]]:
    """Every identifier of the profile once as {type, value, verified, record_ids, last_seen_at}.

    By type; in a type the verified first, then the most recently seen, then by value. Behind them, with
    `superseded` true, phones that are the other form of a line that stands before them: known, and not to be dialled.
    """
    found: dict[tuple[str, str], dict[str, Value]] = {}
    for record in _in_key_order(records):
        for kind, value, is_verified in record.identifiers:
            entry = found.get((kind, value))
            if entry is None:
                found[(kind, value)] = {
                    "type": kind,
                    "value": value,
                    "verified": is_verified,
                    "record_ids": [record.record_id],
                    "last_seen_at": record.occurred_at,
                }
            else:
                entry["verified"] = entry["verified"] or is_verified
                entry["record_ids"].append(record.record_id)
                entry["last_seen_at"] = max(entry["last_seen_at"], record.occurred_at)
    # The last key first: sorting is stable.
    told = [found[key] for key in sorted(found)]
    if len(told) > 1:
        for value in superseded_phones({value for kind, value in found if kind == "phone"}):
            found["phone", value]["superseded"] = True
        told.sort(key=itemgetter("last_seen_at"), reverse=True)
        told.sort(key=lambda entry: (entry["type"], "superseded" in entry, not entry["verified"]))
    return told


def read_rules(path: Path | None) -> Rules:
    """The survivorship rules by attribute from a TOML file, or the shipped. Raises SurvivorshipError."""
    if path is None:
        return _shipped_rules()
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SurvivorshipError(f"{path} cannot be read ({error}): give a TOML file.") from error
    return parse_rules(text, str(path))


@cache
def _shipped_rules() -> Rules:
    shipped = resources.files("cdp.identity").joinpath("survivorship.toml")
    return parse_rules(shipped.read_text("utf-8"), "survivorship.toml")


def parse_rules(text: str, origin: str) -> Rules:
    """Raises SurvivorshipError naming what is missing or unknown."""
    try:
        rules = tomllib.loads(text).get("rules")
    except tomllib.TOMLDecodeError as error:
        raise SurvivorshipError(f"{origin} is not TOML: {error}.") from error
    if not isinstance(rules, dict) or not all(isinstance(names, list) for names in rules.values()):
        raise SurvivorshipError(f"{origin} needs a table [rules] of lines such as gender = ['most_recent'].")
    unknown = sorted({str(name) for names in rules.values() for name in names} - set(RULE_NAMES))
    if unknown:
        raise SurvivorshipError(
            f"{origin} names the rules {', '.join(unknown)}; there are {', '.join(RULE_NAMES)}."
        )
    misspelled = sorted(set(rules) - {*ATTRIBUTE_NAMES, "default"})
    if misspelled:
        raise SurvivorshipError(
            f"{origin} has rules for {', '.join(misspelled)}; there are {', '.join(ATTRIBUTE_NAMES)}, and default."
        )
    if "default" not in rules:
        raise SurvivorshipError(f"{origin} lacks the line default = [...] for attributes it does not name.")
    return rules


def _in_key_order(records: Sequence[MemberRecord]) -> Sequence[MemberRecord]:
    return records if len(records) == 1 else sorted(records, key=_record_key)


def _record_key(record: MemberRecord) -> tuple[str, str]:
    return record.source, record.source_record_id


def _choose(attribute: str, given: list[Given], rules: Sequence[str]) -> dict[str, Value]:
    """The value that the rules leave, none of those given being empty."""
    if len(given) == 1:
        return _told(*given[0], "only_value", 1)
    values = [value for _, value in given]
    if values.count(values[0]) == len(values):
        return _chosen(given, "only_value", len(given))
    forms = [value_form(value) for value in values]
    count_by_form = Counter(forms)
    left, decided_by = list(zip(given, forms, strict=True)), "only_value"
    forms_left = len(count_by_form)
    for rule in rules:
        if forms_left == 1:
            break
        ranks = _ranks(rule, attribute, left, count_by_form)
        best = max(ranks)
        if ranks.count(best) == len(ranks):
            continue
        left = _keep_best(left, ranks, best)
        forms_before, forms_left = forms_left, len({form for _, form in left})
        if forms_left < forms_before:
            decided_by = rule
    if forms_left > 1:
        moments = [record.occurred_at for (record, _), _ in left]
        left = _keep_best(left, moments, max(moments))
        _, form = min(left, key=lambda survivor: _record_key(survivor[0][0]))
        left, decided_by = [survivor for survivor in left if survivor[1] == form], "record_key"
    return _chosen([each for each, _ in left], decided_by, count_by_form[left[0][1]])


def _chosen(given: Sequence[Given], decided_by: str, record_count: int) -> dict[str, Value]:
    """Of the records that give the value the most recent shows it; the record key has the last word."""
    record, value = given[0]
    for other, its_value in given[1:]:
        is_older = other.occurred_at < record.occurred_at
        is_tie = other.occurred_at == record.occurred_at
        if not is_older and (not is_tie or _record_key(other) < _record_key(record)):
            record, value = other, its_value
    return _told(record, value, decided_by, record_count)


def _told(record: MemberRecord, value: Value, decided_by: str, record_count: int) -> dict[str, Value]:
    return {
        "value": value,
        "rule": decided_by,
        "record_id": record.record_id,
        "source": record.source,
        "source_record_id": record.source_record_id,
        "occurred_at": record.occurred_at,
        "records": record_count,
    }


def value_form(value: Value) -> str:
    """What makes two values one: case and blanks do not matter; a group is its parts in key order."""
    if isinstance(value, str):
        return " ".join(value.casefold().split())
    if isinstance(value, dict):
        return "|".join([f"{name}={value_form(part)}" for name, part in sorted(value.items()) if part])
    return " ".join(str(value).casefold().split())


# A given value with its form.
Survivor = tuple[Given, str]


def _keep_best(survivors: list[Survivor], ranks: Sequence[Any], best: Any) -> list[Survivor]:
    return [survivor for survivor, rank in zip(survivors, ranks, strict=True) if rank == best]


def _ranks(
    rule: str, attribute: str, survivors: list[Survivor], count_by_form: Mapping[str, int]
) -> list[Any]:
    """How good each value is by a rule; greater is better."""
    match rule:
        case "verified":
            return [attribute in record.verified for (record, _), _ in survivors]
        case "trusted":
            return [record.source_trust for (record, _), _ in survivors]
        case "most_frequent":
            return [count_by_form[form] for _, form in survivors]
        case "most_complete":
            return [_part_count(value) for (_, value), _ in survivors]
        case "longest":
            return [len(form) for _, form in survivors]
        case _:
            return [record.occurred_at for (record, _), _ in survivors]


def _part_count(value: Value) -> int:
    """Words of a text, parts of a group, parts of a date: 1980-02-29 is more complete than 1980."""
    if isinstance(value, dict):
        return len([part for part in value.values() if part])
    return len([word for word in str(value).replace("-", " ").split() if len(word.strip(".")) > 1])


def _free_attributes(free: Sequence[Given], rules: Sequence[str]) -> dict[str, dict[str, Value]]:
    """The free attributes, each key on its own. Free: the groups of them that the records give."""
    chosen: dict[str, dict[str, Value]] = {}
    for name in sorted({name for _, own in free for name in own}) if free else ():
        given = [(record, own[name]) for record, own in free if own.get(name) not in _EMPTY]
        if given:
            chosen[name] = _choose(name, given, rules)
    return chosen
