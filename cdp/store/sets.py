"""Sets of numbers as relations, in statements that are built once: the set travels as bound values.

A relation of this module has the same text whatever is in it, so that a statement over it is compiled once a process.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Text,
    any_,
    bindparam,
    func,
    select,
)


def number_set(dialect: str, name: str) -> FromClause:
    """One column, `id`; bind its numbers with set_values."""
    if dialect == "sqlite":
        members = func.json_each(bindparam(name, type_=Text)).table_valued("value")
        return select(members.c.value.label("id")).subquery(name)
    bound = bindparam(name, type_=ARRAY(BigInteger))
    return func.unnest(bound).table_valued("id", name=name).render_derived()


def text_set(dialect: str, name: str) -> FromClause:
    """The same for texts."""
    if dialect == "sqlite":
        return number_set(dialect, name)
    bound = bindparam(name, type_=ARRAY(Text))
    return func.unnest(bound).table_valued("id", name=name).render_derived()


def is_among(dialect: str, column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Whether an indexed column holds one of the numbers; bind them with set_values.

    PostgreSQL looks each of them up. Of a set that it joins it expects rows by the mean, and reads the whole table
    where one value is on half of the rows.
    """
    if dialect == "sqlite":
        return column.in_(select(number_set(dialect, name).c.id))
    return column == any_(bindparam(name, type_=ARRAY(BigInteger)))


def set_values(connection: Connection, name: str, members: Iterable[int] | Iterable[str]) -> dict[str, Any]:
    listed = list(members)
    return {name: orjson.dumps(listed).decode() if connection.dialect.name == "sqlite" else listed}


def keyed_set(dialect: str, name: str) -> FromClause:
    """Pairs of a number and a text, columns `id` and `text`; bind them with keyed_set_values."""
    if dialect == "sqlite":
        members = func.json_each(bindparam(name, type_=Text)).table_valued("value")
        return select(
            func.json_extract(members.c.value, "$[0]").label("id"),
            func.json_extract(members.c.value, "$[1]").label("text"),
        ).subquery(name)
    bound = (bindparam(f"{name}_id", type_=ARRAY(BigInteger)), bindparam(f"{name}_text", type_=ARRAY(Text)))
    return func.unnest(*bound).table_valued("id", "text", name=name).render_derived()


def keyed_set_values(connection: Connection, name: str, members: Iterable[tuple[int, str]]) -> dict[str, Any]:
    listed = list(members)
    if connection.dialect.name == "sqlite":
        return {name: orjson.dumps(listed).decode()}
    return {f"{name}_id": [number for number, _ in listed], f"{name}_text": [text for _, text in listed]}
