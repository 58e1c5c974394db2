"""Given names and surnames as often as in Brazil, and a few of Portugal; all combinations are invented.

The frequent names come from names.csv (see derive_names.py). The rare ones are put together from the pieces
that Brazilian given names and immigrant surnames are really made of, so that the tail is as long as in life.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import product
from zlib import crc32

import numpy as np
import numpy.typing as npt

from cdp.demo.vocabulary import entry, read_rows, table, words

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

RARE_GIVEN_SHARE = 0.05
RARE_SURNAME_SHARE = 0.12
RARE_EXPONENT = 0.7


@dataclass(frozen=True)
class Frequencies:
    """Names with the running total of their shares; drawn by position."""

    names: tuple[str, ...]
    totals: FloatArray

    def draw(self, random: np.random.Generator, count: int) -> list[str]:
        names = self.names
        return [names[position] for position in np.searchsorted(self.totals, random.random(count)).tolist()]


@dataclass(frozen=True)
class NameTables:
    """The frequencies of one country, by sex and for surnames."""

    female: Frequencies
    male: Frequencies
    surnames: Frequencies


@cache
def load_brazilian_names() -> NameTables:
    """The tables of names.csv with their invented tails."""
    rows = read_rows("names.csv")
    given = [(r["name"], int(r["people"]), float(r["share_female"])) for r in rows if r["kind"] == "given"]
    female = [(name, people * share) for name, people, share in given if share >= 0.02]
    male = [(name, people * (1 - share)) for name, people, share in given if share <= 0.98]
    surnames = [(r["name"], float(r["people"])) for r in rows if r["kind"] == "surname"]
    return NameTables(
        female=tabulate(female, join_pieces("female"), RARE_GIVEN_SHARE),
        male=tabulate(male, join_pieces("male"), RARE_GIVEN_SHARE),
        surnames=tabulate(surnames, join_pieces("surnames"), RARE_SURNAME_SHARE),
    )


@cache
def load_portuguese_names() -> NameTables:
    """The usual names of Portugal; the lists stand in order of frequency."""
    return NameTables(
        *(
            tabulate(
                [(name, (rank + 2) ** -0.9) for rank, name in enumerate(words("names", "portugal", kind))]
            )
            for kind in ("female", "male", "surnames")
        )
    )


@cache
def load_particles() -> dict[str, tuple[str, float]]:
    """Surname to its particle and how often people write it."""
    return {surname: (found[0], float(found[1])) for surname, found in table("names", "particles").items()}


@cache
def load_nicknames() -> dict[str, tuple[str, ...]]:
    return table("names", "nicknames")


def join_pieces(kind: str) -> list[str]:
    """Every stem with every ending, in a mixed order that never changes."""
    pieces = entry("names", "rare", kind)
    assert isinstance(pieces, list)
    joined = {
        stem + ending for p in pieces for stem, ending in product(p["stems"].split(), p["endings"].split())
    }
    return sorted(joined, key=lambda name: (crc32(name.encode()), name))


def tabulate(
    counted: Iterable[tuple[str, float]], rare: Iterable[str] = (), rare_share: float = 0.0
) -> Frequencies:
    """Counted names by their count; the rare ones divide `rare_share` by a power law of their rank."""
    head = dict(counted)
    tail = [name for name in rare if name not in head]
    head_weights = np.array(list(head.values()), dtype=np.float64)
    tail_weights = np.arange(1, len(tail) + 1, dtype=np.float64) ** -RARE_EXPONENT
    shares = (
        head_weights / head_weights.sum() * (1 - rare_share),
        tail_weights / max(tail_weights.sum(), 1.0) * rare_share,
    )
    totals = np.cumsum(np.concatenate(shares))
    return Frequencies((*head, *tail), totals / totals[-1])
