"""CAST and TRY_CAST, between the types that conditions need."""

from __future__ import annotations

from typing import Final

from resolution.compile.expressions import Call, Constant, Expression, Uncompilable
from resolution.compile.functions import as_text, double
from resolution.compile.sql_types import (
    BOOLEAN,
    DATE,
    DAYS,
    DOUBLE,
    INTEGER,
    LOOSE_DOUBLE,
    NULL,
    NUMBERS,
    TEXT,
    TIMESTAMP,
    SqlType,
)

# sqlglot's names of the types that may be cast to, whole numbers by their bits.
_BITS: Final = {"TINYINT": 8, "SMALLINT": 16, "INT": 32, "BIGINT": 64, "INT128": 128}
_TARGETS: Final = {
    "TEXT": TEXT,
    "DOUBLE": DOUBLE,
    "DATE": DATE,
    "TIMESTAMPNTZ": TIMESTAMP,
    "TIMESTAMP": TIMESTAMP,
}


def cast(operand: Expression, target: str, *, is_try: bool) -> Expression:
    """Raises Uncompilable for types that it does not know; the target is a name of sqlglot's."""
    bits = _BITS.get(target)
    wanted = INTEGER if bits else _TARGETS.get(target)
    if wanted is None:
        raise Uncompilable(f"CAST({operand.type} AS {target})")
    if operand.type == NULL:
        return Constant(wanted, None)
    found = _to_whole(operand, bits) if bits else _to_other(operand, wanted)
    if found is None:
        raise Uncompilable(f"CAST({operand.type} AS {target})")
    if is_try or not isinstance(found, Call) or not found.may_be_null:
        return found
    return Call(wanted, f"required({found.template}, {target!r})", found.arguments, may_fail=True)


def _to_whole(operand: Expression, bits: int) -> Expression | None:
    if operand.type == BOOLEAN:
        return Call(INTEGER, "int({0})", (operand,))
    name = {
        TEXT: "whole_of_text",
        DOUBLE: "whole_of_double",
        LOOSE_DOUBLE: "whole_of_double",
        INTEGER: "within",
    }
    if operand.type not in name:
        return None
    return Call(INTEGER, f"numbers_{name[operand.type]}({{0}}, {bits})", (operand,), may_be_null=True)


def _to_other(operand: Expression, wanted: SqlType) -> Expression | None:
    if wanted == operand.type:
        return operand
    if wanted == TEXT:
        return as_text(operand)
    if wanted == DOUBLE:
        if operand.type == TEXT:
            return Call(LOOSE_DOUBLE, "numbers_double_of_text({0})", (operand,), may_be_null=True)
        return double(operand) if operand.type in NUMBERS else None
    if operand.type in DAYS:
        return Call(wanted, "{0}", (operand,))
    # A text may hold a time of day, which only a date does without.
    if operand.type == TEXT and wanted == DATE:
        return Call(DATE, "dates_date_of_text({0})", (operand,), may_be_null=True)
    return None
