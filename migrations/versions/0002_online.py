"""What one record at a time needs: equal records, holders of values, origins of edges, stewards' actions."""

from __future__ import annotations

import hashlib

import orjson
from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    bindparam,
    column,
    select,
    table,
    text,
    update,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")

_RECORDS_AT_ONCE = 5_000


def refers(name: str, target: str) -> Column[int]:
    return Column(name, ID, ForeignKey(target))


def index_where(name: str, table_name: str, condition: str, *columns: str) -> None:
    where = text(condition)
    op.create_index(name, table_name, list(columns), sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.add_column(
        "source_records", Column("linkage_hash", BigInteger, nullable=False, server_default=text("0"))
    )
    _hash_linkages(op.get_bind())
    index_where("source_records_linkage", "source_records", "deleted_at IS NULL", "linkage_hash")
    op.add_column("edges", Column("origin", TEXT, nullable=False, server_default=text("'blocked'")))
    op.create_table(
        "value_holders",
        Column("value_key", BigInteger, nullable=False),
        Column("given_sound", TEXT, nullable=False),
        Column("record_id", ID, nullable=False),
        PrimaryKeyConstraint("value_key", "given_sound", "record_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "shared_values",
        Column("value_key", BigInteger, primary_key=True, autoincrement=False),
        Column("column_name", TEXT, nullable=False),
        Column("value", TEXT, nullable=False),
        Column("holder_count", Integer, nullable=False),
        Column("sharing", TEXT, nullable=False),
        Column("counted_at", INSTANT, nullable=False),
        CheckConstraint("sharing IN ('shared', 'generic')", name="shared_values_sharing"),
        CheckConstraint("holder_count >= 0", name="shared_values_holder_count"),
    )
    op.drop_table("identifier_values")
    op.create_table(
        "redo_records",
        Column(
            "record_id", ID, ForeignKey("source_records.record_id"), primary_key=True, autoincrement=False
        ),
        Column("queued_at", INSTANT, nullable=False),
    )
    op.create_table(
        "steward_actions",
        Column("action_id", ID, primary_key=True),
        Column("kind", TEXT, nullable=False),
        Column("author", TEXT, nullable=False),
        Column("reason", TEXT, nullable=False),
        refers("candidate_id", "merge_candidates.candidate_id"),
        Column("decision", TEXT),
        refers("undoes_action_id", "steward_actions.action_id"),
        Column("undoes_entry_id", ID),
        refers("undone_by", "steward_actions.action_id"),
        Column("recorded_at", INSTANT, nullable=False),
        CheckConstraint("kind IN ('join', 'split', 'decision', 'undo')", name="steward_actions_kind"),
        CheckConstraint(
            "decision IS NULL OR decision IN ('same', 'different', 'unsure')", name="steward_actions_decision"
        ),
        Index(
            "steward_actions_candidate",
            "candidate_id",
            sqlite_where=text("candidate_id IS NOT NULL"),
            postgresql_where=text("candidate_id IS NOT NULL"),
        ),
        sqlite_autoincrement=True,
    )
    for name in ("opened_by", "closed_by"):
        op.add_column("pair_constraints", refers(name, "steward_actions.action_id"), inline_references=True)
    _let_rulings_agree()
    op.add_column("ledger_entries", refers("action_id", "steward_actions.action_id"), inline_references=True)
    index_where("ledger_entries_action", "ledger_entries", "action_id IS NOT NULL", "action_id")


def _let_rulings_agree() -> None:
    """Several rulings may open the same constraint: it is in force until the last of them is taken back."""
    op.drop_index("pair_constraints_open_unique", table_name="pair_constraints")
    is_open = text("valid_to IS NULL")
    op.create_index(
        "pair_constraints_open_unique",
        "pair_constraints",
        ["record_id_l", "record_id_r", "kind", text("coalesce(opened_by, 0)")],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    index_where("pair_constraints_opened", "pair_constraints", "opened_by IS NOT NULL", "opened_by")
    index_where("pair_constraints_closed", "pair_constraints", "closed_by IS NOT NULL", "closed_by")


def _hash_linkages(connection: Connection) -> None:
    """As resolution.standardize has it at this revision: 63 bits of MD5 over the linkage columns."""
    records = table("source_records", column("record_id"), column("standardized"), column("linkage_hash"))
    hashing = (
        update(records)
        .where(records.c.record_id == bindparam("hashed_id"))
        .values(linkage_hash=bindparam("hash"))
    )
    last = 0
    while True:
        rows = connection.execute(
            select(records.c.record_id, records.c.standardized)
            .where(records.c.record_id > last)
            .order_by(records.c.record_id)
            .limit(_RECORDS_AT_ONCE)
        ).all()
        if not rows:
            return
        connection.execute(
            hashing, [{"hashed_id": row.record_id, "hash": _linkage_hash(row.standardized)} for row in rows]
        )
        last = rows[-1].record_id


def _linkage_hash(standardized: str) -> int:
    linkage = orjson.dumps(orjson.loads(standardized).get("linkage", {}), option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.md5(linkage, usedforsecurity=False).digest()[8:], "little") >> 1
