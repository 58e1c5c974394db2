"""Tables that standardization reads: nicknames, typed domains, junk values; each loaded when first needed."""

import csv
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


@cache
def _table(name: str) -> Mapping[str, Any]:
    return MappingProxyType(tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8")))


@cache
def words_of(table: str, key: str) -> frozenset[str]:
    """One list of a TOML table as a set: words_of('names', 'particles')."""
    return frozenset(_table(table)[key])


@cache
def pairs_of(table: str, key: str) -> Mapping[str, str]:
    """One sub-table of a TOML table: pairs_of('emails', 'typed_domains')."""
    return MappingProxyType(dict(_table(table)[key]))


@cache
def numbers_of(table: str, key: str) -> Mapping[str, int]:
    """A sub-table of numbers: numbers_of('dates', 'months')."""
    return MappingProxyType(dict(_table(table)[key]))


@cache
def variants_of(table: str, key: str) -> Mapping[str, str]:
    """A sub-table `canonical = [variant, ...]` turned round: variant -> canonical."""
    return MappingProxyType({v: canonical for canonical, vs in _table(table)[key].items() for v in vs})


@cache
def mojibake_pairs() -> tuple[tuple[str, str], ...]:
    """Broken and mended text, the longest first."""
    pairs = _table("mojibake")["pairs"].items()
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


@cache
def nicknames() -> Mapping[str, tuple[str, ...]]:
    """Nickname -> the given names it may stand for, folded; many-to-many. Grain of the file: one nickname."""
    lines = files(__name__).joinpath("nicknames.csv").read_text("utf-8").splitlines()
    return MappingProxyType({row["nickname"]: tuple(row["names"].split()) for row in csv.DictReader(lines)})


@cache
def names_with_nicknames() -> frozenset[str]:
    """Given names that nicknames stand for: 'jon' is short for John, and John is not a spelling of Jon."""
    return frozenset(name for names in nicknames().values() for name in names)
