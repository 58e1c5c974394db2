"""Golden values that a decision pins, while it waits for a second person."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text, text

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def upgrade() -> None:
    pins = Column("pins", TEXT, nullable=False, server_default=text("'{}'"))
    op.add_column("decision_confirmations", pins)
