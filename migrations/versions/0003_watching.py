"""What is watched while records come one by one: records that failed in the queue, measurements of disagreement,
identifiers that turned out not to be their holder's."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    Text,
    text,
)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.add_column("redo_records", Column("retry_at", INSTANT))
    op.add_column("redo_records", Column("reason", TEXT))
    op.create_table(
        "disagreement_measurements",
        Column("measurement_id", ID, primary_key=True),
        Column("measured_at", INSTANT, nullable=False),
        Column("model_version_id", ID, ForeignKey("model_versions.model_version_id"), nullable=False),
        Column("record_count", Integer, nullable=False),
        Column("waiting_count", Integer, nullable=False),
        Column("differing_count", Integer, nullable=False),
        Column("seed", BigInteger, nullable=False),
        CheckConstraint(
            "waiting_count >= 0 AND differing_count >= 0 AND waiting_count + differing_count <= record_count",
            name="disagreement_measurements_counts",
        ),
        sqlite_autoincrement=True,
    )
    op.add_column("shared_values", Column("is_held", Boolean, nullable=False, server_default=text("false")))
    _let_identifiers_be_reported()


def _let_identifiers_be_reported() -> None:
    kinds = "'phone', 'email', 'handle', 'loyalty_id', 'document', 'device_id', 'whatsapp_bsuid'"
    op.create_table(
        "identifier_reports",
        Column("report_id", ID, primary_key=True),
        Column("kind", TEXT, nullable=False),
        Column("value", TEXT, nullable=False),
        Column("variant", TEXT),
        Column("outcome", TEXT, nullable=False),
        Column("source_id", ID, ForeignKey("sources.source_id")),
        Column("profile_id", TEXT, ForeignKey("profiles.profile_id")),
        Column("reason", TEXT),
        Column("reported_by", TEXT, nullable=False),
        Column("reported_at", INSTANT, nullable=False),
        Column("valid_from", INSTANT, nullable=False),
        Column("valid_to", INSTANT),
        Column("closed_by", TEXT),
        Column("closed_reason", TEXT),
        CheckConstraint(f"kind IN ({kinds})", name="identifier_reports_kind"),
        CheckConstraint(
            "outcome IN ('wrong_person', 'bounced', 'recycled')", name="identifier_reports_outcome"
        ),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="identifier_reports_valid"),
        CheckConstraint("(valid_to IS NULL) = (closed_by IS NULL)", name="identifier_reports_closed"),
        CheckConstraint(
            "valid_to IS NOT NULL OR closed_reason IS NULL", name="identifier_reports_closed_reason"
        ),
        sqlite_autoincrement=True,
    )
    is_open = text("valid_to IS NULL")
    op.create_index(
        "identifier_reports_open_unique",
        "identifier_reports",
        ["kind", "value", "outcome", text("coalesce(source_id, 0)"), text("coalesce(profile_id, '')")],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    is_open_of_a_line = text("valid_to IS NULL AND variant IS NOT NULL")
    op.create_index(
        "identifier_reports_open_variant",
        "identifier_reports",
        ["kind", "variant"],
        sqlite_where=is_open_of_a_line,
        postgresql_where=is_open_of_a_line,
    )
    op.add_column(
        "ledger_entries",
        Column("report_id", ID, ForeignKey("identifier_reports.report_id")),
        inline_references=True,
    )
    has_report = text("report_id IS NOT NULL")
    op.create_index(
        "ledger_entries_report",
        "ledger_entries",
        ["report_id"],
        sqlite_where=has_report,
        postgresql_where=has_report,
    )
