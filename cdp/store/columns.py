"""The vocabulary the tables are written in: the metadata they share, column types, constraints."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, Text, text
from sqlalchemy.sql.elements import TextClause

metadata = MetaData()

# SQLite counts up only in a column typed INTEGER.
ID = BigInteger().with_variant(Integer(), "sqlite")
# Text sorts by code point on both databases, whatever the locale of the PostgreSQL cluster.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def key(column: str) -> Column[int]:
    return Column(column, ID, primary_key=True)


def refers(column: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(column, ID, ForeignKey(target), nullable=nullable)


def one_of(name: str, column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


def index_where(name: str, condition: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


def unique_where(name: str, condition: str, *columns: str | TextClause) -> Index:
    return Index(name, *columns, unique=True, sqlite_where=text(condition), postgresql_where=text(condition))
