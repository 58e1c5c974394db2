"""Which value of each attribute a golden record shows, and why: pure rules over the records of one profile.

Each attribute has an ordered list of rules; a rule keeps the best of the values that are left, and the last
word is the record key, so that the same records always give the same golden record, whatever their order.
`survivorship.toml` is the default.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from cdp.errors import CdpError

Value = Any
# Attribute to its rules in order; 'default' serves those that are not named.
Rules = Mapping[str, Sequence[str]]

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


@dataclass(frozen=True, slots=True)
class Survivor:
    """One value as one record gives it. form: what makes two values the same."""

    value: Value
    form: str
    record: MemberRecord


def choose_golden_record(
    records: Sequence[MemberRecord], rules: Rules, pins: Mapping[str, Value] | None = None
) -> dict[str, dict[str, Value]]:
    """Attribute to {value, rule, record_id, source, source_record_id, occurred_at, records}.

    `rule` is the rule that decided: one of RULE_NAMES, 'only_value' where the records agree or one alone has
    the attribute, 'record_key' where the rules could not decide, 'pinned' where a steward said so. `records`
    counts the records that give the value. 'attributes' holds the free ones, each key chosen for itself, and
    'display_name' the social name, or else the full one.
    """
    golden: dict[str, dict[str, Value]] = {}
    for attribute in sorted({name for record in records for name in record.values}):
        if attribute == "attributes":
            continue
        survivors = _survivors((record, record.values.get(attribute)) for record in records)
        if survivors:
            golden[attribute] = _choose(attribute, survivors, rules.get(attribute, rules["default"]))
    free = _free_attributes(records, rules.get("attributes", rules["default"]))
    if free:
        golden["attributes"] = {"value": free, "rule": "by_key"}
    for attribute, value in (pins or {}).items():
        golden[attribute] = {"value": value, "rule": "pinned"}
    for shown in ("social_name", "full_name"):
        if shown in golden:
            golden["display_name"] = {**golden[shown], "rule": shown}
            break
    return golden


def union_of_identifiers(records: Sequence[MemberRecord]) -> list[dict[str, Value]]:
    """Every identifier of the profile once as {type, value, verified, record_ids, last_seen_at}.

    By type; in a type the verified first, then the most recently seen, then by value.
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
    by_value = sorted(found.values(), key=lambda entry: str(entry["value"]))
    by_age = sorted(by_value, key=lambda entry: str(entry["last_seen_at"]), reverse=True)
    return sorted(by_age, key=lambda entry: (entry["type"], not entry["verified"]))


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
    if "default" not in rules:
        raise SurvivorshipError(f"{origin} lacks the line default = [...] for attributes it does not name.")
    return rules


def _in_key_order(records: Sequence[MemberRecord]) -> Sequence[MemberRecord]:
    if len(records) == 1:
        return records
    return sorted(records, key=lambda record: (record.source, record.source_record_id))


def _survivors(values: Iterable[tuple[MemberRecord, Value]]) -> list[Survivor]:
    return [
        Survivor(value, _form(value), record)
        for record, value in values
        if value is not None and value != "" and value != {} and value != []
    ]


def _form(value: Value) -> str:
    """What makes two values one: case and blanks do not matter; a group is its parts in key order."""
    if isinstance(value, Mapping):
        return "|".join(f"{name}={_form(part)}" for name, part in sorted(value.items()) if part)
    return " ".join(str(value).casefold().split())


def _choose(attribute: str, survivors: list[Survivor], rules: Sequence[str]) -> dict[str, Value]:
    if len(survivors) == 1:
        return _chosen(survivors[0], "only_value", 1)
    count_by_form = Counter(survivor.form for survivor in survivors)
    left, form_count, decided_by = survivors, len(count_by_form), "only_value"
    for rule in rules:
        if form_count == 1:
            break
        rank = _ranking(rule, attribute, count_by_form)
        left = _keep_best(left, rank)
        forms_left = len({survivor.form for survivor in left})
        if forms_left < form_count:
            form_count, decided_by = forms_left, rule
    if form_count > 1:
        decided_by = "record_key"
    # Of the records that give the value, the most recent shows it; the record key has the last word.
    winner = min(
        _keep_best(left, lambda survivor: survivor.record.occurred_at),
        key=lambda survivor: (survivor.record.source, survivor.record.source_record_id),
    )
    return _chosen(winner, decided_by, count_by_form[winner.form])


def _chosen(winner: Survivor, decided_by: str, record_count: int) -> dict[str, Value]:
    record = winner.record
    return {
        "value": winner.value,
        "rule": decided_by,
        "record_id": record.record_id,
        "source": record.source,
        "source_record_id": record.source_record_id,
        "occurred_at": record.occurred_at,
        "records": record_count,
    }


def _keep_best(survivors: list[Survivor], rank: Callable[[Survivor], Any]) -> list[Survivor]:
    ranks = [rank(survivor) for survivor in survivors]
    best = max(ranks)
    return [survivor for survivor, its_rank in zip(survivors, ranks, strict=True) if its_rank == best]


def _ranking(rule: str, attribute: str, count_by_form: Mapping[str, int]) -> Callable[[Survivor], Any]:
    """How good a value is by a rule; greater is better."""
    match rule:
        case "verified":
            return lambda survivor: attribute in survivor.record.verified
        case "trusted":
            return lambda survivor: survivor.record.source_trust
        case "most_frequent":
            return lambda survivor: count_by_form[survivor.form]
        case "most_complete":
            return lambda survivor: _part_count(survivor.value)
        case "longest":
            return lambda survivor: len(survivor.form)
        case _:
            return lambda survivor: survivor.record.occurred_at


def _part_count(value: Value) -> int:
    """Words of a text, parts of a group, parts of a date: 1980-02-29 is more complete than 1980."""
    if isinstance(value, Mapping):
        return sum(1 for part in value.values() if part)
    return sum(1 for word in str(value).replace("-", " ").split() if len(word.strip(".")) > 1)


def _free_attributes(records: Sequence[MemberRecord], rules: Sequence[str]) -> dict[str, dict[str, Value]]:
    """The free attributes, each key on its own."""
    given = [(record, free) for record in records if (free := record.values.get("attributes"))]
    chosen: dict[str, dict[str, Value]] = {}
    for name in sorted({name for _, free in given for name in free}):
        survivors = _survivors((record, free.get(name)) for record, free in given)
        if survivors:
            chosen[name] = _choose(name, survivors, rules)
    return chosen
