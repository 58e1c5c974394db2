"""Find the profile that holds the identifiers a channel presents."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, or_, select

from cdp.identity.shared_values import COLUMNS_OF_KIND, select_generic
from cdp.identity.sources import select_sources
from cdp.store.quick import QuickStatement
from cdp.store.schema import identifiers, memberships, shared_values, source_records
from cdp.store.schema import sources as sources_table
from cdp.store.sets import set_values, text_set
from resolution import value_key
from resolution.standardize import Identifier, Refusal, SourceSettings, Standardizer

__all__ = ["CANDIDATES_AT_MOST", "Found", "Identifier", "Refusal", "look_up", "standardize_presented"]

CANDIDATES_AT_MOST = 20
# A value that nobody has counted yet may be held by thousands: what is told does not need them all.
_HOLDERS_AT_MOST = 200


@dataclass(frozen=True)
class Found:
    """profile_id: the one profile that holds every identifier which anybody holds, None when there is none
    or several. candidates: when several, profile id to the positions of the identifiers it holds; those that
    hold most come first, twenty at most."""

    profile_id: str | None
    candidates: Mapping[str, tuple[int, ...]]


def standardize_presented(
    kind: str, raw: object, region: str, *, as_typed: bool = False
) -> Identifier | Refusal:
    """An identifier as presented, made comparable by the rules that records go through. As typed: no domain mended."""
    return _standardizer(region).standardize_identifier(kind, raw, as_typed=as_typed)


def look_up(
    connection: Connection, presented: Sequence[Identifier], *, sources: Collection[str] | None = None
) -> Found:
    """Positions in `candidates` are those in `presented`.

    A generic value points at nobody. Phones that nobody holds as they are count by their variant key: the
    same line with or without its ninth digit. Of several profiles that hold everything, the one that holds it by more
    than a claim is found: nobody becomes ambiguous because someone typed their e-mail into a form.
    """
    holders = _select_holders(connection, presented, sources)
    positions: dict[str, list[int]] = {}
    for position, profile_ids in enumerate(holders):
        for profile_id in profile_ids:
            positions.setdefault(profile_id, []).append(position)
    if not positions:
        return Found(None, {})
    held_by_anybody = {position for each in positions.values() for position in each}
    complete = [profile_id for profile_id, each in positions.items() if len(each) == len(held_by_anybody)]
    if len(complete) > 1:
        held = [presented[position] for position in held_by_anybody]
        complete = _holding_without_claim(connection, held, complete)
    if len(complete) == 1:
        return Found(complete[0], {})
    ranked = sorted(positions.items(), key=lambda item: (-len(item[1]), item[0]))[:CANDIDATES_AT_MOST]
    return Found(None, {profile_id: tuple(each) for profile_id, each in ranked})


def _select_holders(
    connection: Connection, presented: Sequence[Identifier], sources: Collection[str] | None
) -> list[set[str]]:
    """For each identifier the ids of the profiles that hold it, and a record of one of the sources."""
    dialect = connection.dialect.name
    seen = {} if sources is None else set_values(connection, "sources", sources)
    by_value, by_variant, among = (
        make(dialect, is_bound=sources is not None) for make in (_by_value, _by_variant, _by_value_among)
    )
    found: dict[tuple[str, str], set[str]] = {}
    for each in presented:
        key = (each.kind, each.value)
        if key in found:
            continue
        rows = by_value.fetch(connection, **_bound(*key), **seen)
        if not rows and each.variant and not select_generic(connection, [key]):
            rows = by_variant.fetch(connection, variant=each.variant, **seen)
            generic_forms = select_generic(connection, sorted({(row.kind, row.value) for row in rows}))
            rows = [row for row in rows if (row.kind, row.value) not in generic_forms]
        found[key] = {row.profile_id for row in rows}
    elsewhere = set().union(*found.values())
    for (kind, value), profile_ids in found.items():
        # Not all its holders were read: those whom another value names count first.
        if len(profile_ids) >= _HOLDERS_AT_MOST and (others := sorted(elsewhere - profile_ids)):
            wanted = set_values(connection, "profile_ids", others)
            rows = among.fetch(connection, **_bound(kind, value), **wanted, **seen)
            profile_ids.update(row.profile_id for row in rows)
    return [found[each.kind, each.value] for each in presented]


def _holding_without_claim(
    connection: Connection, held: Sequence[Identifier], profile_ids: Sequence[str]
) -> list[str]:
    """Those of the profiles in which some record holds each identifier, or its line, and does not merely claim it."""
    claiming = [each.source_id for each in select_sources(connection).values() if each.settings.claims]
    if not claiming:
        return list(profile_ids)
    statement = (
        select(memberships.c.profile_id)
        .distinct()
        .join(identifiers, identifiers.c.record_id == memberships.c.record_id)
        .join(source_records, source_records.c.record_id == memberships.c.record_id)
        .where(
            memberships.c.valid_to.is_(None),
            or_(identifiers.c.verified, source_records.c.source_id.not_in(claiming)),
        )
    )
    left = list(profile_ids)
    for each in held:
        same = and_(identifiers.c.kind == each.kind, identifiers.c.value == each.value)
        if each.variant:
            same = or_(same, and_(identifiers.c.kind == "phone", identifiers.c.variant == each.variant))
        left = list(connection.scalars(statement.where(same, memberships.c.profile_id.in_(left))))
    return left


@lru_cache
def _by_value(dialect: str, *, is_bound: bool) -> QuickStatement:
    return QuickStatement(_held(dialect, is_bound=is_bound).where(*_this_value()))


@lru_cache
def _by_value_among(dialect: str, *, is_bound: bool) -> QuickStatement:
    among = memberships.c.profile_id.in_(select(text_set(dialect, "profile_ids").c.id))
    return QuickStatement(_held(dialect, is_bound=is_bound).where(*_this_value(), among))


@lru_cache
def _by_variant(dialect: str, *, is_bound: bool) -> QuickStatement:
    same_line = (identifiers.c.kind == "phone", identifiers.c.variant == bindparam("variant"))
    return QuickStatement(_held(dialect, is_bound=is_bound).where(*same_line))


def _this_value() -> tuple[ColumnElement[bool], ...]:
    """That of _bound, unless it is generic: then nobody holds it."""
    generic = select(shared_values.c.value_key).where(
        shared_values.c.value_key.in_((bindparam("value_key"), bindparam("other_key"))),
        shared_values.c.sharing == "generic",
    )
    return (
        identifiers.c.kind == bindparam("kind"),
        identifiers.c.value == bindparam("value"),
        ~generic.exists(),
    )


def _bound(kind: str, value: str) -> dict[str, Any]:
    # A document is one of two columns of the engine; other kinds have one.
    keys = [value_key(column, value) for column in COLUMNS_OF_KIND[kind]]
    return {"kind": kind, "value": value, "value_key": keys[0], "other_key": keys[-1]}


def _held(dialect: str, *, is_bound: bool) -> Select[tuple[str, str, str]]:
    """The profiles of one value, the first of them by id; each value has a statement and so a limit of its own.

    Bound: only profiles that hold a record of one of the sources.
    """
    held = (
        select(identifiers.c.kind, identifiers.c.value, memberships.c.profile_id)
        .distinct()
        .join(memberships, memberships.c.record_id == identifiers.c.record_id)
        .where(memberships.c.valid_to.is_(None))
        .order_by(memberships.c.profile_id, identifiers.c.kind, identifiers.c.value)
        .limit(_HOLDERS_AT_MOST)
    )
    if not is_bound:
        return held
    member = memberships.alias()
    visible = (
        select(member.c.profile_id)
        .join(source_records, source_records.c.record_id == member.c.record_id)
        .join(sources_table, sources_table.c.source_id == source_records.c.source_id)
        .where(
            member.c.profile_id == memberships.c.profile_id,
            member.c.valid_to.is_(None),
            sources_table.c.name.in_(select(text_set(dialect, "sources").c.id)),
        )
    )
    return held.where(visible.exists())


@lru_cache(maxsize=32)
def _standardizer(region: str) -> Standardizer:
    # It remembers no values: they are people's.
    return Standardizer(SourceSettings(default_region=region), cache_size=0)
