"""The functions of DuckDB that compiled conditions know, by name: what they take, what they give, how Python says it.

A name may have several signatures (contains, of a text or of a list); the first that takes the arguments counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from resolution.compile.expressions import Call, Constant, Expression, is_literal
from resolution.compile.runtime import dates, distances, lists, numbers, patterns, texts
from resolution.compile.sql_types import (
    BOOLEAN,
    DATE,
    DAYS,
    DECIMAL,
    DOUBLE,
    DOUBLES,
    INTEGER,
    LOOSE_DOUBLE,
    NULL,
    NUMBERS,
    TEXT,
    SqlType,
    choice_type,
    list_of,
)

# The names that templates use: <module>_<function>.
RUNTIME: Final = {
    f"{module.__name__.rpartition('.')[2]}_{name}": value
    for module in (dates, distances, lists, numbers, patterns, texts)
    for name, value in vars(module).items()
    if callable(value) and not name.startswith("_")
}

Parameter = Callable[[Expression], Expression | None]
Arguments = Sequence[Expression]


@dataclass(frozen=True)
class Signature:
    """parameters: what turns each argument into what the template takes, or refuses it with None. The last one
    counts for any number of arguments (is_variadic) or may be left out (optional, how many)."""

    template: str
    parameters: tuple[Parameter, ...]
    type: SqlType | Callable[[Arguments], SqlType | None]
    optional: int = 0
    is_variadic: bool = False
    is_strict: bool = True
    may_be_null: bool = False
    may_fail: bool = False

    def call(self, arguments: Arguments) -> Expression | None:
        """The call, or None when these are no arguments of it."""
        parameters = self.parameters
        if self.is_variadic:
            parameters += (parameters[-1],) * (len(arguments) - len(parameters))
        if not len(parameters) - self.optional <= len(arguments) <= len(parameters):
            return None
        taken = [take(each) for take, each in zip(parameters, arguments, strict=False)]
        given = tuple(each for each in taken if each is not None)
        if len(given) < len(taken):
            return None
        result = self.type if isinstance(self.type, SqlType) else self.type(given)
        if result is None:
            return None
        return Call(result, self.template, given, self.is_strict, self.may_be_null, self.may_fail)


def text(argument: Expression) -> Expression | None:
    return argument if argument.type in (TEXT, NULL) else None


def as_text(argument: Expression) -> Expression | None:
    """A text, or what || makes one of."""
    if argument.type == INTEGER:
        return Call(TEXT, "str({0})", (argument,))
    if argument.type == BOOLEAN:
        return Call(TEXT, "('true' if {0} else 'false')", (argument,))
    return text(argument)


def octets(argument: Expression) -> Expression | None:
    """A text as the distances compare it."""
    return Call(TEXT, "distances_octets({0})", (argument,)) if argument.type == TEXT else text(argument)


def whole(argument: Expression) -> Expression | None:
    return argument if argument.type in (INTEGER, NULL) else None


def number(argument: Expression) -> Expression | None:
    return argument if argument.type in (*NUMBERS, NULL) else None


def double(argument: Expression) -> Expression | None:
    if argument.type in DOUBLES:
        return argument
    if isinstance(argument, Constant) and argument.value is not None and argument.type in (INTEGER, DECIMAL):
        return Constant(DOUBLE, float(argument.value))
    return (
        Call(DOUBLE, "float({0})", (argument,)) if argument.type in (INTEGER, DECIMAL) else number(argument)
    )


def day(argument: Expression) -> Expression | None:
    """A date; a text written into the condition is one too."""
    if argument.type == TEXT and is_literal(argument):
        assert isinstance(argument, Constant)
        found = dates.date_of_text(argument.value)
        return None if found is None else Constant(DATE, found)
    return argument if argument.type in (*DAYS, NULL) else None


def anything(argument: Expression) -> Expression | None:
    return argument


def any_list(argument: Expression) -> Expression | None:
    return argument if argument.type.element or argument.type == NULL else None


def value_set(argument: Expression) -> Expression | None:
    """The values of a list, without nulls."""
    if argument.type.element in (None, *DOUBLES):
        return any_list(argument) if argument.type == NULL else None
    return Call(argument.type, "lists_as_set({0})", (argument,))


def _ordered_list(argument: Expression) -> Expression | None:
    return any_list(argument) if argument.type.has_order else None


def _list_of_lists(argument: Expression) -> Expression | None:
    return argument if argument.type.element and argument.type.element.element else None


def _of_one_type(arguments: Arguments) -> SqlType | None:
    return choice_type([each.type for each in arguments])


def _sets_match(arguments: Arguments) -> SqlType | None:
    return BOOLEAN if _of_one_type(arguments) else None


def _member(arguments: Arguments) -> SqlType | None:
    """The type of a list's values when the second argument is one of them."""
    values, value = (each.type for each in arguments)
    element = values.element or NULL
    return element if NULL in (element, value) or element == value else None


def _element(arguments: Arguments) -> SqlType | None:
    return arguments[0].type.element or NULL


def _list_of_common(arguments: Arguments) -> SqlType | None:
    found = _of_one_type(arguments)
    return None if found is None else list_of(found)


def _unordered(arguments: Arguments) -> SqlType | None:
    found = _of_one_type(arguments)
    return list_of(found.element, has_order=False) if found and found.element else None


def _first_type(arguments: Arguments) -> SqlType:
    return arguments[0].type


def _texts(
    template: str, *parameters: Parameter, type: SqlType = TEXT, optional: int = 0
) -> tuple[Signature, ...]:
    return (Signature(template, parameters, type, optional),)


def _distance(template: str, type: SqlType, *, may_fail: bool = False) -> tuple[Signature, ...]:
    return (Signature(template, (octets, octets), type, may_fail=may_fail),)


def _ordering(template: str) -> tuple[Signature, ...]:
    """list_min and list_max."""

    def orderable(argument: Expression) -> Expression | None:
        return argument if argument.type.element and argument.type.element != LOOSE_DOUBLE else None

    def loose(argument: Expression) -> Expression | None:
        return argument if argument.type.element == LOOSE_DOUBLE else None

    return (
        Signature(f"{template}({{0}})", (orderable,), _element, may_be_null=True),
        Signature(f"{template}({{0}}, numbers_order)", (loose,), _element, may_be_null=True),
    )


def _sum_type(arguments: Arguments) -> SqlType | None:
    element = arguments[0].type.element
    return element if element in (INTEGER, *DOUBLES) else None


def _date_part(template: str, type: SqlType = INTEGER) -> tuple[Signature, ...]:
    return (Signature(template, (day,), type, may_be_null=True),)


_LENGTH = (
    Signature("len({0})", (text,), INTEGER),
    Signature("len({0})", (any_list,), INTEGER),
)
_CONTAINS_LIST = Signature(
    "{1} in {0}", (value_set, anything), lambda given: BOOLEAN if _member(given) else None
)
_OVERLAP = (Signature("not {0}.isdisjoint({1})", (value_set, value_set), _sets_match),)
_INCLUDES = (Signature("{0}.issuperset({1})", (value_set, value_set), _sets_match),)

FUNCTIONS: Final[dict[str, tuple[Signature, ...]]] = {
    # Texts.
    "length": _LENGTH,
    "len": _LENGTH,
    "strlen": _texts("len({0}.encode())", text, type=INTEGER),
    "left": _texts("{0}[:{1}]", text, whole),
    "right": _texts("texts_right({0}, {1})", text, whole),
    "substring": _texts("texts_substring({all})", text, whole, whole, optional=1),
    "split_part": _texts("texts_split_part({all})", text, text, whole),
    "string_split": _texts("texts_split({all})", text, text, type=list_of(TEXT)),
    "lower": _texts("texts_lower({0})", text),
    "upper": _texts("texts_upper({0})", text),
    "trim": _texts("texts_trim({all})", text, text, optional=1),
    "ltrim": _texts("texts_trim_left({all})", text, text, optional=1),
    "rtrim": _texts("texts_trim_right({all})", text, text, optional=1),
    "replace": _texts("texts_replace({all})", text, text, text),
    "strpos": _texts("{0}.find({1}) + 1", text, text, type=INTEGER),
    "starts_with": _texts("{0}.startswith({1})", text, text, type=BOOLEAN),
    "ends_with": _texts("{0}.endswith({1})", text, text, type=BOOLEAN),
    "contains": (Signature("{1} in {0}", (text, text), BOOLEAN), _CONTAINS_LIST),
    "||": (
        Signature("{0} + {1}", (as_text, as_text), TEXT),
        Signature("{0} + {1}", (any_list, any_list), _of_one_type),
    ),
    "concat": (
        Signature("texts_concatenate({all})", (as_text,), TEXT, is_variadic=True, is_strict=False),
        Signature("lists_concatenate({all})", (any_list,), _of_one_type, is_variadic=True, is_strict=False),
    ),
    "concat_ws": (
        Signature(
            "texts_concatenate_with({all})",
            (text, as_text),
            TEXT,
            is_variadic=True,
            is_strict=False,
            may_be_null=True,
        ),
    ),
    # Distances.
    "levenshtein": _distance("distances_levenshtein({0}, {1})", INTEGER),
    "damerau_levenshtein": _distance("distances_damerau_levenshtein({0}, {1})", INTEGER),
    "jaro_similarity": _distance("distances_jaro({0}, {1})", DOUBLE),
    "jaro_winkler_similarity": _distance("distances_jaro_winkler({0}, {1})", DOUBLE),
    "jaccard": _distance("distances_jaccard({0}, {1})", DOUBLE, may_fail=True),
    "hamming": _distance("distances_hamming({0}, {1})", INTEGER, may_fail=True),
    # Lists.
    "list_has_any": _OVERLAP,
    "list_has_all": _INCLUDES,
    "list_contains": (_CONTAINS_LIST,),
    "array_length": (Signature("len({0})", (any_list,), INTEGER),),
    "list_count": (Signature("lists_count({0})", (any_list,), INTEGER),),
    "list_unique": (Signature("len({0})", (value_set,), INTEGER),),
    "list_min": _ordering("lists_minimum"),
    "list_max": _ordering("lists_maximum"),
    "list_sum": (Signature("lists_total({0})", (_ordered_list,), _sum_type, may_be_null=True),),
    "list_distinct": (Signature("{0}", (value_set,), _unordered),),
    "list_intersect": (
        Signature(
            "lists_intersect({0}, {1})", (value_set, value_set), _unordered, is_strict=False, may_be_null=True
        ),
    ),
    "list_concat": (
        Signature("lists_concatenate({all})", (any_list,), _of_one_type, is_variadic=True, is_strict=False),
    ),
    "list_append": (
        Signature(
            "lists_append({0}, {1})",
            (any_list, anything),
            lambda given: _first_type(given) if _member(given) else None,
            is_strict=False,
        ),
    ),
    "list_value": (Signature("({all},)", (anything,), _list_of_common, is_variadic=True, is_strict=False),),
    "flatten": (Signature("lists_concatenate(*{0})", (_list_of_lists,), _element),),
    "list_extract": (
        Signature("lists_element({0}, {1})", (_ordered_list, whole), _element, may_be_null=True),
        Signature("texts_substring({0}, {1}, 1)", (text, whole), TEXT),
    ),
    "list_slice": (
        Signature("lists_piece({all})", (text, whole, whole), TEXT),
        Signature("lists_piece({all})", (_ordered_list, whole, whole), _first_type),
    ),
    # Dates.
    "year": _date_part("dates_year({0})"),
    "month": _date_part("dates_month({0})"),
    "day": _date_part("dates_day_of_month({0})"),
    "epoch": _date_part("dates_epoch({0})", DOUBLE),
    # Numbers.
    "abs": (Signature("abs({0})", (number,), _first_type),),
    "sqrt": (Signature("numbers_square_root({0})", (double,), LOOSE_DOUBLE),),
    "round": (
        Signature("{0}", (whole,), INTEGER),
        Signature("numbers_round_half_away({0})", (double,), _first_type),
    ),
    "floor": (Signature("numbers_floor({0})", (double,), _first_type),),
    "ceil": (Signature("numbers_ceiling({0})", (double,), _first_type),),
}
