"""Records of invented people that a machine cannot tell: one phone, a first name or only its initial, and no more.

Resolved with the shipped model, most pairs of them wait for a steward, with a wide spread of match weights. First names
are as frequent as in Brazil; family names are put together from two, or pairs would be like one another.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from cdp.demo.names import load_brazilian_names

SOURCES = ("shop", "web")
# Of records that nothing ties to any other.
APART = "archive"
# Of ten pairs; the first kind is the one that most often stays in doubt.
KINDS = (*(["initial and gender"] * 8), "initial and city", "another first name")

Raw = dict[str, Any]


def write_doubtful_pairs(path: Path, count: int, *, seed: int) -> None:
    _write(path, doubtful_pairs(count, seed=seed))


def write_records_apart(path: Path, count: int, *, seed: int) -> None:
    """Each with a name and an e-mail address of its own."""
    chance, surnames = random.Random(seed), load_brazilian_names().surnames.names
    _write(path, (_apart(chance, surnames, f"a{number}") for number in range(count)))


def _apart(chance: random.Random, surnames: Sequence[str], key: str) -> Raw:
    name = " ".join(_family_name(chance, surnames) for _ in range(3))
    return _told(APART, key, {"full_name": name, "emails": [f"{key}@example.com"]})


def _write(path: Path, records: Iterable[Raw]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wb", compresslevel=1) as file:
        for record in records:
            file.write(orjson.dumps(record) + b"\n")


def doubtful_pairs(count: int, *, seed: int) -> Iterator[Raw]:
    """Two records a pair, one after the other."""
    chance, names = random.Random(seed), load_brazilian_names()
    draw = np.random.default_rng(seed)
    given, other_given = names.female.draw(draw, count), names.female.draw(draw, count)
    for number in range(count):
        first, second, another = (_family_name(chance, names.surnames.names) for _ in range(3))
        phone = f"119{chance.randrange(60_000_000, 100_000_000)}"
        left: Raw = {"full_name": f"{given[number]} {first} {second}", "phones": [phone]}
        right: Raw = {"full_name": f"{given[number][0]} {another}", "phones": [phone]}
        match KINDS[number % len(KINDS)]:
            case "initial and gender":
                left["gender"] = right["gender"] = "F"
            case "initial and city":
                left["address"] = right["address"] = {"city": "São Paulo", "region": "SP"}
            case _:
                right["full_name"] = f"{other_given[number]} {second}"
        yield _told("crm", f"l{number}", left)
        yield _told(chance.choice(SOURCES), f"r{number}", right)


def _family_name(chance: random.Random, names: Sequence[str]) -> str:
    return "".join(chance.choices(names, k=2)).replace(" ", "").capitalize()


def _told(source: str, key: str, values: Raw) -> Raw:
    return {
        "source": source,
        "source_record_id": key,
        "occurred_at": "2026-10-01T10:00:00Z",
        **values,
    }
