"""Conditions as sqlglot reads them; its many kinds of function nodes are brought to a name and arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sqlglot import exp, parse_one
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, SqlglotError

from resolution.compile.expressions import Uncompilable


class _Conditions(DuckDB):
    """DuckDB's SQL, with the places in brackets left as they are written."""

    INDEX_OFFSET = 0


# What sqlglot has a class for: the name in the table of functions, and the arguments in its order.
_NODES: Final[dict[type[exp.Expression], tuple[str, tuple[str, ...]]]] = {
    exp.Length: ("length", ("this",)),
    exp.Left: ("left", ("this", "expression")),
    exp.Right: ("right", ("this", "expression")),
    exp.Substring: ("substring", ("this", "start", "length")),
    exp.SplitPart: ("split_part", ("this", "delimiter", "part_index")),
    exp.Split: ("string_split", ("this", "expression")),
    exp.Lower: ("lower", ("this",)),
    exp.Upper: ("upper", ("this",)),
    exp.Replace: ("replace", ("this", "expression", "replacement")),
    exp.StrPosition: ("strpos", ("this", "substr")),
    exp.StartsWith: ("starts_with", ("this", "expression")),
    exp.EndsWith: ("ends_with", ("this", "expression")),
    exp.Contains: ("contains", ("this", "expression")),
    exp.DPipe: ("||", ("this", "expression")),
    exp.Concat: ("concat", ("expressions",)),
    exp.ConcatWs: ("concat_ws", ("expressions",)),
    exp.Levenshtein: ("levenshtein", ("this", "expression")),
    exp.JarowinklerSimilarity: ("jaro_winkler_similarity", ("this", "expression")),
    exp.ArrayOverlaps: ("list_has_any", ("this", "expression")),
    exp.ArrayContainsAll: ("list_has_all", ("this", "expression")),
    exp.ArrayContainedBy: ("list_has_all", ("expression", "this")),
    exp.ArrayContains: ("list_contains", ("this", "expression")),
    exp.ArraySize: ("array_length", ("this",)),
    exp.ArrayMin: ("list_min", ("this",)),
    exp.ArrayMax: ("list_max", ("this",)),
    exp.ArrayDistinct: ("list_distinct", ("this",)),
    exp.ArrayConcat: ("list_concat", ("this", "expressions")),
    exp.ArrayAppend: ("list_append", ("this", "expression")),
    exp.Flatten: ("flatten", ("this",)),
    exp.Year: ("year", ("this",)),
    exp.Month: ("month", ("this",)),
    exp.Day: ("day", ("this",)),
    exp.DayOfMonth: ("day", ("this",)),
    exp.TimeToUnix: ("epoch", ("this",)),
    exp.Abs: ("abs", ("this",)),
    exp.Sqrt: ("sqrt", ("this",)),
    exp.Round: ("round", ("this",)),
    exp.Floor: ("floor", ("this",)),
    exp.Ceil: ("ceil", ("this",)),
    exp.Neg: ("negative", ("this",)),
    exp.Add: ("+", ("this", "expression")),
    exp.Sub: ("-", ("this", "expression")),
    exp.Mul: ("*", ("this", "expression")),
    exp.Div: ("/", ("this", "expression")),
    exp.IntDiv: ("//", ("this", "expression")),
    exp.Mod: ("%", ("this", "expression")),
    exp.Least: ("least", ("this", "expressions")),
    exp.Greatest: ("greatest", ("this", "expressions")),
    exp.Coalesce: ("coalesce", ("this", "expressions")),
    exp.Nullif: ("nullif", ("this", "expression")),
    exp.RegexpLike: ("regexp_matches", ("this", "expression", "flag")),
    exp.RegexpFullMatch: ("regexp_full_match", ("this", "expression", "options")),
    exp.RegexpExtract: ("regexp_extract", ("this", "expression", "group", "parameters")),
    exp.RegexpReplace: ("regexp_replace", ("this", "expression", "replacement", "modifiers")),
    exp.Transform: ("list_transform", ("this", "expression")),
    exp.ArrayFilter: ("list_filter", ("this", "expression")),
    exp.DateDiff: ("date_diff", ("unit", "expression", "this")),
    exp.Extract: ("date_part", ("this", "expression")),
    exp.StrToTime: ("strptime", ("this", "format")),
}

# What sqlglot says about a node beside its arguments, and what it says of DuckDB's own functions.
_OWN_NATURE: Final = {
    "coalesce": True,
    "typed": False,
    "ignore_nulls": True,
    "null_propagation": False,
    "check_null": False,
    "null_if_pos_overflow": True,
    "single_replace": True,
    "date_part_boundary": True,
    "nulls_first": False,
    "value_constructor": False,
}

_ALIASES: Final = {
    "array_has_any": "list_has_any",
    "array_has_all": "list_has_all",
    "array_intersect": "list_intersect",
    "array_unique": "list_unique",
    "array_slice": "list_slice",
    "array_extract": "list_extract",
    "list_element": "list_extract",
    "array_transform": "list_transform",
    "array_apply": "list_transform",
    "list_apply": "list_transform",
    "mismatches": "hamming",
    "prefix": "starts_with",
    "suffix": "ends_with",
    "datepart": "date_part",
    "date_diff": "date_diff",
}


def parse(condition: str) -> exp.Expression:
    """Raises Uncompilable for what sqlglot cannot read."""
    try:
        found = parse_one(condition, read=_Conditions)
    except SqlglotError as error:
        [problem, *_] = str(error).splitlines()
        raise Uncompilable(f"what the parser says: {problem}") from error
    if not isinstance(found, exp.Expression):
        raise Uncompilable(f"the condition {condition!r}")
    return found


def call_of(node: exp.Expression) -> tuple[str, list[exp.Expression]] | None:
    """The function's name and its arguments; None when the node is no function of values."""
    if isinstance(node, exp.Anonymous):
        name = str(node.this).lower()
        return _ALIASES.get(name, name), list(node.expressions)
    if isinstance(node, exp.Trim):
        return _trim(node)
    if type(node) not in _NODES:
        return None
    name, keys = _NODES[type(node)]
    check_nature(node, keys)
    arguments: list[exp.Expression] = []
    for key in keys:
        given = node.args.get(key)
        arguments.extend(given if isinstance(given, list) else [given] if given is not None else [])
    return name, arguments


def _trim(node: exp.Trim) -> tuple[str, list[exp.Expression]]:
    check_nature(node, ("this", "expression", "position"))
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or ""), "trim")
    return name, [node.this, *([node.expression] if node.args.get("expression") else [])]


def check_nature(node: exp.Expression, known: Sequence[str]) -> None:
    """Raises Uncompilable for a node that says more than the arguments known here."""
    for key, value in node.args.items():
        if key in known or value is None or value == [] or key == "safe" or _OWN_NATURE.get(key) is value:
            continue
        if key == "expression" and isinstance(node, exp.ArraySize) and value.sql() == "1":
            continue
        raise Uncompilable(f"{sql_of(node)} with {key}")


def what(node: exp.Expression) -> str:
    """A piece of a condition by its name, when it is a function."""
    written = sql_of(node)
    function = re.match(r"\w+(?=\()", written)
    return f"the function {function[0].lower()}" if function else written


def sql_of(node: exp.Expression) -> str:
    """A piece of a condition, short enough for a message."""
    written = node.sql(dialect=_Conditions, unsupported_level=ErrorLevel.IGNORE)
    return written if len(written) <= 60 else f"{written[:57]}..."
