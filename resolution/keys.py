"""The keys that records, values and pairs are found by: 63 bits of MD5, the same in SQL and in Python."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product

import orjson

from resolution.columns import NAMING_COLUMNS
from resolution.specification import BlockingRule

SEPARATOR = "\x1f"

Linkage = Mapping[str, str | Sequence[str]]

_NAMING = frozenset(NAMING_COLUMNS)


def hash_63(content: bytes) -> int:
    """The first 63 bits of the lower half of MD5, as DuckDB's md5_number_lower(...) >> 1 gives them."""
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") >> 1


def blocking_keys(linkage: Linkage, rules: Iterable[BlockingRule]) -> Iterator[int]:
    """The blocking keys of one record; two records with a key in common may be compared."""
    for rule in rules:
        pools = []
        for columns in rule.columns:
            pool = _pool(linkage, columns)
            if not pool:
                break
            pools.append(pool)
        else:
            for parts in product(*pools):
                yield blocking_key(rule.name, parts)


def keyed_caps(rules: Iterable[BlockingRule]) -> Callable[[Linkage], dict[int, int]]:
    """A function from a record to its blocking keys under all the rules, each with the cap of its rule.

    What blocking_keys gives, for who asks it of one record after the other.
    """
    plan = [
        (f"{rule.name}{SEPARATOR}", tuple(map(tuple, rule.columns)), _needed(rule.columns), rule.cap)
        for rule in rules
    ]

    def keys_of(linkage: Linkage) -> dict[int, int]:
        found: dict[int, int] = {}
        held = linkage.keys()
        pools: dict[tuple[str, ...], Sequence[str]] = {}
        for prefix, columns, needed, cap in plan:
            if not needed <= held:
                continue
            of_rule = []
            for pooled in columns:
                pool = pools.get(pooled)
                if pool is None:
                    pool = pools[pooled] = _pool(linkage, pooled)
                of_rule.append(pool)
            for parts in product(*of_rule):
                found[hash_63((prefix + SEPARATOR.join(parts)).encode())] = cap
        return found

    return keys_of


def _needed(columns: Sequence[Sequence[str]]) -> frozenset[str]:
    """The columns without which there is no key: those that stand alone."""
    return frozenset(pooled[0] for pooled in columns if len(pooled) == 1)


def blocking_key(rule_name: str, parts: Sequence[str]) -> int:
    return hash_63(SEPARATOR.join((rule_name, *parts)).encode())


def value_key(column: str, value: str) -> int:
    """What a value of a list column is known by where its holders are counted."""
    return hash_63(f"value {column}{SEPARATOR}{value}".encode())


def names_somebody(linkage: Linkage) -> bool:
    """Whether a record has a name or an identifier. One that has neither is resolved with nobody."""
    return not _NAMING.isdisjoint(linkage)


def linkage_hash(linkage: Linkage) -> int:
    """The same for records that say the same."""
    return hash_linkage_text(linkage_text(linkage))


def linkage_text(linkage: Linkage) -> bytes:
    """The canonical JSON of what a record says."""
    return orjson.dumps(linkage, option=orjson.OPT_SORT_KEYS)


def hash_linkage_text(text: bytes) -> int:
    """The linkage_hash of a record, for who has the text already."""
    return hash_63(text)


def _pool(linkage: Linkage, columns: Sequence[str]) -> Sequence[str]:
    """The different values of the columns; those of one list are different as they stand."""
    if len(columns) == 1:
        alone = linkage.get(columns[0], ())
        return (alone,) if isinstance(alone, str) else alone
    values: set[str] = set()
    for column in columns:
        held = linkage.get(column)
        if isinstance(held, str):
            values.add(held)
        elif held:
            values.update(held)
    return sorted(values)
