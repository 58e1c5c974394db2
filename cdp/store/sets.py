"""Sets of numbers as relations, in statements that are built once: the set travels as bound values.

A relation of this module has the same text whatever is in it, so that a statement over it is compiled once a process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, FromClause, Text, bindparam, func, select


def number_set(dialect: str, name: str) -> FromClause:
    """One column, `id`; bind its numbers with number_set_values."""
    if dialect == "sqlite":
        members = func.json_each(bindparam(name, type_=Text)).table_valued("value")
        return select(members.c.value.label("id")).subquery(name)
    bound = bindparam(name, type_=ARRAY(BigInteger))
    return func.unnest(bound).table_valued("id", name=name).render_derived()


def number_set_values(connection: Connection, name: str, numbers: Iterable[int]) -> dict[str, Any]:
    listed = list(numbers)
    return {name: json.dumps(listed) if connection.dialect.name == "sqlite" else listed}
