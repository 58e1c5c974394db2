"""A model specification: comparisons, blocking rules and thresholds, read from a TOML file.

A specification is data; `specifications/people.toml` is the one that ships, and says what each part means.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from resolution.columns import LINKAGE_COLUMNS, LIST_COLUMNS, SCALAR_COLUMNS
from resolution.errors import SpecificationError
from resolution.partition import Thresholds

Part = TypeVar("Part")

# Estimates of levels are rounded one by one, and so may add up to a little more than one.
ROUNDING = 0.005


@dataclass(frozen=True)
class ComparisonLevel:
    """One grade of agreement. `condition` is DuckDB SQL over columns suffixed _l and _r, or ELSE.

    The term frequency of `frequency_column` takes the place of the u of the column's exact level, or of this
    level's own u (`frequency_is_over_level`). A fixed level is not trained.
    """

    label: str
    condition: str
    is_missing: bool
    m: float
    u: float
    frequency_column: str | None
    frequency_is_over_level: bool
    is_fixed: bool
    why: str


@dataclass(frozen=True)
class Comparison:
    """How one part of two records is compared; the first level whose condition holds counts."""

    name: str
    levels: tuple[ComparisonLevel, ...]

    @property
    def weighed_levels(self) -> tuple[ComparisonLevel, ...]:
        return tuple(level for level in self.levels if not level.is_missing)

    @property
    def is_fixed(self) -> bool:
        """Whether training leaves its probabilities as they are."""
        return any(level.is_fixed for level in self.levels)


@dataclass(frozen=True)
class BlockingRule:
    """Pairs that share a key are compared. A key is one value from each of `columns`, lists value by value; where
    several columns stand together, a value of any of them. A key with more than `cap` holders proposes nothing.

    An optional rule is for data that need it: training takes it into the model when enough of the pairs that only
    it proposes look like matches.
    """

    name: str
    columns: tuple[tuple[str, ...], ...]
    cap: int
    is_optional: bool


@dataclass(frozen=True)
class SharingLimits:
    """A value of the identifier with more than `shared` different first names is shared, with more than
    `generic` it is generic and counts for nothing.

    window_days: the names count that so many days in a row saw, whichever; those of undated records with every one.
    None: all that ever were.
    """

    shared: int
    generic: int
    window_days: int | None = None


@dataclass(frozen=True)
class TrainingRule:
    """One blocking for the estimation of m: records equal in `keys` (SQL expressions over the linkage columns).
    Comparisons in `without` say nothing there, since the block is made of them."""

    name: str
    keys: tuple[str, ...]
    without: tuple[str, ...]


@dataclass(frozen=True)
class ExcessFrequency:
    """A column whose term frequency is how many times more people bear a term than its parts suggest."""

    column: str
    parts: tuple[str, ...]
    holders: int


@dataclass(frozen=True)
class PriorFrequencies:
    """A shipped table of shares for a column: rows of `kind` in `file`; `rare` for terms that are not in it."""

    file: str
    kind: str
    rare: float


@dataclass(frozen=True)
class Specification:
    name: str
    match_probability: float
    thresholds: Thresholds
    complete_size: int
    comparisons: tuple[Comparison, ...]
    blocking_rules: tuple[BlockingRule, ...]
    sharing: Mapping[str, SharingLimits]
    training_rules: tuple[TrainingRule, ...]
    excess_frequencies: tuple[ExcessFrequency, ...]
    prior_frequencies: Mapping[str, PriorFrequencies]

    @property
    def frequency_columns(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys(
                level.frequency_column
                for comparison in self.comparisons
                for level in comparison.levels
                if level.frequency_column
            )
        )


def default_specification_text() -> str:
    """The shipped specification for people, as TOML."""
    return shipped_file("people.toml").read_text("utf-8")


def shipped_file(name: str) -> Traversable:
    """A file that ships beside the specification for people."""
    return resources.files("resolution").joinpath("specifications", name)


def read_specification(path: Path) -> tuple[Specification, str]:
    """A specification and its text from a TOML file; raises SpecificationError with what is wrong and where."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecificationError(
            f"Specification {path} cannot be read: {error}. Give a TOML file."
        ) from error
    return parse_specification(text, str(path)), text


def parse_specification(text: str, origin: str = "people.toml") -> Specification:
    """Raises SpecificationError naming the part that is missing, unknown or impossible."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecificationError(f"{origin} is not TOML: {error}.") from error
    with _reading(origin):
        specification = _specification(document)
    for problem in _problems(specification):
        raise SpecificationError(f"{origin}: {problem}")
    return specification


@contextmanager
def _reading(part: str) -> Iterator[None]:
    """What goes wrong inside is told with the part of the specification that was being read."""
    try:
        yield
    except KeyError as error:
        raise SpecificationError(
            f"{part} lacks {error}; see the shipped people.toml for the form."
        ) from error
    except (SpecificationError, TypeError, ValueError, AttributeError) as error:
        raise SpecificationError(f"{part}: {error}") from error


def _specification(document: Mapping[str, Any]) -> Specification:
    thresholds, complete_size = _thresholds(document["thresholds"])
    with _reading("prior"):
        match_probability = float(document["prior"]["match_probability"])
    return Specification(
        name=document["name"],
        match_probability=match_probability,
        thresholds=thresholds,
        complete_size=complete_size,
        comparisons=_listed("comparison", document["comparison"], _comparison),
        blocking_rules=_listed("blocking", document["blocking"], _blocking_rule),
        sharing=_tabled("sharing", document, _sharing_limits),
        training_rules=_listed("training", document.get("training", []), _training_rule),
        excess_frequencies=tuple(_tabled("excess", document, _excess_frequency).values()),
        prior_frequencies=_tabled("shipped_frequencies", document, _prior_frequencies),
    )


def _listed(
    kind: str, entries: Iterable[Mapping[str, Any]], build: Callable[[Mapping[str, Any]], Part]
) -> tuple[Part, ...]:
    """What is built of each [[kind]]; a level is known by its label, everything else by its name."""
    built = []
    for number, entry in enumerate(entries, start=1):
        with _reading(f"{kind} {entry.get('name', entry.get('label', number))!r}"):
            built.append(build(entry))
    return tuple(built)


def _tabled(
    kind: str, document: Mapping[str, Any], build: Callable[[str, Mapping[str, Any]], Part]
) -> dict[str, Part]:
    """Column to what is built of its table [kind.column]."""
    built = {}
    for column, entry in document.get(kind, {}).items():
        with _reading(f"{kind}.{column}"):
            built[column] = build(column, entry)
    return built


def _thresholds(entry: Mapping[str, Any]) -> tuple[Thresholds, int]:
    with _reading("thresholds"):
        sizes = {"size_limit": int(entry["size_limit"]), "complete_size": int(entry["complete_size"])}
        bits = {name: float(value) for name, value in entry.items() if name not in sizes}
        return Thresholds(**bits, size_limit=sizes["size_limit"]), sizes["complete_size"]


def _comparison(entry: Mapping[str, Any]) -> Comparison:
    return Comparison(entry["name"], _listed("level", entry["level"], _level))


def _level(entry: Mapping[str, Any]) -> ComparisonLevel:
    is_missing = bool(entry.get("missing", False))
    return ComparisonLevel(
        label=entry["label"],
        condition=entry["condition"].strip(),
        is_missing=is_missing,
        m=0.0 if is_missing else float(entry["m"]),
        u=0.0 if is_missing else float(entry["u"]),
        frequency_column=entry.get("frequency_column"),
        frequency_is_over_level=entry.get("frequency_base", "exact") == "level",
        is_fixed=bool(entry.get("fixed", False)),
        why=entry.get("why", ""),
    )


def _blocking_rule(entry: Mapping[str, Any]) -> BlockingRule:
    columns = tuple((part,) if isinstance(part, str) else tuple(part) for part in entry["columns"])
    return BlockingRule(entry["name"], columns, int(entry["cap"]), bool(entry.get("optional", False)))


def _sharing_limits(_: str, entry: Mapping[str, Any]) -> SharingLimits:
    window_days = int(entry["window_days"]) if "window_days" in entry else None
    return SharingLimits(int(entry["shared"]), int(entry["generic"]), window_days)


def _training_rule(entry: Mapping[str, Any]) -> TrainingRule:
    return TrainingRule(entry["name"], tuple(entry["keys"]), tuple(entry["without"]))


def _excess_frequency(column: str, entry: Mapping[str, Any]) -> ExcessFrequency:
    return ExcessFrequency(column, tuple(entry["parts"]), int(entry["holders"]))


def _prior_frequencies(_: str, entry: Mapping[str, Any]) -> PriorFrequencies:
    return PriorFrequencies(entry["file"], entry["kind"], float(entry["rare"]))


def _problems(specification: Specification) -> Iterator[str]:
    """What is impossible in a specification of the right form, each naming its part."""
    if not 0 < specification.match_probability < 1:
        yield "prior.match_probability must lie between 0 and 1."
    limits = specification.thresholds
    if not limits.floor <= limits.review <= limits.join <= limits.ceiling:
        yield "thresholds must rise from floor over review and join to ceiling."
    for comparison in specification.comparisons:
        yield from _comparison_problems(comparison)
    for kind, names in (
        ("comparison", [comparison.name for comparison in specification.comparisons]),
        ("blocking", [rule.name for rule in specification.blocking_rules]),
    ):
        yield from (f"{kind} {name!r} stands there twice." for name in names if names.count(name) > 1)
    for blocking in specification.blocking_rules:
        for column in (column for part in blocking.columns for column in part):
            if column not in LINKAGE_COLUMNS:
                yield f"blocking {blocking.name!r} names {column}, which is no linkage column."
    for training in specification.training_rules:
        for name in training.without:
            if name not in {comparison.name for comparison in specification.comparisons}:
                yield f"training {training.name!r} goes without {name}, which is no comparison."
    yield from _column_problems(specification)


def _comparison_problems(comparison: Comparison) -> Iterator[str]:
    # The name becomes part of the names of columns.
    if not re.fullmatch("[a-z][a-z0-9_]*", comparison.name):
        yield f"comparison {comparison.name!r} must have a name of small letters, digits and _."
    if not comparison.weighed_levels or comparison.levels[-1].condition != "ELSE":
        yield f"the last level of comparison {comparison.name!r} must have condition ELSE."
    for level in comparison.weighed_levels:
        if not (0 < level.m <= 1 and 0 < level.u <= 1):
            yield f"m and u of comparison {comparison.name!r}, level {level.label!r}, must lie in (0, 1]."
    if not comparison.is_fixed:
        for name in ("m", "u"):
            total = sum(getattr(level, name) for level in comparison.weighed_levels)
            if total > 1 + ROUNDING:
                yield f"the {name} of comparison {comparison.name!r} add up to {total:.4g}; a pair has one level."
    for column in (level.frequency_column for level in comparison.levels):
        if column and column not in SCALAR_COLUMNS:
            yield f"comparison {comparison.name!r} counts terms of {column}, which is no text column."


def _column_problems(specification: Specification) -> Iterator[str]:
    """Those of the tables that are named for a column."""
    counted = specification.frequency_columns
    for column, limits in specification.sharing.items():
        if column not in LIST_COLUMNS:
            yield f"sharing.{column} must be named for a list column."
        if limits.shared > limits.generic:
            yield f"sharing.{column}: shared must not be more than generic."
        if limits.window_days is not None and limits.window_days < 1:
            yield f"sharing.{column}: window_days must be 1 at least; leave it out to count without a window."
    for excess in specification.excess_frequencies:
        for column in (excess.column, *excess.parts):
            if column not in counted:
                yield f"excess.{excess.column} needs the terms of {column}, and no comparison counts them."
    for column, prior in specification.prior_frequencies.items():
        if column not in counted:
            yield f"shipped_frequencies.{column}: no comparison counts the terms of {column}."
        if not shipped_file(prior.file).is_file():
            yield f"shipped_frequencies.{column}: there is no shipped table {prior.file}."
