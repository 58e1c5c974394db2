"""The queue of merge candidates: what it is sorted and narrowed by, who works on what."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    text,
)

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")

_KINDS = ("phone", "email", "handle", "loyalty_id", "document", "device_id", "whatsapp_bsuid")


def upgrade() -> None:
    for each in (
        Column("record_count", Integer, nullable=False, server_default=text("0")),
        Column("source_id_l", ID, ForeignKey("sources.source_id")),
        Column("source_id_r", ID, ForeignKey("sources.source_id")),
        Column("identifier_kinds", Integer, nullable=False, server_default=text("0")),
        Column("assignee", TEXT),
        Column("due_at", INSTANT),
    ):
        op.add_column("merge_candidates", each, inline_references=bool(each.foreign_keys))
    _weigh()
    op.drop_index("merge_candidates_open_weight", table_name="merge_candidates")
    is_open = text("state = 'open'")
    op.create_index(
        "merge_candidates_queue",
        "merge_candidates",
        [
            "match_weight",
            "candidate_id",
            "match_probability",
            "reason",
            "created_at",
            "due_at",
            "record_count",
            "identifier_kinds",
            "source_id_l",
            "source_id_r",
            "assignee",
        ],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "candidate_leases",
        Column(
            "candidate_id",
            ID,
            ForeignKey("merge_candidates.candidate_id"),
            primary_key=True,
            autoincrement=False,
        ),
        Column("owner", TEXT, nullable=False),
        Column("claimed_at", INSTANT, nullable=False),
        Column("expires_at", INSTANT, nullable=False),
        CheckConstraint("expires_at >= claimed_at", name="candidate_leases_expiry"),
        Index("candidate_leases_owner", "owner"),
    )
    op.create_table(
        "candidate_skips",
        Column("person", TEXT, nullable=False),
        Column("candidate_id", ID, ForeignKey("merge_candidates.candidate_id"), nullable=False),
        Column("skipped_at", INSTANT, nullable=False),
        Column("hidden_until", INSTANT, nullable=False),
        PrimaryKeyConstraint("person", "candidate_id"),
        CheckConstraint("hidden_until >= skipped_at", name="candidate_skips_hidden"),
    )


def _weigh() -> None:
    bits = " ".join(f"WHEN '{kind}' THEN {1 << place}" for place, kind in enumerate(_KINDS))
    op.execute(
        text(
            f"""
            UPDATE merge_candidates SET
                record_count = (
                    SELECT coalesce(sum(record_count), 0) FROM profiles
                    WHERE profile_id IN (profile_id_l, profile_id_r)),
                source_id_l = (SELECT source_id FROM source_records WHERE record_id = record_id_l),
                source_id_r = (SELECT source_id FROM source_records WHERE record_id = record_id_r),
                identifier_kinds = (
                    SELECT coalesce(sum(DISTINCT CASE one.kind {bits} END), 0)
                    FROM identifiers AS one JOIN identifiers AS other ON other.kind = one.kind
                    WHERE one.record_id = record_id_l AND other.record_id = record_id_r)
            WHERE state = 'open'
            """  # noqa: S608  numbers and names of this file
        )
    )
