"""What the queue is sorted by is kept with each candidate, so that the first of many is found sooner."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Double, text

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_STANDING = """
    CASE WHEN reason IN ('exclusive_conflict', 'size_limit')
              AND 4.0 * match_probability * (1.0 - match_probability) < 0.5
         THEN 0.5 ELSE 4.0 * match_probability * (1.0 - match_probability) END
    * (CAST(record_count AS double precision) / (CAST(record_count AS double precision) + 10.0))
    * (1.0 + CAST(worth AS double precision) / (CAST(worth AS double precision) + 20.0))"""
_OPENED_DAY = {
    "sqlite": "julianday(created_at) - 2440587.5",
    "postgresql": "CAST(extract(epoch FROM created_at) AS double precision) / 86400",
}


def upgrade() -> None:
    for name in ("standing", "opened_day"):
        op.add_column("merge_candidates", Column(name, Double, nullable=False, server_default=text("0")))
    opened_day = _OPENED_DAY[op.get_bind().dialect.name]
    op.execute(
        text(
            f"UPDATE merge_candidates SET standing = {_STANDING}, opened_day = {opened_day} "  # noqa: S608
            "WHERE state = 'open'"
        )
    )
    op.drop_index("merge_candidates_queue", table_name="merge_candidates")
    condition = text("state = 'open'")
    op.create_index(
        "merge_candidates_queue",
        "merge_candidates",
        [
            "match_weight",
            "candidate_id",
            "standing",
            "opened_day",
            "match_probability",
            "reason",
            "due_at",
            "record_count",
            "identifier_kinds",
            "source_id_l",
            "source_id_r",
            "assignee",
            "state",
        ],
        sqlite_where=condition,
        postgresql_where=condition,
    )
