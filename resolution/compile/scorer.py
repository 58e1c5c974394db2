"""A model as two Python functions: prepare a record, score a pair.

What a condition asks of one record alone is computed once, when the record is prepared: the slots of a tuple. What is
left for the pair is one function over the slots of both, with one branch a level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Any, NamedTuple, NewType, cast

from resolution.columns import LINKAGE_COLUMNS, LIST_COLUMNS, SHAREABLE_COLUMNS
from resolution.compile.conditions import read_condition
from resolution.compile.expressions import Expression, Uncompilable
from resolution.compile.frequencies import exact_level_u
from resolution.compile.pair_writing import PairWriter, Preparation
from resolution.compile.sql_types import TEXT, SqlType, list_of
from resolution.compile.writing import Module
from resolution.errors import UncompilableConditionError
from resolution.model import Model
from resolution.specification import Comparison, ComparisonLevel, Specification

# A record as scoring takes it; what is in it is the compiled model's own affair.
Prepared = NewType("Prepared", tuple[Any, ...])

Linkage = Mapping[str, str | Sequence[str]]


class PairScore(NamedTuple):
    """match_weight: in bits, with the prior. levels: the place of the level in each comparison, missing ones counted.
    frequency_weights: the bits that term frequencies give, by comparison, where they are not 0."""

    match_weight: float
    levels: tuple[int, ...]
    frequency_weights: dict[str, float]


@dataclass(frozen=True)
class CompiledModel:
    """What scores pairs without SQL, as Splink does on DuckDB. Of a pair the record of the smaller id comes first.

    prepare: takes linkage columns with shared values parted, an absent one absent. Both raise FailedConditionError
    where DuckDB fails on the values. Threads may share it.
    source: what the functions were compiled from.
    """

    model: Model = field(repr=False)
    prepare: Callable[[Linkage], Prepared] = field(repr=False)
    score: Callable[[Prepared, Prepared], PairScore] = field(repr=False)
    source: str = field(repr=False)


def compile_model(model: Model) -> CompiledModel:
    """Raises UncompilableConditionError naming the comparison, its level and what of it is not known."""
    module = Module()
    preparation = Preparation(module)
    branches = [_branches(model, comparison, preparation) for comparison in model.specification.comparisons]
    module.names |= {"log2": log2, "PairScore": PairScore}
    functions = [
        _score_function(model, len(preparation.slots), branches),
        prepare_function(column_types(model.specification), preparation),
    ]
    source = "\n".join([*module.functions, *functions])
    # Made of this package's own templates: of the specification only constants come in, each by its repr or a name.
    exec(compile(source, f"<model version {model.version}>", "exec"), module.names)
    made = {name: cast(Any, module.names[name]) for name in ("prepare", "score")}
    return CompiledModel(model=model, source=source, **made)


@dataclass(frozen=True)
class _Branch:
    """One level: the Python of its condition, its weight, and the weight of its term frequency as log2 of a base less
    the greater of two slots."""

    condition: str | None
    level: int
    weight: float
    frequency: tuple[float, int] | None


def _branches(model: Model, comparison: Comparison, preparation: Preparation) -> list[_Branch]:
    columns = column_types(model.specification)
    probabilities = iter(model.probabilities[comparison.name])
    found = []
    for place, level in enumerate(comparison.levels):
        m, u = (1.0, 1.0) if level.is_missing else next(probabilities)
        try:
            condition = _condition(comparison, place, columns)
            written = PairWriter(preparation).true(condition) if condition else None
            frequency = _frequency(model, comparison, level, preparation) if condition else None
        except Uncompilable as refusal:
            raise UncompilableConditionError(
                f"Comparison {comparison.name}, level {level.label!r}, cannot be computed one record at a time, for "
                f"{refusal}. Write the condition with what docs/model.md names."
            ) from refusal
        found.append(_Branch(written, place, log2(m / u), frequency))
    return found


def column_types(specification: Specification) -> dict[str, SqlType]:
    """The columns of a record that conditions may name."""
    shared = dict.fromkeys(f"shared_{column}" for column in (*SHAREABLE_COLUMNS, *specification.sharing))
    lists = {*LIST_COLUMNS, *shared}
    return {column: list_of(TEXT) if column in lists else TEXT for column in (*LINKAGE_COLUMNS, *shared)}


def _condition(comparison: Comparison, place: int, columns: Mapping[str, SqlType]) -> Expression | None:
    """None for ELSE."""
    written = comparison.levels[place].condition
    if written.upper() != "ELSE":
        return read_condition(written, columns)
    if place < len(comparison.levels) - 1:
        raise Uncompilable("ELSE before the last level")
    return None


def _frequency(
    model: Model, comparison: Comparison, level: ComparisonLevel, preparation: Preparation
) -> tuple[float, int] | None:
    column = level.frequency_column
    if column is None or level.is_missing:
        return None
    u = exact_level_u(model, comparison, level)
    terms = preparation.module.named(("terms", column), model.frequencies.get(column, {}))
    term = preparation.use(f"c_{column}")
    share = f"log2({terms}.get({term}, {model.rare[column]!r}))"
    return log2(u), preparation.slot(f"None if {term} is None else {share}")


def _score_function(model: Model, slot_count: int, branches: Sequence[Sequence[_Branch]]) -> str:
    comparisons = model.specification.comparisons
    lines = [f"weight = {model.prior_match_weight!r}", "frequencies = {}"]
    for number, (comparison, levels) in enumerate(zip(comparisons, branches, strict=True)):
        for branch in levels:
            lines.append(_opening(branch))
            lines.append(f"    level{number} = {branch.level}")
            lines += [f"    {line}" for line in _weight_lines(branch, comparison.name)]
    levels_written = "".join(f"level{number}, " for number in range(len(branches)))
    lines.append(f"return PairScore(weight, ({levels_written}), frequencies)")
    return pair_function("score", slot_count, lines)


def pair_function(name: str, slot_count: int, lines: Sequence[str]) -> str:
    """A function of two prepared records, over names for the slots of both."""
    unpacked = [f"{''.join(f'{side}{slot}, ' for slot in range(slot_count))}= {side}" for side in "lr"]
    body = "\n".join(f"    {line}" for line in [*(unpacked if slot_count else []), *lines])
    return f"def {name}(l, r):\n{body}\n"


def _opening(branch: _Branch) -> str:
    if branch.condition is None:
        return "else:" if branch.level else "if True:"
    return f"{'elif' if branch.level else 'if'} {branch.condition}:"


def _weight_lines(branch: _Branch, comparison: str) -> Iterator[str]:
    if branch.weight:
        yield f"weight += {branch.weight!r}"
    if branch.frequency is None:
        return
    base, slot = branch.frequency
    left, right = f"l{slot}", f"r{slot}"
    # As Splink has it: the more frequent of the two terms counts, one for both where one is absent.
    yield f"common = {right} if {left} is None or {right} is not None and {right} > {left} else {left}"
    yield "if common is not None:"
    yield f"    rarity = {base!r} - common"
    yield "    weight += rarity"
    yield f"    if rarity: frequencies[{comparison!r}] = rarity"


def prepare_function(columns: Mapping[str, SqlType], preparation: Preparation) -> str:
    """The function that makes of linkage columns the slots of a record."""
    lines = ["get = linkage.get"]
    for column, kind in columns.items():
        if f"c_{column}" not in preparation.used:
            continue
        lines.append(f"c_{column} = get({column!r})")
        if kind.element:
            lines.append(f"if c_{column} is not None: c_{column} = tuple(c_{column})")
    lines += [f"p{number} = {code}" for number, code in enumerate(preparation.steps)]
    lines.append(f"return ({''.join(f'{code}, ' for code in preparation.slots)})")
    body = "\n".join(f"    {line}" for line in lines)
    return f"def prepare(linkage):\n{body}\n"
