"""Conditions as typed trees: what SQL says, before it is written as Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from resolution.compile.sql_types import BOOLEAN, SqlType


class Uncompilable(Exception):
    """What of a condition cannot be compiled."""


@dataclass(frozen=True)
class Expression:
    """A node. sides: 'l', 'r', both or none, by the columns below it. free_variables: of lambdas around it.

    can_fail: computing it may raise, so it is computed only where SQL would.
    """

    type: SqlType

    @property
    def children(self) -> tuple[Expression, ...]:
        return ()

    @property
    def is_nullable(self) -> bool:
        return True

    @cached_property
    def sides(self) -> frozenset[str]:
        return frozenset().union(*(child.sides for child in self.children))

    @cached_property
    def free_variables(self) -> frozenset[str]:
        return frozenset().union(*(child.free_variables for child in self.children))

    @cached_property
    def can_fail(self) -> bool:
        return any(child.can_fail for child in self.children)


@dataclass(frozen=True)
class Constant(Expression):
    value: Any

    @property
    def is_nullable(self) -> bool:
        return self.value is None


@dataclass(frozen=True)
class Column(Expression):
    """A linkage column of the left or the right record."""

    name: str
    side: str

    @cached_property
    def sides(self) -> frozenset[str]:
        return frozenset(self.side)


@dataclass(frozen=True)
class Variable(Expression):
    """A parameter of a lambda."""

    name: str

    @cached_property
    def free_variables(self) -> frozenset[str]:
        return frozenset((self.name,))


@dataclass(frozen=True)
class Call(Expression):
    """A function of values. template: Python with {0}, {1} ... for the arguments and {all} for all of them.

    A strict one is null where an argument is; may_be_null: also where none is. may_fail: it may raise.
    """

    template: str
    arguments: tuple[Expression, ...]
    is_strict: bool = True
    may_be_null: bool = False
    may_fail: bool = False

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.arguments

    @property
    def is_nullable(self) -> bool:
        return self.may_be_null or (self.is_strict and any(each.is_nullable for each in self.arguments))

    @cached_property
    def can_fail(self) -> bool:
        return self.may_fail or super().can_fail


@dataclass(frozen=True)
class Logic(Expression):
    """AND (is_and) or OR over any number of conditions, none of which is one of its own kind."""

    is_and: bool
    conditions: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        return self.conditions

    @property
    def is_nullable(self) -> bool:
        return any(each.is_nullable for each in self.conditions)


@dataclass(frozen=True)
class Not(Expression):
    condition: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.condition,)

    @property
    def is_nullable(self) -> bool:
        return self.condition.is_nullable


@dataclass(frozen=True)
class Is(Expression):
    """IS NULL (state None), IS TRUE or IS FALSE: never null itself."""

    operand: Expression
    state: bool | None

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.operand,)

    @property
    def is_nullable(self) -> bool:
        return False


@dataclass(frozen=True)
class Case(Expression):
    """The result of the first condition that holds, or the default."""

    branches: tuple[tuple[Expression, Expression], ...]
    default: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        return tuple(self._children())

    def _children(self) -> Iterator[Expression]:
        for branch in self.branches:
            yield from branch
        yield self.default

    @property
    def is_nullable(self) -> bool:
        return self.default.is_nullable or any(result.is_nullable for _, result in self.branches)


@dataclass(frozen=True)
class Each(Expression):
    """For each value of a list, in `variable` with its place in `place`: the result, where the condition holds."""

    values: Expression
    variable: str
    place: str | None
    result: Expression
    condition: Expression | None

    @property
    def children(self) -> tuple[Expression, ...]:
        return (self.values, self.result, *((self.condition,) if self.condition else ()))

    @property
    def is_nullable(self) -> bool:
        return self.values.is_nullable

    @cached_property
    def free_variables(self) -> frozenset[str]:
        inner = frozenset().union(*(child.free_variables for child in self.children[1:]))
        return self.values.free_variables | inner - {self.variable, self.place or ""}


def conjunction(conditions: tuple[Expression, ...], *, is_and: bool) -> Expression:
    """AND or OR, flat."""
    flat: list[Expression] = []
    for each in conditions:
        flat.extend(each.conditions if isinstance(each, Logic) and each.is_and == is_and else (each,))
    return flat[0] if len(flat) == 1 else Logic(BOOLEAN, is_and, tuple(flat))


def is_null(expression: Expression) -> bool:
    return isinstance(expression, Constant) and expression.value is None


def is_literal(expression: Expression) -> bool:
    """A constant that is not null."""
    return isinstance(expression, Constant) and expression.value is not None
