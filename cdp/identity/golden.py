"""Golden records from the store: the members of each profile, read in order, and what survives of them.

Grain: one golden record per profile. Its text is canonical, so that equal members give equal text:
{"attributes": what choose_golden_record gives, "identifiers": what union_of_identifiers gives}.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Connection, FromClause, Select, select, type_coerce

from cdp.identity.pins import NO_PINS, PinsByRecord, choose_pins, select_all_pins
from cdp.identity.rules_file import rules_file
from cdp.identity.standardized import values_of
from cdp.identity.survivorship import (
    MemberRecord,
    Rules,
    choose_golden_record,
    read_rules,
    union_of_identifiers,
)
from cdp.store import stream_rows
from cdp.store.instants import InstantText
from cdp.store.quick import QuickStatement
from cdp.store.schema import identifiers, memberships, source_records, sources

# The golden record of a profile that has no records.
NO_GOLDEN = "{}"

# Raised when the same members give another golden record than before, so that all are made anew.
_GOLDEN_FORM = 2

_NOTHING_VERIFIED: frozenset[str] = frozenset()
# In the place of the next record that has identifiers, when there is none.
_NO_IDENTIFIERS: tuple[int | None, Iterator[Any]] = (None, iter(()))

# What member_record is made from. The instant is only ever written as text: parsing and formatting it took as long as
# reading all the rest.
MEMBER_COLUMNS = (
    source_records.c.record_id,
    source_records.c.source_id,
    source_records.c.source_record_id,
    type_coerce(source_records.c.occurred_at, InstantText).label("occurred_at"),
    source_records.c.standardized,
    source_records.c.raw,
)


@dataclass(frozen=True)
class Survivorship:
    """How golden records are chosen now: the rules, and each source's name and trust by its id."""

    rules: Rules
    sources: Mapping[int, tuple[str, int]]

    def digest(self) -> str:
        """Changes with anything that could change a golden record of unchanged members."""
        content = [_GOLDEN_FORM, self.rules, sorted((name, trust) for name, trust in self.sources.values())]
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def select_survivorship(connection: Connection) -> Survivorship:
    """As they are now. Raises SurvivorshipError for a file of rules that cannot be used.

    Asked with every record that comes: the shipped rules and an unchanged file cost nothing, the sources a read.
    """
    path = os.environ.get("CDP_SURVIVORSHIP_FILE")
    rules = rules_file(path).rules() if path else read_rules(None)
    rows = _SOURCES.fetch(connection)
    return Survivorship(rules, {source_id: (name, trust) for source_id, name, trust in rows})


_SOURCES = QuickStatement(select(sources.c.source_id, sources.c.name, sources.c.trust))


def golden_text(members: Sequence[MemberRecord], rules: Rules, pins: PinsByRecord = NO_PINS) -> str:
    """The golden record of a profile as the store keeps it."""
    golden = {
        "attributes": choose_golden_record(members, rules, choose_pins(members, pins) if pins else None),
        "identifiers": union_of_identifiers(members),
    }
    return orjson.dumps(golden, option=orjson.OPT_SORT_KEYS).decode()


def open_memberships() -> Select[tuple[str, int]]:
    """(profile_key, record_id) of every profile as it is now, for stream_golden."""
    return select(memberships.c.profile_id.label("profile_key"), memberships.c.record_id).where(
        memberships.c.valid_to.is_(None)
    )


def stream_golden(
    connection: Connection, assigned: FromClause, survivorship: Survivorship
) -> Iterator[tuple[Any, int, str]]:
    """(profile_key, member count, golden text) in the order of the keys.

    Assigned: one row per record, with profile_key and record_id. Members are read as they are needed.
    """
    pins = select_all_pins(connection)
    for profile_key, members in stream_members(connection, assigned, survivorship):
        yield profile_key, len(members), golden_text(members, survivorship.rules, pins)


def stream_members(
    connection: Connection, assigned: FromClause, survivorship: Survivorship
) -> Iterator[tuple[Any, list[MemberRecord]]]:
    """The members of each profile of `assigned`, in the order of profile_key."""
    identified = _IdentifierRows(connection, assigned)
    rows: Iterator[Any] = chain.from_iterable(stream_rows(connection, _record_rows(assigned)))
    for profile_key, of_profile in groupby(rows, key=itemgetter(0)):
        yield (
            profile_key,
            [member_record(row[1:], identified.take(row[1]), survivorship) for row in of_profile],
        )


def _record_rows(assigned: FromClause) -> Select[Any]:
    return (
        select(assigned.c.profile_key, *MEMBER_COLUMNS)
        .join_from(assigned, source_records, source_records.c.record_id == assigned.c.record_id)
        .order_by(assigned.c.profile_key, assigned.c.record_id)
    )


def member_record(
    row: Sequence[Any], identified: list[tuple[str, str, bool]], survivorship: Survivorship
) -> MemberRecord:
    """Row: MEMBER_COLUMNS. Identifiers in their order."""
    record_id, source_id, source_record_id, occurred_at, standardized, raw = row
    name, trust = survivorship.sources[source_id]
    return MemberRecord(
        record_id=record_id,
        source=name,
        source_record_id=source_record_id,
        source_trust=trust,
        occurred_at=occurred_at,
        values=values_of(standardized),
        identifiers=identified,
        verified=verified_fields(raw),
    )


def verified_fields(raw: str) -> frozenset[str]:
    # Parsing every raw record would double the time, and few say that anything is verified.
    return frozenset(orjson.loads(raw).get("verified") or ()) if '"verified"' in raw else _NOTHING_VERIFIED


class _IdentifierRows:
    """The identifiers of the records, read side by side with them in the same order."""

    def __init__(self, connection: Connection, assigned: FromClause) -> None:
        statement = (
            select(assigned.c.record_id, identifiers.c.kind, identifiers.c.value, identifiers.c.verified)
            .join_from(assigned, identifiers, identifiers.c.record_id == assigned.c.record_id)
            .order_by(assigned.c.profile_key, assigned.c.record_id, identifiers.c.kind, identifiers.c.value)
        )
        rows: Iterator[Any] = chain.from_iterable(stream_rows(connection, statement))
        self._groups: Iterator[tuple[int | None, Iterator[Any]]] = groupby(rows, key=itemgetter(0))
        self._next_id, self._next = next(self._groups, _NO_IDENTIFIERS)

    def take(self, record_id: int) -> list[tuple[str, str, bool]]:
        """The identifiers of the next record."""
        if record_id != self._next_id:
            return []
        taken = [(kind, value, is_verified) for _, kind, value, is_verified in self._next]
        self._next_id, self._next = next(self._groups, _NO_IDENTIFIERS)
        return taken
