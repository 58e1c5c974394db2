"""Find the profile that holds the identifiers a channel presents."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, and_, bindparam, select, tuple_

from cdp.identity.profile_reads import select_visible
from cdp.store.schema import identifier_values, identifiers, memberships
from resolution.standardize import Identifier, Refusal, SourceSettings, Standardizer

__all__ = ["CANDIDATES_AT_MOST", "Found", "Identifier", "Refusal", "look_up", "standardize_presented"]

CANDIDATES_AT_MOST = 20
# A value that nobody has counted yet may be held by thousands: what is told does not need them all.
_HOLDERS_AT_MOST = 200

_held = (
    select(identifiers.c.kind, identifiers.c.value, identifiers.c.variant, memberships.c.profile_id)
    .distinct()
    .join(
        memberships,
        and_(memberships.c.record_id == identifiers.c.record_id, memberships.c.valid_to.is_(None)),
    )
    .limit(_HOLDERS_AT_MOST)
)
_by_value = _held.where(
    tuple_(identifiers.c.kind, identifiers.c.value).in_(bindparam("wanted", expanding=True))
)
_by_variant = _held.where(
    identifiers.c.kind == "phone", identifiers.c.variant.in_(bindparam("variants", expanding=True))
)
_generic = select(identifier_values.c.kind, identifier_values.c.value).where(
    tuple_(identifier_values.c.kind, identifier_values.c.value).in_(bindparam("wanted", expanding=True)),
    identifier_values.c.sharing == "generic",
)


@dataclass(frozen=True)
class Found:
    """profile_id: the one profile that holds every identifier which anybody holds, None when there is none
    or several. candidates: when several, profile id to the positions of the identifiers it holds; those that
    hold most come first, twenty at most."""

    profile_id: str | None
    candidates: Mapping[str, tuple[int, ...]]


def standardize_presented(kind: str, raw: object, region: str) -> Identifier | Refusal:
    """An identifier as presented, made comparable by the rules that records go through."""
    return _standardizer(region).standardize_identifier(kind, raw)


def look_up(
    connection: Connection, presented: Sequence[Identifier], *, sources: Collection[str] | None = None
) -> Found:
    """Positions in `candidates` are those in `presented`.

    A generic value points at nobody. Phones that nobody holds as they are count by their variant key: the
    same line with or without its ninth digit.
    """
    holders = _select_holders(connection, presented)
    visible = select_visible(connection, {each for held in holders for each in held}, sources)
    positions: dict[str, list[int]] = {}
    for position, profile_ids in enumerate(holders):
        for profile_id in profile_ids & visible:
            positions.setdefault(profile_id, []).append(position)
    if not positions:
        return Found(None, {})
    held_by_anybody = len({position for each in positions.values() for position in each})
    complete = [profile_id for profile_id, each in positions.items() if len(each) == held_by_anybody]
    if len(complete) == 1:
        return Found(complete[0], {})
    ranked = sorted(positions.items(), key=lambda item: (-len(item[1]), item[0]))[:CANDIDATES_AT_MOST]
    return Found(None, {profile_id: tuple(each) for profile_id, each in ranked})


def _select_holders(connection: Connection, presented: Sequence[Identifier]) -> list[set[str]]:
    """For each identifier the ids of the profiles that hold it."""
    generic = _select_generic(connection, [(each.kind, each.value) for each in presented])
    wanted = {(each.kind, each.value) for each in presented} - generic
    by_value: dict[tuple[str, str], set[str]] = {}
    if wanted:
        for row in connection.execute(_by_value, {"wanted": sorted(wanted)}):
            by_value.setdefault((row.kind, row.value), set()).add(row.profile_id)
    unheld = {
        each.variant
        for each in presented
        if each.variant and (each.kind, each.value) in wanted - by_value.keys()
    }
    by_variant = _select_variant_holders(connection, unheld) if unheld else {}
    return [
        by_value.get((each.kind, each.value))
        or (by_variant.get(each.variant or "", set()) if (each.kind, each.value) in wanted else set())
        for each in presented
    ]


def _select_variant_holders(connection: Connection, variants: Collection[str]) -> dict[str, set[str]]:
    rows = connection.execute(_by_variant, {"variants": sorted(variants)}).all()
    generic = _select_generic(connection, sorted({(row.kind, row.value) for row in rows}))
    found: dict[str, set[str]] = {}
    for row in rows:
        if (row.kind, row.value) not in generic:
            found.setdefault(row.variant, set()).add(row.profile_id)
    return found


def _select_generic(connection: Connection, wanted: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    if not wanted:
        return set()
    return {(row.kind, row.value) for row in connection.execute(_generic, {"wanted": wanted})}


@lru_cache(maxsize=32)
def _standardizer(region: str) -> Standardizer:
    # It remembers no values: they are people's.
    return Standardizer(SourceSettings(default_region=region), cache_size=0)
