"""From a condition's SQL to a typed expression. What is not known here, or not of the types it needs, is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from sqlglot import exp

from resolution.compile import matching
from resolution.compile.casts import cast
from resolution.compile.choosing import choose, coalesce, extreme, nullif
from resolution.compile.comparing import calculate, comparable, compare, negative
from resolution.compile.expressions import (
    Call,
    Column,
    Constant,
    Each,
    Expression,
    Is,
    Not,
    Uncompilable,
    Variable,
    conjunction,
    is_literal,
)
from resolution.compile.functions import FUNCTIONS
from resolution.compile.sql_types import (
    BOOLEAN,
    DECIMAL,
    DOUBLE,
    INTEGER,
    LOOSE_DOUBLE,
    NULL,
    TEXT,
    SqlType,
    list_of,
)
from resolution.compile.syntax import call_of, check_nature, parse, sql_of, what
from resolution.compile.writing import evaluate

_COMPARISONS: Final[dict[type[exp.Expression], str]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
# Where these stand next to each other without parentheses, readers of SQL differ in what belongs together.
_PREDICATES: Final = (
    *_COMPARISONS,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Like,
    exp.ILike,
    exp.In,
    exp.Between,
)

_NULL: Final = Constant(NULL, None)

# Functions beside those of the table, with the fewest and the most arguments they take.
_MANY: Final = 1_000
_OF_VALUES: Final[dict[str, tuple[int, int, Callable[[list[Expression]], Expression]]]] = {
    "coalesce": (1, _MANY, coalesce),
    "nullif": (2, 2, lambda given: nullif(*given)),
    "least": (1, _MANY, lambda given: extreme("least", given)),
    "greatest": (1, _MANY, lambda given: extreme("greatest", given)),
    "regexp_matches": (2, 3, matching.regexp_matches),
    "regexp_full_match": (2, 3, matching.regexp_full_match),
    "regexp_extract": (2, 4, matching.regexp_extract),
    "regexp_replace": (3, 4, matching.regexp_replace),
    "strptime": (2, 2, lambda given: matching.strptime(*given, is_try=False)),
    "try_strptime": (2, 2, lambda given: matching.strptime(*given, is_try=True)),
    "negative": (1, 1, lambda given: negative(*given)),
    "+": (2, 2, lambda given: calculate("+", *given)),
    "-": (2, 2, lambda given: calculate("-", *given)),
    "*": (2, 2, lambda given: calculate("*", *given)),
    "/": (2, 2, lambda given: calculate("/", *given)),
    "//": (2, 2, lambda given: calculate("//", *given)),
    "%": (2, 2, lambda given: calculate("%", *given)),
}


def read_condition(condition: str, columns: Mapping[str, SqlType]) -> Expression:
    """columns: the types of those that have a left and a right side. Raises Uncompilable."""
    return _read_condition(condition, tuple(columns.items()))


@lru_cache(maxsize=1024)
def _read_condition(condition: str, columns: tuple[tuple[str, SqlType], ...]) -> Expression:
    """Read once: versions of a model differ in their weights, seldom in their conditions."""
    return _boolean(read_expression(condition, dict(columns)), condition)


def read_expression(written: str, columns: Mapping[str, SqlType]) -> Expression:
    """The same for an expression of any type."""
    return _Reader(columns).read(parse(written))


def _boolean(expression: Expression, written: str) -> Expression:
    if expression.type not in (BOOLEAN, NULL):
        raise Uncompilable(f"the {expression.type} {written} in place of a condition")
    return expression


class _Reader:
    """Walks a parsed condition; keeps the variables of the lambdas around the place it has come to."""

    def __init__(self, columns: Mapping[str, SqlType]) -> None:
        self._columns = columns
        self._variables: dict[str, Variable] = {}
        # The fewest and the most arguments, and what makes of them an expression.
        self._special: dict[str, tuple[int, int, Callable[[Sequence[exp.Expression]], Expression]]] = {
            "list_transform": (2, 2, self._transform),
            "list_filter": (2, 2, self._filter),
            "date_diff": (
                3,
                3,
                lambda given: matching.date_diff(_unit(given[0]), *self._read_all(given[1:])),
            ),
            "date_part": (
                2,
                2,
                lambda given: matching.date_part(_unit(given[0]), *self._read_all(given[1:])),
            ),
        }
        self._nodes: dict[type[exp.Expression], Callable[[Any], Expression]] = {
            exp.Paren: lambda node: self.read(node.this),
            exp.Literal: _literal,
            exp.Boolean: lambda node: Constant(BOOLEAN, bool(node.this)),
            exp.Null: lambda _: _NULL,
            exp.Column: self._column,
            exp.Identifier: self._identifier,
            exp.And: lambda node: self._logic(node, is_and=True),
            exp.Or: lambda node: self._logic(node, is_and=False),
            exp.Not: lambda node: Not(BOOLEAN, self._condition(node.this)),
            exp.Is: self._is,
            exp.NullSafeEQ: lambda node: Not(BOOLEAN, self._is_distinct(node)),
            exp.NullSafeNEQ: self._is_distinct,
            exp.In: self._in,
            exp.Between: self._between,
            exp.Case: self._case,
            exp.If: self._if,
            exp.Cast: lambda node: self._cast(node, is_try=False),
            exp.TryCast: lambda node: self._cast(node, is_try=True),
            exp.Bracket: self._bracket,
            exp.Array: self._array,
            exp.Like: lambda node: self._like(node, None),
            exp.ILike: lambda node: self._like(node, None),
            exp.Escape: lambda node: self._like(node.this, node.expression),
            **dict.fromkeys(_COMPARISONS, self._comparison),
        }

    def read(self, node: exp.Expression) -> Expression:
        """Raises Uncompilable naming the innermost part that is not known."""
        return evaluate(self._nodes.get(type(node), self._call)(node))

    def _read_all(self, nodes: Sequence[exp.Expression]) -> list[Expression]:
        return [self.read(node) for node in nodes]

    def _condition(self, node: exp.Expression) -> Expression:
        return _boolean(self.read(node), sql_of(node))

    def _call(self, node: exp.Expression) -> Expression:
        found = call_of(node)
        if found is None:
            raise Uncompilable(what(node))
        name, given = found
        if name in self._special:
            fewest, most, read = self._special[name]
            _require_count(name, given, fewest, most)
            return read(given)
        if name in _OF_VALUES:
            fewest, most, make = _OF_VALUES[name]
            _require_count(name, given, fewest, most)
            return make(self._read_all(given))
        signatures = FUNCTIONS.get(name)
        if signatures is None:
            raise Uncompilable(f"the function {name}")
        arguments = self._read_all(given)
        calls = (signature.call(arguments) for signature in signatures)
        found_call = next((call for call in calls if call is not None), None)
        if found_call is None:
            types = ", ".join(str(argument.type) for argument in arguments)
            raise Uncompilable(f"{name}({types})")
        return found_call

    def _column(self, node: exp.Column) -> Expression:
        name = node.name.lower()
        if name in self._variables and not node.table:
            return self._variables[name]
        column, _, side = name.rpartition("_")
        if node.table or side not in ("l", "r") or column not in self._columns:
            raise Uncompilable(
                f"{sql_of(node)}, which is no linkage column of one side (docs/linkage-columns.md)"
            )
        return Column(self._columns[column], column, side)

    def _identifier(self, node: exp.Identifier) -> Expression:
        """A lambda's variable: sqlglot leaves it bare."""
        if node.name.lower() not in self._variables:
            raise Uncompilable(f"the name {node.name}")
        return self._variables[node.name.lower()]

    def _logic(self, node: exp.Expression, *, is_and: bool) -> Expression:
        return conjunction((self._condition(node.this), self._condition(node.expression)), is_and=is_and)

    def _is(self, node: exp.Is) -> Expression:
        operand = self.read(node.this)
        if isinstance(node.expression, exp.Null):
            return Is(BOOLEAN, operand, None)
        if isinstance(node.expression, exp.Boolean):
            return Is(BOOLEAN, _boolean(operand, sql_of(node.this)), bool(node.expression.this))
        raise Uncompilable(sql_of(node))

    def _comparison(self, node: exp.Expression) -> Expression:
        _require_parentheses(node)
        return compare(_COMPARISONS[type(node)], self.read(node.this), self.read(node.expression))

    def _is_distinct(self, node: exp.Expression) -> Expression:
        _require_parentheses(node)
        sides = comparable(self.read(node.this), self.read(node.expression))
        if sides is None or LOOSE_DOUBLE in (sides[0].type, sides[1].type):
            raise Uncompilable(f"{sql_of(node)}, of types that do not compare")
        return Call(BOOLEAN, "{0} != {1}", sides, is_strict=False)

    def _in(self, node: exp.In) -> Expression:
        check_nature(node, ("this", "expressions", "field"))
        value = self.read(node.this)
        if node.args.get("field"):
            found = FUNCTIONS["list_contains"][0].call([self.read(node.args["field"]), value])
            if found is None:
                raise Uncompilable(sql_of(node))
            return found
        choices = self._read_all(node.expressions)
        if value.type == TEXT and all(is_literal(each) and each.type == TEXT for each in choices):
            texts = frozenset(each.value for each in choices if isinstance(each, Constant))
            return Call(BOOLEAN, "{0} in {1}", (value, Constant(list_of(TEXT), texts)))
        return conjunction(tuple(compare("=", value, each) for each in choices), is_and=False)

    def _between(self, node: exp.Between) -> Expression:
        check_nature(node, ("this", "low", "high"))
        _require_parentheses(node)
        value = self.read(node.this)
        low, high = self.read(node.args["low"]), self.read(node.args["high"])
        return conjunction((compare(">=", value, low), compare("<=", value, high)), is_and=True)

    def _case(self, node: exp.Case) -> Expression:
        subject = self.read(node.this) if node.this else None
        branches = []
        for branch in node.args["ifs"]:
            condition = (
                self._condition(branch.this)
                if subject is None
                else compare("=", subject, self.read(branch.this))
            )
            branches.append((condition, self.read(branch.args["true"])))
        default = node.args.get("default")
        return choose(branches, self.read(default) if default else _NULL)

    def _if(self, node: exp.If) -> Expression:
        default = node.args.get("false")
        branch = self._condition(node.this), self.read(node.args["true"])
        return choose([branch], self.read(default) if default else _NULL)

    def _cast(self, node: exp.Cast, *, is_try: bool) -> Expression:
        check_nature(node, ("this", "to"))
        target = node.to
        if target.args.get("expressions") or target.args.get("nested"):
            raise Uncompilable(sql_of(node))
        return cast(self.read(node.this), target.this.name, is_try=is_try)

    def _bracket(self, node: exp.Bracket) -> Expression:
        check_nature(node, ("this", "expressions"))
        [place] = node.expressions
        values = self.read(node.this)
        if not isinstance(place, exp.Slice):
            return _of_table("list_extract", [values, self.read(place)], node)
        check_nature(place, ("this", "expression"))
        begin = self.read(place.this) if place.this else Constant(INTEGER, 1)
        end = self.read(place.expression) if place.args.get("expression") else Constant(INTEGER, -1)
        return _of_table("list_slice", [values, begin, end], node)

    def _array(self, node: exp.Array) -> Expression:
        check_nature(node, ("expressions",))
        match node.expressions:
            case [exp.Comprehension() as comprehension]:
                return self._comprehension(comprehension)
            case []:
                raise Uncompilable("a list of nothing")
            case members:
                return _of_table("list_value", self._read_all(members), node)

    def _comprehension(self, node: exp.Comprehension) -> Expression:
        check_nature(node, ("this", "expression", "iterator", "condition"))
        values, name = self.read(node.args["iterator"]), node.expression.name
        with self._variables_of(values, [name]) as [variable, _]:
            condition = node.args.get("condition")
            kept = self._condition(condition) if condition else None
            result = self.read(node.this)
        return Each(_list_like(values, result), values, variable, None, result, kept)

    def _transform(self, given: Sequence[exp.Expression]) -> Expression:
        values, names, body = self._lambda(given)
        with self._variables_of(values, names) as [variable, place]:
            result = self.read(body)
        return Each(_list_like(values, result), values, variable, place, result, None)

    def _filter(self, given: Sequence[exp.Expression]) -> Expression:
        values, names, body = self._lambda(given)
        with self._variables_of(values, names) as [variable, place]:
            kept = self._condition(body)
            result = self._variables[names[0]]
        return Each(values.type, values, variable, place, result, kept)

    def _lambda(self, given: Sequence[exp.Expression]) -> tuple[Expression, list[str], exp.Expression]:
        values, function = given
        if not isinstance(function, exp.Lambda):
            raise Uncompilable(f"{sql_of(function)} in place of a lambda")
        return self.read(values), [each.name.lower() for each in function.expressions], function.this

    @contextmanager
    def _variables_of(self, values: Expression, names: Sequence[str]) -> Iterator[tuple[str, str | None]]:
        """The Python names of a lambda's value and place, known within. They tell how deep the lambda lies, so that
        the same lambda over either side is the same code."""
        counted = len(names) > 1
        if values.type.element is None or len(names) not in (1, 2) or (counted and not values.type.has_order):
            raise Uncompilable(f"a lambda of {len(names)} parameters over {values.type}")
        depth, before = len(self._variables), dict(self._variables)
        types = (values.type.element, INTEGER)
        written = [f"v{depth + number}" for number in range(len(names))]
        for name, python_name, kind in zip(names, written, types, strict=False):
            self._variables[name] = Variable(kind, python_name)
        try:
            yield written[0], written[1] if len(written) > 1 else None
        finally:
            self._variables = before

    def _like(self, node: exp.Expression, escape: exp.Expression | None) -> Expression:
        if not isinstance(node, exp.Like | exp.ILike):
            raise Uncompilable(sql_of(node))
        check_nature(node, ("this", "expression", "negate"))
        _require_parentheses(node)
        found = matching.match_like(
            self.read(node.this),
            self.read(node.expression),
            self.read(escape) if escape else None,
            ignores_case=isinstance(node, exp.ILike),
        )
        return Not(BOOLEAN, found) if node.args.get("negate") else found


def _list_like(values: Expression, result: Expression) -> SqlType:
    return list_of(result.type, has_order=values.type.has_order)


def _require_count(name: str, given: Sequence[object], fewest: int, most: int) -> None:
    if not fewest <= len(given) <= most:
        raise Uncompilable(f"{name} of {len(given)} arguments")


def _require_parentheses(node: exp.Expression) -> None:
    for operand in node.iter_expressions():
        if isinstance(operand, _PREDICATES):
            raise Uncompilable(f"{sql_of(node)} without parentheses around {sql_of(operand)}")


def _literal(node: exp.Literal) -> Expression:
    if node.is_string:
        return Constant(TEXT, node.this)
    if node.this.isdecimal():
        return Constant(INTEGER, int(node.this))
    return (
        Constant(DOUBLE, float(node.this))
        if "e" in node.this.lower()
        else Constant(DECIMAL, Decimal(node.this))
    )


def _unit(node: exp.Expression) -> str:
    if isinstance(node, exp.Var) or (isinstance(node, exp.Literal) and node.is_string):
        return str(node.this)
    raise Uncompilable(f"the unit {sql_of(node)}")


def _of_table(name: str, arguments: Sequence[Expression], node: exp.Expression) -> Expression:
    for signature in FUNCTIONS[name]:
        if found := signature.call(arguments):
            return found
    raise Uncompilable(f"{sql_of(node)} of {arguments[0].type}")
