"""Who lives with whom: households drawn as arrays, one position a person.

A household has a head, perhaps a partner, and children or, while the head is young, siblings. What is drawn
here is made into people by families.py.
"""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from cdp.demo.names import NameTables, load_brazilian_names, load_portuguese_names

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

HOUSEHOLD_SIZES = (0.34, 0.28, 0.19, 0.12, 0.05, 0.02)
# Weight of 0, 1, 2, ... records a person; the head of a household has at least one.
RECORD_COUNTS = (15.0, 22.0, 27.0, 19.0, 10.0, 4.0, 1.6, 0.8, 0.4, 0.3, 0.2, 0.1, 0.05, 0.05)
PORTUGUESE_SHARE = 0.03
LONGEST_RELATION_YEARS = 15.0
SECONDS_A_YEAR = 365.25 * 86400
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Role(IntEnum):
    HEAD = 0
    PARTNER = 1
    CHILD = 2
    SIBLING = 3


@dataclass(frozen=True)
class Draft:
    """What is drawn about one person before the household is put together."""

    role: Role
    female: bool
    birth_on: date
    joined_at: int
    record_count: int
    given_names: tuple[str, str]
    mother_given_name: str
    twin: bool
    phone_changes: int
    email_changes: int


@dataclass(frozen=True)
class HouseholdDraft:
    """A household: its people, the four surnames it hands down, and how often it moved."""

    portuguese: bool
    surnames: tuple[str, str, str, str]
    moves: int
    members: list[Draft]


def draw_households(random: np.random.Generator, record_count: int, until: int) -> list[HouseholdDraft]:
    """Households with exactly so many source records; the last person's records are cut to fit."""
    household_count = record_count // 2 + 4
    sizes = 1 + random.choice(len(HOUSEHOLD_SIZES), size=household_count, p=HOUSEHOLD_SIZES)
    household = np.repeat(np.arange(household_count), sizes)
    counts = draw_record_counts(random, household)
    before = np.cumsum(counts) - counts
    kept = int(np.searchsorted(before, record_count, side="left"))
    counts = np.minimum(counts, record_count - before)[:kept]
    return assemble(random, household[:kept], counts, until)


def draw_record_counts(random: np.random.Generator, household: IntArray) -> IntArray:
    shares = np.array(RECORD_COUNTS)
    counts = random.choice(len(shares), size=len(household), p=shares / shares.sum())
    heads = np.flatnonzero(np.diff(household, prepend=-1))
    counts[heads] = np.maximum(counts[heads], 1)
    return counts.astype(np.int64)


def assemble(
    random: np.random.Generator, household: IntArray, record_counts: IntArray, until: int
) -> list[HouseholdDraft]:
    people, households = len(household), int(household[-1]) + 1
    portuguese = random.random(households) < PORTUGUESE_SHARE
    role, age, twin = draw_roles_and_ages(random, household)
    head_female = random.random(households)[household] < 0.52
    same_sex = random.random(households)[household] < 0.03
    female = np.where(role == Role.HEAD, head_female, random.random(people) < 0.5)
    female = np.where(role == Role.PARTNER, head_female == same_sex, female)
    relation = np.minimum(LONGEST_RELATION_YEARS * random.random(people) ** 1.6, age - 15.9)
    joined = until - np.maximum(relation, 0.01) * SECONDS_A_YEAR
    births = (EPOCH_ORDINAL + until / 86400 - age * 365.25).astype(np.int64)
    given = draw_given_names(random, female, portuguese[household])
    mothers = load_brazilian_names().female.draw(random, people)
    columns = (role, female, births, joined.astype(np.int64), record_counts)
    changes = (random.poisson(relation / 9), random.poisson(relation / 14))
    drafts = zip(
        *(column.tolist() for column in columns),
        given,
        mothers,
        twin.tolist(),
        *(column.tolist() for column in changes),
        strict=True,
    )
    members: list[list[Draft]] = [[] for _ in range(households)]
    for at, (kind, is_female, birth, *rest) in zip(household.tolist(), drafts, strict=True):
        members[at].append(Draft(Role(kind), is_female, date.fromordinal(birth), *rest))
    surnames = draw_surnames(random, portuguese)
    moves = random.poisson(1.1, households).tolist()
    return [
        HouseholdDraft(*parts) for parts in zip(portuguese.tolist(), surnames, moves, members, strict=True)
    ]


def draw_roles_and_ages(
    random: np.random.Generator, household: IntArray
) -> tuple[IntArray, FloatArray, npt.NDArray[np.bool_]]:
    """Role, age in years and whether a twin, one position a person; twins follow each other."""
    people, households = len(household), int(household[-1]) + 1
    position = np.arange(people) - np.searchsorted(household, household)
    head_age = np.clip(random.normal(45, 14, households), 19, 86)[household]
    paired = random.random(households)[household] < 0.72
    role = np.where(head_age >= 38, Role.CHILD, Role.SIBLING)
    role = np.where((position == 1) & paired, Role.PARTNER, role)
    role = np.where(position == 0, Role.HEAD, role)
    age = np.select(
        [role == Role.HEAD, role == Role.PARTNER, role == Role.CHILD],
        [head_age, head_age + random.normal(0, 4, people), head_age - random.uniform(20, 32, people)],
        head_age + random.normal(0, 5, people),
    )
    age = np.clip(age, 16.2, 95)
    young = role >= Role.CHILD
    second_twin = young & np.roll(young, 1) & (position > 1) & (random.random(people) < 0.05)
    age = np.where(second_twin, np.roll(age, 1), age)
    return role.astype(np.int64), age, second_twin | np.roll(second_twin, -1)


def draw_given_names(
    random: np.random.Generator, female: npt.NDArray[np.bool_], portuguese: npt.NDArray[np.bool_]
) -> list[tuple[str, str]]:
    """First and second given name; the second is empty for most."""
    count = len(female)
    names = np.empty((2, count), dtype=object)
    for tables, here in ((load_brazilian_names(), ~portuguese), (load_portuguese_names(), portuguese)):
        for frequencies, sex in ((tables.female, female), (tables.male, ~female)):
            chosen = here & sex
            for rank in range(2):
                names[rank, chosen] = frequencies.draw(random, int(chosen.sum()))
    often = np.isin(names[0], ("Maria", "Ana", "João", "José"))
    absent = (random.random(count) > np.where(often, 0.7, 0.35)) | (names[0] == names[1])
    names[1, absent] = ""
    return list(zip(*names.tolist(), strict=True))


def draw_surnames(
    random: np.random.Generator, portuguese: npt.NDArray[np.bool_]
) -> list[tuple[str, str, str, str]]:
    """Of each household: the mother's two surnames and the father's two."""
    names = np.empty((4, len(portuguese)), dtype=object)
    tables: tuple[tuple[NameTables, npt.NDArray[np.bool_]], ...] = (
        (load_brazilian_names(), ~portuguese),
        (load_portuguese_names(), portuguese),
    )
    for table, here in tables:
        for rank in range(4):
            names[rank, here] = table.surnames.draw(random, int(here.sum()))
    return list(zip(*names.tolist(), strict=True))
