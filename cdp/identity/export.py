"""Take out what resolution made: memberships, golden records, merge candidates, in chunks of constant memory.

Each function gives lists of rows in the order of its COLUMNS, inside the caller's read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from cdp.canonical import canonical_json
from cdp.store import id_set, schema, stream_rows
from cdp.store.instants import format_instant

MEMBERSHIP_COLUMNS = ("source", "source_record_id", "record_id", "profile_id")
CANDIDATE_COLUMNS = (
    "candidate_id",
    "state",
    "match_weight",
    "match_probability",
    "reason",
    "source_l",
    "source_record_id_l",
    "record_id_l",
    "profile_id_l",
    "source_r",
    "source_record_id_r",
    "record_id_r",
    "profile_id_r",
    "model_version_id",
    "created_at",
    "closed_at",
    "closed_by",
)
# Golden values that are one text, and those of the address, which golden records hold as one group.
GOLDEN_TEXTS = (
    *("display_name", "full_name", "given_name", "family_name", "social_name", "agnomen"),
    *("birth_date", "gender"),
)
ADDRESS_PARTS = ("street", "number", "district", "city", "region", "postal_code", "country")
# Identifiers by their column; several of one kind are parted by a blank bar blank.
IDENTIFIER_COLUMNS = {
    "phones": "phone",
    "emails": "email",
    "handles": "handle",
    "loyalty_ids": "loyalty_id",
    "documents": "document",
}
PROFILE_COLUMNS = (
    *("profile_id", "version", "record_count", "created_at", "updated_at"),
    *GOLDEN_TEXTS,
    *ADDRESS_PARTS,
    "attributes",
    *IDENTIFIER_COLUMNS,
)

Rows = list[tuple[Any, ...]]


def stream_memberships(connection: Connection) -> Iterator[Rows]:
    """Where every record is now, in order of record_id; records without a profile are left out."""
    members, records, sources = schema.memberships, schema.source_records, schema.sources
    statement = (
        select(sources.c.name, records.c.source_record_id, members.c.record_id, members.c.profile_id)
        .join_from(members, records, members.c.record_id == records.c.record_id)
        .join(sources, sources.c.source_id == records.c.source_id)
        .where(members.c.valid_to.is_(None))
        .order_by(members.c.record_id)
    )
    for chunk in stream_rows(connection, statement):
        yield [tuple(row) for row in chunk]


def stream_candidates(connection: Connection) -> Iterator[Rows]:
    """Every merge candidate, decided ones too, in order of candidate_id."""
    candidates = schema.merge_candidates
    left, right = schema.source_records.alias("left_records"), schema.source_records.alias("right_records")
    left_source, right_source = schema.sources.alias("left_sources"), schema.sources.alias("right_sources")
    of_candidate = candidates.c
    statement = (
        select(
            of_candidate.candidate_id,
            of_candidate.state,
            of_candidate.match_weight,
            of_candidate.match_probability,
            of_candidate.reason,
            left_source.c.name.label("source_l"),
            left.c.source_record_id.label("source_record_id_l"),
            of_candidate.record_id_l,
            of_candidate.profile_id_l,
            right_source.c.name.label("source_r"),
            right.c.source_record_id.label("source_record_id_r"),
            of_candidate.record_id_r,
            of_candidate.profile_id_r,
            of_candidate.model_version_id,
            of_candidate.created_at,
            of_candidate.closed_at,
            of_candidate.closed_by,
        )
        .join_from(candidates, left, left.c.record_id == of_candidate.record_id_l)
        .join(left_source, left_source.c.source_id == left.c.source_id)
        .join(right, right.c.record_id == of_candidate.record_id_r)
        .join(right_source, right_source.c.source_id == right.c.source_id)
        .order_by(of_candidate.candidate_id)
    )
    for chunk in stream_rows(connection, statement):
        yield [
            (
                *row[:-3],
                format_instant(row.created_at),
                None if row.closed_at is None else format_instant(row.closed_at),
                row.closed_by,
            )
            for row in chunk
        ]


def stream_profiles(connection: Connection) -> Iterator[Rows]:
    """The golden record and the identifiers of every live profile, in order of profile_id."""
    profiles = schema.profiles
    statement = (
        select(
            profiles.c.profile_id,
            profiles.c.version,
            profiles.c.record_count,
            profiles.c.created_at,
            profiles.c.updated_at,
            profiles.c.golden,
        )
        .where(profiles.c.state == "live")
        .order_by(profiles.c.profile_id)
    )
    for chunk in stream_rows(connection, statement):
        identifiers = select_identifiers(connection, [row.profile_id for row in chunk])
        yield [
            (
                row.profile_id,
                row.version,
                row.record_count,
                format_instant(row.created_at),
                format_instant(row.updated_at),
                *flatten_golden(orjson.loads(row.golden).get("attributes", {})),
                *(
                    " | ".join(identifiers.get((row.profile_id, kind), ())) or None
                    for kind in IDENTIFIER_COLUMNS.values()
                ),
            )
            for row in chunk
        ]


def select_identifiers(
    connection: Connection, profile_ids: Sequence[str]
) -> dict[tuple[str, str], list[str]]:
    """By profile and kind, the values that its records carry, each once, in order."""
    members, identifiers = schema.memberships, schema.identifiers
    wanted = id_set(connection, profile_ids)
    statement = (
        select(members.c.profile_id, identifiers.c.kind, identifiers.c.value)
        .join_from(wanted, members, members.c.profile_id == wanted.c.id)
        .join(identifiers, identifiers.c.record_id == members.c.record_id)
        .where(members.c.valid_to.is_(None))
        .distinct()
        .order_by(members.c.profile_id, identifiers.c.kind, identifiers.c.value)
    )
    found: dict[tuple[str, str], list[str]] = {}
    for profile_id, kind, value in connection.execute(statement):
        found.setdefault((profile_id, kind), []).append(value)
    return found


def flatten_golden(golden: Mapping[str, Mapping[str, Any]]) -> tuple[str | None, ...]:
    """The values of GOLDEN_TEXTS, ADDRESS_PARTS and the free attributes as JSON, without their provenance."""
    values = {name: chosen.get("value") for name, chosen in golden.items() if isinstance(chosen, Mapping)}
    address = values.get("address") or {}
    free = {name: chosen.get("value") for name, chosen in (values.get("attributes") or {}).items()}
    return (
        *(values.get(name) for name in GOLDEN_TEXTS),
        *(address.get(part) for part in ADDRESS_PARTS),
        canonical_json(free) if free else None,
    )
