"""What is watched while records come one by one: records that failed in the queue, measurements of disagreement."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Integer, Text

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
