"""A store with people in it, built from raw records by the real rules, for tests of what is read from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from cdp.canonical import canonical_json
from cdp.identity.golden import golden_text
from cdp.identity.models import insert_model, replace_activation
from cdp.identity.shared_values import COLUMNS_OF_KIND
from cdp.identity.sources import NewSource, insert_sources
from cdp.identity.survivorship import MemberRecord, read_rules
from cdp.privacy.issue import issue_key
from cdp.privacy.keys import KeyRights, make_key
from cdp.store import schema, write
from cdp.store.instants import format_instant
from resolution import Model, default_specification_text, initial_model, parse_specification, value_key
from resolution.explanation import explain_pair
from resolution.standardize import STANDARDIZER_VERSION, SourceSettings, standardize_record

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
# What two records of a pair agree in unless the test says otherwise; all else is missing.
AGREEMENT = {"given_name": "equal", "family_name": "equal", "email": "equal", "phone": "different"}


def a_record(**changes: Any) -> dict[str, Any]:
    """A valid record; None takes a field out."""
    record = {
        "source": "crm",
        "source_record_id": "c-1",
        "occurred_at": "2026-01-01T00:00:00Z",
        "full_name": "Ana Reis",
        "birth_date": "1980-02-29",
        "phones": ["11 98765-4321"],
        "emails": ["ana@example.com"],
        **changes,
    }
    return {name: value for name, value in record.items() if value is not None}


@dataclass(frozen=True)
class BuiltProfile:
    profile_id: str
    record_ids: list[int]


@cache
def _prior() -> Model:
    return initial_model(parse_specification(default_specification_text()))


class StoreBuilder:
    """Fills a migrated, empty store; the prior model is in force unless `model` says otherwise."""

    def __init__(self, engine: Engine, *, model: bool = True) -> None:
        self.engine = engine
        self.model: Model = _prior()
        self._numbers = iter(range(1, 10_000))
        self._sources: dict[str, int] = {}
        if model:
            with write(engine) as connection:
                insert_model(
                    connection, self.model, label="people 0", report={}, seed=0, record_count=0, now=NOW
                )
                replace_activation(connection, 0, author="test", reason="the prior", now=NOW)

    def add_key(
        self, *scopes: str, sources: Sequence[str] | None = None, views: Sequence[str] | None = None
    ) -> str:
        """A key's secret; `admin` when no scope is named."""
        key = make_key()
        rights = KeyRights(
            "test",
            scopes or ("admin",),
            sources=None if sources is None else tuple(sources),
            views=None if views is None else tuple(views),
        )
        issue_key(self.engine, key, rights, actor="test", now=NOW)
        return key.secret

    def add_sources(self, *names: str, claims: bool = False) -> None:
        with write(self.engine) as connection:
            new = [NewSource(name, SourceSettings(claims=claims)) for name in names]
            insert_sources(connection, new, now=NOW)

    def add_profile(
        self,
        *records: Mapping[str, Any],
        levels: Mapping[str, str] = AGREEMENT,
        frequency_weights: Mapping[str, float] | None = None,
        join_kind: str = "evidence",
        keep_edges: bool = True,
    ) -> BuiltProfile:
        """A live profile of these records: the first creates it, each other is joined to the one before."""
        profile_id = f"P{next(self._numbers):025d}"
        with write(self.engine) as connection:
            self._insert_profile(connection, profile_id)
            members: list[MemberRecord] = []
            for raw in records:
                member = self._insert_record(connection, raw)
                joins = []
                if members:
                    low, high = members[-1].record_id, member.record_id
                    edge = self._edge(low, high, levels, frequency_weights or {})
                    if keep_edges:
                        connection.execute(schema.edges.insert(), edge)
                    joins = [
                        {
                            "record_id_l": low,
                            "record_id_r": high,
                            "match_weight": edge["match_weight"],
                            "mean_weight": edge["match_weight"],
                            "kind": join_kind,
                        }
                    ]
                self._enter(connection, profile_id, member.record_id, joins)
                members.append(member)
            connection.execute(
                update(schema.profiles)
                .where(schema.profiles.c.profile_id == profile_id)
                .values(golden=golden_text(members, read_rules(None)), record_count=len(members))
            )
        return BuiltProfile(profile_id, [member.record_id for member in members])

    def set_state(self, profile_id: str, state: str, *, absorbed_into: str | None = None) -> None:
        self._change(profile_id, state=state, absorbed_into=absorbed_into)

    def set_version(self, profile_id: str, version: int) -> None:
        self._change(profile_id, version=version)

    def forget_joins(self, record_id: int) -> None:
        """Let the ledger tell no join of the entry by which the record came, as of one beyond the fiftieth."""
        entries, moves = schema.ledger_entries, schema.ledger_moves
        moved = select(moves.c.ledger_entry_id).where(moves.c.record_id == record_id)
        with write(self.engine) as connection:
            connection.execute(
                update(entries)
                .where(entries.c.ledger_entry_id.in_(moved))
                .values(evidence=canonical_json({"joins": []}))
            )

    def share(self, kind: str, value: str, sharing: str) -> None:
        """Hold a value to be 'shared' or 'generic'."""
        counted = {"value": value, "holder_count": 9, "sharing": sharing, "counted_at": NOW}
        with write(self.engine) as connection:
            for column in COLUMNS_OF_KIND[kind]:
                row = {"value_key": value_key(column, value), "column_name": column, **counted}
                connection.execute(schema.shared_values.insert(), row)

    def add_identifier(self, record_id: int, kind: str, value: str, variant: str | None = None) -> None:
        row = {"record_id": record_id, "kind": kind, "value": value, "variant": variant, "verified": False}
        with write(self.engine) as connection:
            connection.execute(schema.identifiers.insert(), row)

    def audited(self) -> list[dict[str, Any]]:
        """What was audited of profiles, oldest first."""
        table = schema.audit_entries
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(table).where(table.c.object_kind == "profile").order_by(table.c.audit_id)
            ).mappings()
            return [{**row, "details": json.loads(row["details"])} for row in rows]

    def _change(self, profile_id: str, **values: Any) -> None:
        with write(self.engine) as connection:
            connection.execute(
                update(schema.profiles).where(schema.profiles.c.profile_id == profile_id).values(values)
            )

    def _insert_profile(self, connection: Connection, profile_id: str) -> None:
        connection.execute(
            schema.profiles.insert(),
            {
                "profile_id": profile_id,
                "state": "live",
                "version": 1,
                "record_count": 0,
                "golden": "{}",
                "created_at": NOW,
                "updated_at": NOW,
            },
        )

    def _insert_record(self, connection: Connection, raw: Mapping[str, Any]) -> MemberRecord:
        standardized = standardize_record(raw, SourceSettings())
        occurred_at = datetime.fromisoformat(raw["occurred_at"])
        result = connection.execute(
            schema.source_records.insert().returning(schema.source_records.c.record_id),
            {
                "source_id": self._source_id(connection, raw["source"]),
                "source_record_id": raw["source_record_id"],
                "occurred_at": occurred_at,
                "received_at": NOW,
                "raw": canonical_json(raw),
                "raw_hash": "0" * 32,
                "standardized": canonical_json(
                    {
                        "values": standardized.values,
                        "linkage": standardized.linkage,
                        "refusals": [
                            {"field": each.field, "reason": each.reason} for each in standardized.refusals
                        ],
                    }
                ),
                "standardizer_version": STANDARDIZER_VERSION,
            },
        )
        record_id: int = result.scalar_one()
        for each in standardized.identifiers:
            connection.execute(
                schema.identifiers.insert(),
                {
                    "record_id": record_id,
                    "kind": each.kind,
                    "value": each.value,
                    "variant": each.variant,
                    "verified": each.verified,
                },
            )
        return MemberRecord(
            record_id=record_id,
            source=raw["source"],
            source_record_id=raw["source_record_id"],
            source_trust=50,
            occurred_at=format_instant(occurred_at),
            values=standardized.values,
            identifiers=[(each.kind, each.value, each.verified) for each in standardized.identifiers],
        )

    def _source_id(self, connection: Connection, name: str) -> int:
        if name not in self._sources:
            row = {
                "name": name,
                "default_region": "BR",
                "date_order": "dmy",
                "trust": 50,
                "settings": "{}",
                "created_at": NOW,
            }
            inserted = schema.sources.insert().returning(schema.sources.c.source_id)
            self._sources[name] = connection.execute(inserted, row).scalar_one()
        return self._sources[name]

    def _edge(
        self, low: int, high: int, levels: Mapping[str, str], frequency_weights: Mapping[str, float]
    ) -> dict[str, Any]:
        places = [
            [level.label for level in comparison.levels].index(levels.get(comparison.name, "missing"))
            for comparison in self.model.specification.comparisons
        ]
        return {
            "record_id_l": low,
            "record_id_r": high,
            "model_version_id": self.model.version,
            "match_weight": explain_pair(self.model, places, frequency_weights).match_weight,
            "evidence": canonical_json({"levels": places, "frequency_weights": dict(frequency_weights)}),
        }

    def _enter(
        self, connection: Connection, profile_id: str, record_id: int, joins: Sequence[Mapping[str, Any]]
    ) -> None:
        """The ledger entry, its move and the membership of one record."""
        number = next(self._numbers)
        entered = schema.ledger_entries.insert().returning(schema.ledger_entries.c.ledger_entry_id)
        entry = {
            "kind": "attach" if joins else "create",
            "profile_id": profile_id,
            "author": "machine",
            "reason": "resolution",
            "model_version_id": self.model.version,
            "evidence": canonical_json({"joins": list(joins)}),
            "recorded_at": NOW + timedelta(seconds=number),
        }
        entry_id: int = connection.execute(entered, entry).scalar_one()
        move = {"ledger_entry_id": entry_id, "record_id": record_id, "to_profile_id": profile_id}
        connection.execute(schema.ledger_moves.insert(), move)
        membership = {
            "record_id": record_id,
            "profile_id": profile_id,
            "ledger_entry_id": entry_id,
            "valid_from": NOW,
        }
        connection.execute(schema.memberships.insert(), membership)
