"""A model specification: comparisons, blocking rules and thresholds, read from a TOML file.

A specification is data; `specifications/people.toml` is the one that ships, and says what each part means.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from resolution.columns import LINKAGE_COLUMNS
from resolution.errors import SpecificationError
from resolution.partition import Thresholds


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
    `generic` it is generic and counts for nothing."""

    shared: int
    generic: int


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
    return resources.files("resolution").joinpath("specifications", "people.toml").read_text("utf-8")


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
    try:
        specification = _specification(document)
    except KeyError as error:
        raise SpecificationError(
            f"{origin} lacks {error}; see the shipped people.toml for the form."
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise SpecificationError(f"{origin} does not have the form of a specification: {error}.") from error
    _check(specification, origin)
    return specification


def _specification(document: Mapping[str, Any]) -> Specification:
    thresholds = dict(document["thresholds"])
    complete_size = int(thresholds.pop("complete_size"))
    return Specification(
        name=document["name"],
        match_probability=float(document["prior"]["match_probability"]),
        thresholds=Thresholds(**thresholds),
        complete_size=complete_size,
        comparisons=tuple(_comparison(entry) for entry in document["comparison"]),
        blocking_rules=tuple(_blocking_rule(entry) for entry in document["blocking"]),
        sharing={
            column: SharingLimits(int(limits["shared"]), int(limits["generic"]))
            for column, limits in document.get("sharing", {}).items()
        },
        training_rules=tuple(
            TrainingRule(entry["name"], tuple(entry["keys"]), tuple(entry["without"]))
            for entry in document.get("training", [])
        ),
        excess_frequencies=tuple(
            ExcessFrequency(column, tuple(entry["parts"]), int(entry["holders"]))
            for column, entry in document.get("excess", {}).items()
        ),
        prior_frequencies={
            column: PriorFrequencies(entry["file"], entry["kind"], float(entry["rare"]))
            for column, entry in document.get("shipped_frequencies", {}).items()
        },
    )


def _comparison(entry: Mapping[str, Any]) -> Comparison:
    return Comparison(entry["name"], tuple(_level(level) for level in entry["level"]))


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


def _check(specification: Specification, origin: str) -> None:
    for comparison in specification.comparisons:
        if not comparison.weighed_levels or comparison.levels[-1].condition != "ELSE":
            raise SpecificationError(
                f"{origin}: the last level of {comparison.name} must have condition ELSE."
            )
        for level in comparison.weighed_levels:
            if not (0 < level.m <= 1 and 0 < level.u <= 1):
                raise SpecificationError(
                    f"{origin}: m and u of {comparison.name}, level '{level.label}', must lie in (0, 1]."
                )
    for rule in specification.blocking_rules:
        for column in (column for part in rule.columns for column in part):
            if column not in LINKAGE_COLUMNS:
                raise SpecificationError(
                    f"{origin}: blocking rule {rule.name} names {column}, which is no linkage column."
                )
    if not 0 < specification.match_probability < 1:
        raise SpecificationError(f"{origin}: prior.match_probability must lie between 0 and 1.")
