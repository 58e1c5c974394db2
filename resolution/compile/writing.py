"""Typed expressions as Python source.

SQL knows three truths and Python two, so a condition is written as what holds when it is TRUE, or when it is FALSE;
its value, None for NULL, is written only where SQL takes it for one.
"""

from __future__ import annotations

from typing import Any, Final

from resolution.compile.expressions import (
    Call,
    Case,
    Column,
    Constant,
    Each,
    Expression,
    Is,
    Logic,
    Not,
    Uncompilable,
    Variable,
    is_null,
)
from resolution.compile.functions import RUNTIME
from resolution.compile.sql_types import BOOLEAN
from resolution.errors import FailedConditionError

_LITERALS: Final = (bool, int, str, type(None))


def required(value: Any, target: str) -> Any:
    """What a cast found. Raises FailedConditionError when it found nothing."""
    if value is None:
        raise FailedConditionError(
            f"A value cannot be cast to {target}: write TRY_CAST for values that may not be."
        )
    return value


class Module:
    """What the written source stands on: the names it may use, and functions for the lambdas."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {**RUNTIME, "required": required}
        self.functions: list[str] = []
        self._known: dict[object, str] = {}

    def constant(self, value: object) -> str:
        """The name of a value."""
        return self.named((type(value), value), value)

    def named(self, key: object, value: object) -> str:
        """The name of what the key stands for."""
        if key not in self._known:
            self._known[key] = f"k{len(self._known)}"
            self.names[self._known[key]] = value
        return self._known[key]

    def function(self, parameters: str, body: str) -> str:
        """The name of a function that is written once, however often it is asked for."""
        source = f"({parameters}):\n{body}"
        if source not in self._known:
            self._known[source] = f"each{len(self._known)}"
            self.functions.append(f"def {self._known[source]}{source}\n")
        return self._known[source]


class Writer:
    """Writes expressions over names: the columns as c_<column>, whatever their side, and lambdas' variables."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.used: set[str] = set()
        self._temporaries = 0

    def value(self, expression: Expression) -> str:
        """Python for the value."""
        if isinstance(expression, Constant):
            return self._constant(expression.value)
        if isinstance(expression, Column):
            return self.use(f"c_{expression.name}")
        if isinstance(expression, Variable):
            return self.use(expression.name)
        if expression.type == BOOLEAN and not isinstance(expression, Call):
            return self._three_valued(expression)
        return self._computed(expression)

    def _computed(self, expression: Expression) -> str:
        match expression:
            case Call():
                checks, code = self._call(expression)
                nulls = " or ".join(f"{name} is None" for name in checks)
                return f"(None if {nulls} else {code})" if checks else f"({code})"
            case Case(branches=branches, default=default):
                written = "".join(f"{self.value(then)} if {self.true(when)} else " for when, then in branches)
                return f"({written}{self.value(default)})"
            case Each():
                return self._each(expression)
        raise AssertionError(expression)

    def _three_valued(self, expression: Expression) -> str:
        if not expression.is_nullable:
            return self.true(expression)
        return f"(True if {self.true(expression)} else False if {self.false(expression)} else None)"

    def true(self, condition: Expression) -> str:
        """Python that holds when the condition is TRUE."""
        return self._truth(condition, wanted=True)

    def false(self, condition: Expression) -> str:
        """Python that holds when the condition is FALSE."""
        return self._truth(condition, wanted=False)

    def _truth(self, condition: Expression, *, wanted: bool) -> str:
        match condition:
            case Constant(value=value):
                return str(value is wanted)
            case Not(condition=inner):
                return self._truth(inner, wanted=not wanted)
            case Logic(is_and=is_and, conditions=conditions):
                joined = (" and " if is_and == wanted else " or ").join(
                    self._truth(each, wanted=wanted) for each in conditions
                )
                return f"({joined})"
            case Is():
                holds = self._is(condition)
                return holds if wanted else f"(not {holds})"
            case Case(branches=branches, default=default):
                written = "".join(
                    f"{self._truth(then, wanted=wanted)} if {self.true(when)} else "
                    for when, then in branches
                )
                return f"({written}{self._truth(default, wanted=wanted)})"
            case Call(may_be_null=False):
                return self._called_truth(condition, wanted=wanted)
        return f"({self.value(condition)} is {wanted})"

    def _called_truth(self, call: Call, *, wanted: bool) -> str:
        checks, code = self._call(call)
        if wanted and call.template == "{0} == {1}" and all(name.isidentifier() for name in checks):
            # What equals a value that is there is there itself; null beside null needs one look.
            checks = checks[1:]
        if wanted:
            present = [f"{name} is not None" for name in checks]
            return f"({' and '.join([*present, code])})"
        return f"({' and '.join([*(f'{name} is not None' for name in checks), _negated(code)])})"

    def _is(self, test: Is) -> str:
        if test.state is not None:
            return self._truth(test.operand, wanted=test.state)
        if not test.operand.is_nullable:
            return "False"
        if test.operand.type == BOOLEAN:
            return f"(not ({self.true(test.operand)} or {self.false(test.operand)}))"
        return f"({self.value(test.operand)} is None)"

    def _call(self, call: Call) -> tuple[list[str], str]:
        """What must not be None before the call, and the call. A null check keeps what it looked at in a name."""
        written = [self.value(each) for each in call.arguments]
        checks = []
        if call.is_strict:
            for place, argument in enumerate(call.arguments):
                if argument.is_nullable:
                    check, written[place] = self._checked(written[place])
                    checks.append(check)
        return checks, call.template.format(*written, all=", ".join(written))

    def _checked(self, code: str) -> tuple[str, str]:
        if code.isidentifier():
            return code, code
        self._temporaries += 1
        name = f"t{self._temporaries}"
        return f"({name} := {code})", name

    def _constant(self, value: object) -> str:
        if isinstance(value, _LITERALS):
            return repr(value)
        if isinstance(value, float) and value - value == 0:
            return repr(value)
        return self.module.constant(value)

    def _each(self, each: Each) -> str:
        """A function with a loop, called with the list and whatever else its body uses."""
        inner = self.child()
        condition = inner.true(each.condition) if each.condition else ""
        result = inner.value(each.result)
        captured = sorted(inner.used - {each.variable, each.place})
        loop = (
            f"{each.place}, {each.variable} in enumerate(values, 1)"
            if each.place
            else f"{each.variable} in values"
        )
        lines = [
            *(["if values is None: return None"] if each.values.is_nullable else []),
            "found = []",
            f"for {loop}:",
            *(
                [f"    if {condition}:", f"        found.append({result})"]
                if condition
                else [f"    found.append({result})"]
            ),
            "return tuple(found)",
        ]
        name = self.module.function(
            ", ".join(["values", *captured]), "\n".join(f"    {line}" for line in lines)
        )
        self.used.update(captured)
        return f"{name}({', '.join([self.value(each.values), *captured])})"

    def child(self) -> Writer:
        """A writer for the body of a function of its own."""
        return Writer(self.module)

    def use(self, name: str) -> str:
        self.used.add(name)
        return name


def _negated(code: str) -> str:
    return code.removeprefix("not ") if code.startswith("not ") else f"not ({code})"


def evaluate(expression: Expression) -> Expression:
    """The expression, or its value when it stands on no column and no variable.

    Raises Uncompilable when computing it fails, as it would on any pair.
    """
    if isinstance(expression, Call) and expression.is_strict and any(map(is_null, expression.arguments)):
        return Constant(expression.type, None)
    if isinstance(expression, Constant) or expression.sides or expression.free_variables:
        return expression
    module = Module()
    code = Writer(module).value(expression)
    try:
        exec("\n".join(module.functions), module.names)
        return Constant(expression.type, eval(code, module.names))
    except FailedConditionError as error:
        raise Uncompilable(str(error)) from error
