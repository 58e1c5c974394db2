"""Keys with two secrets alive while a caller changes from one to the other."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, DateTime, Text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INSTANT = Text().with_variant(DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("api_keys") as table:
        table.add_column(Column("former_secret_hash", TEXT))
        table.add_column(Column("former_expires_at", INSTANT))
        table.create_check_constraint(
            "api_keys_former_secret",
            "(former_secret_hash IS NULL) = (former_expires_at IS NULL)"
            " AND (former_secret_hash IS NULL OR length(former_secret_hash) = 64)",
        )
