"""Runs the migrations on the connection it is given; the caller begins and commits.

DDL is transactional on both databases: the store's engine begins its transactions itself, so that SQLite
rolls a half-done migration back just as PostgreSQL does.
"""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    version_table=context.config.attributes["version_table"],
    target_metadata=context.config.attributes.get("target_metadata"),
    transactional_ddl=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
