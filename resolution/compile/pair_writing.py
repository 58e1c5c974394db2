"""Conditions on a pair, over what each record was prepared to."""

from __future__ import annotations

from dataclasses import replace

from resolution.compile.expressions import Call, Column, Constant, Expression, Is, Logic
from resolution.compile.writing import Module, Writer


class Preparation(Writer):
    """Writes what depends on one record: `steps`, one an intermediate value, and `slots`, over columns and steps."""

    def __init__(self, module: Module) -> None:
        super().__init__(module)
        self.steps: list[str] = []
        self.slots: list[str] = []

    def slot(self, code: str) -> int:
        """The number of the slot for this code."""
        return _place(code, self.slots)

    def _computed(self, expression: Expression) -> str:
        return f"p{_place(super()._computed(expression), self.steps)}"

    def child(self) -> Writer:
        return Writer(self.module)


def _place(code: str, codes: list[str]) -> int:
    if code not in codes:
        codes.append(code)
    return codes.index(code)


class PairWriter(Writer):
    """Writes what depends on both records; what depends on one is read from its slot, l<number> or r<number>.

    What may fail is left in its place, since SQL fails only on the pairs that come to it.
    """

    def __init__(self, preparation: Preparation) -> None:
        super().__init__(preparation.module)
        self._alone = preparation

    def child(self) -> Writer:
        return PairWriter(self._alone)

    def value(self, expression: Expression) -> str:
        side = _only_side(expression)
        return self._slot(side, self._alone.value(expression)) if side else super().value(expression)

    def _truth(self, condition: Expression, *, wanted: bool) -> str:
        side = _only_side(condition)
        if side and not _is_bare(condition):
            alone = self._alone.true(condition) if wanted else self._alone.false(condition)
            return self._slot(side, alone)
        if isinstance(condition, Logic):
            condition = _grouped(condition)
        return super()._truth(condition, wanted=wanted)

    def _is(self, test: Is) -> str:
        """A list is asked for nothing but its set, wherever that will do."""
        operand = test.operand
        if test.state is None and isinstance(operand, Column) and operand.type.element:
            test = replace(test, operand=Call(operand.type, "lists_as_set({0})", (operand,)))
        return super()._is(test)

    def _slot(self, side: str, code: str) -> str:
        return self.use(f"{side}{self._alone.slot(code)}")


def _only_side(expression: Expression) -> str | None:
    if len(expression.sides) != 1 or expression.free_variables or expression.can_fail:
        return None
    [side] = expression.sides
    return side


def _is_bare(condition: Expression) -> bool:
    """A column IS NULL costs the pair no more than a slot of its own would."""
    return isinstance(condition, Is) and isinstance(condition.operand, Column | Constant)


def _grouped(condition: Logic) -> Logic:
    """What concerns one record alone, brought together; AND and OR do not mind the order."""
    groups: dict[str, list[Expression]] = {}
    parts: list[Expression] = []
    for each in condition.conditions:
        side = None if _is_bare(each) else _only_side(each)
        if side is None:
            parts.append(each)
        else:
            groups.setdefault(side, []).append(each)
    together = [
        each[0] if len(each) == 1 else replace(condition, conditions=tuple(each)) for each in groups.values()
    ]
    return replace(condition, conditions=(*together, *parts))
