"""A store of records to be resolved, and looks at what resolving made of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, update

from cdp.canonical import canonical_json
from cdp.identity.models import PRIOR_VERSION, insert_model, replace_activation
from cdp.identity.record_loads import Load, VersionContent, VersionKey, load_versions
from cdp.identity.resolve import ResolutionReport, resolve_all
from cdp.identity.sources import NewSource, insert_sources, select_sources
from cdp.store import read, schema, write
from resolution import Specification, initial_model, linkage_hash, parse_specification
from resolution.standardize import STANDARDIZER_VERSION, SourceSettings, standardize_record

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
LATEST = NOW + timedelta(days=2)

ANA = {"full_name": "Ana Lúcia Reis", "birth_date": "1980-02-29", "phones": ["11 98765-4321"]}
ANA_AGAIN = {"full_name": "Ana L. Reis", "phones": ["+55 11 98765-4321"], "emails": ["ana.reis@example.com"]}
ANA_ONLINE = {"full_name": "Ana Lúcia Reis", "birth_date": "1980-02-29", "emails": ["ana.reis@example.com"]}
BRUNO = {"full_name": "Bruno Tavares", "birth_date": "1971-05-03", "phones": ["21 99876-1234"]}
CLARA = {"full_name": "Clara Nunes Prado", "birth_date": "1992-10-10", "emails": ["cprado@example.com"]}


def small_specification() -> Specification:
    """Given and family name, phone, e-mail; see small.toml."""
    path = Path(__file__).parent / "small.toml"
    return parse_specification(path.read_text("utf-8"), "small.toml")


def use_small_model(store: Engine) -> None:
    """Put the small model in force as version 0."""
    model = initial_model(small_specification(), PRIOR_VERSION)
    with write(store) as connection:
        insert_model(connection, model, label="small", report={}, seed=0, record_count=0, now=NOW)
        replace_activation(connection, PRIOR_VERSION, author="test", reason="quick", now=NOW)


def a_record(key: str, values: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A raw record `crm:key` of a person."""
    return {
        "source": "crm",
        "source_record_id": key,
        "occurred_at": "2026-01-01T00:00:00Z",
        **values,
        **changes,
    }


def add_records(store: Engine, *raws: Mapping[str, Any], now: datetime = NOW) -> None:
    """Load raw records in this order; newer versions replace older ones."""
    with write(store) as connection:
        known = select_sources(connection)
        new = sorted({raw["source"] for raw in raws} - known.keys())
        insert_sources(connection, [NewSource(name, SourceSettings()) for name in new], now=now)
        known = select_sources(connection)
        load = Load(
            keys=lambda: (_version_key(raw, known[raw["source"]].source_id) for raw in raws),
            contents=lambda: (_content(raw) for raw in raws),
            part_sizes=[len(raws)],
            standardizer_version=STANDARDIZER_VERSION,
        )
        load_versions(connection, load, now=now)


def delete_record(store: Engine, key: str, *, now: datetime = NOW) -> None:
    with write(store) as connection:
        connection.execute(
            update(schema.source_records)
            .where(schema.source_records.c.source_record_id == key)
            .values(deleted_at=now)
        )


def resolve(store: Engine, *, now: datetime = NOW, **options: Any) -> ResolutionReport:
    """The clock stands at `now` unless one is given."""
    return resolve_all(store, **{"clock": lambda: now, "author": "test", **options})


def constrain(store: Engine, kind: str, left: str, right: str, *, now: datetime = NOW) -> None:
    """A steward's ruling on two records, named by their keys."""
    with write(store) as connection:
        records = schema.source_records
        ends = connection.scalars(
            select(records.c.record_id).where(records.c.source_record_id.in_((left, right)))
        ).all()
        row = {"kind": kind, "author": "steward", "reason": "known", "valid_from": now}
        connection.execute(
            schema.pair_constraints.insert(), {**row, "record_id_l": min(ends), "record_id_r": max(ends)}
        )


def lift_constraints(store: Engine, *, now: datetime = LATER) -> None:
    with write(store) as connection:
        connection.execute(update(schema.pair_constraints).values(valid_to=now))


def people(store: Engine) -> set[frozenset[str]]:
    """The records of each profile, by their keys."""
    return {frozenset(keys) for keys in members(store).values()}


def members(store: Engine) -> dict[str, set[str]]:
    """Profile id to the keys of its records."""
    records, memberships = schema.source_records, schema.memberships
    statement = (
        select(memberships.c.profile_id, records.c.source_record_id)
        .join_from(memberships, records, records.c.record_id == memberships.c.record_id)
        .where(memberships.c.valid_to.is_(None))
    )
    found: dict[str, set[str]] = {}
    with read(store) as connection:
        for profile_id, key in connection.execute(statement):
            found.setdefault(profile_id, set()).add(key)
    return found


def profile_of(store: Engine, key: str) -> str:
    return next(profile_id for profile_id, keys in members(store).items() if key in keys)


def rows(store: Engine, table: str) -> list[dict[str, Any]]:
    """Every row of a table in the order of its key, JSON texts parsed."""
    chosen = schema.metadata.tables[table]
    with read(store) as connection:
        found = connection.execute(select(chosen).order_by(*chosen.primary_key)).mappings().all()
    return [{name: _parsed(value) for name, value in row.items()} for row in found]


def profile(store: Engine, profile_id: str) -> dict[str, Any]:
    return next(row for row in rows(store, "profiles") if row["profile_id"] == profile_id)


def counts(store: Engine, tables: Iterable[str]) -> dict[str, int]:
    with read(store) as connection:
        return {
            name: connection.scalars(select(func.count()).select_from(schema.metadata.tables[name])).one()
            for name in tables
        }


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] in "{[" and value else value


def _version_key(raw: Mapping[str, Any], source_id: int) -> VersionKey:
    digest = hashlib.md5(canonical_json(raw).encode(), usedforsecurity=False).hexdigest()
    occurred_at = datetime.fromisoformat(raw["occurred_at"])
    return VersionKey(source_id, raw["source_record_id"], occurred_at, digest)


def _content(raw: Mapping[str, Any]) -> VersionContent:
    standardized = standardize_record(raw, SourceSettings())
    text = canonical_json({"values": standardized.values, "linkage": standardized.linkage, "refusals": []})
    identifiers = [(each.kind, each.value, each.variant, each.verified) for each in standardized.identifiers]
    return VersionContent(canonical_json(raw), text, identifiers, linkage_hash(standardized.linkage))
