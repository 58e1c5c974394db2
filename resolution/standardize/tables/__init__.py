"""Tables that standardization reads: nicknames, typed domains, junk values and the like, loaded once when first needed."""

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
    """Nickname -> the given names it may stand for, folded; many-to-many. Grain of the file: one row a pair."""
    names: dict[str, list[str]] = {}
    with files(__name__).joinpath("nicknames.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            names.setdefault(row["nickname"], []).extend(row["names"].split())
    return MappingProxyType({nickname: tuple(sorted(set(given))) for nickname, given in names.items()})
