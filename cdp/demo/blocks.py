"""One block of the demo: its people, whose phone went to whom, and which records are due when."""

from dataclasses import dataclass
from random import Random

import numpy as np

from cdp.demo.channels import CHANNELS, Channel
from cdp.demo.families import Maker, age_in_years, make_family
from cdp.demo.households import draw_households
from cdp.demo.people import Person
from cdp.demo.records import draw_channels, draw_moments

RECYCLED_SHARE = 0.12
QUARANTINE_SECONDS = 180 * 86400


@dataclass(frozen=True, slots=True)
class Due:
    """A record to be written: about whom, where and when."""

    person: Person
    channel: Channel
    when: int


@dataclass(frozen=True)
class Block:
    """People who may know each other, and their records in order of time."""

    people: list[Person]
    recycled_phones: frozenset[str]
    due: list[Due]


def make_block(
    seed: tuple[int, int], record_count: int, *, first_id: int, maker: Maker, random: Random
) -> Block:
    numbers = np.random.default_rng(seed)
    people: list[Person] = []
    for draft in draw_households(numbers, record_count, maker.until):
        people += make_family(draft, first_id + len(people), maker, random)
    recycled = recycle_phones(people, random)
    return Block(people, recycled, schedule(people, maker.until, numbers))


def recycle_phones(people: list[Person], random: Random) -> frozenset[str]:
    """Give numbers that one person gave up to a stranger of the same area, half a year later or more."""
    given_up: dict[str, list[tuple[int, str, Person]]] = {}
    recycled = set()
    for person in people:
        if not person.phones:
            continue
        since, number = person.phones[-1]
        waiting = given_up.get(number[:4], [])
        if waiting and random.random() < RECYCLED_SHARE:
            left_at, old_number, holder = waiting[-1]
            if left_at + QUARANTINE_SECONDS < since and holder not in person.family:
                waiting.pop()
                person.phones[-1] = (since, old_number)
                recycled.add(old_number)
        for (_, old_number), (left_at, _) in zip(person.phones, person.phones[1:], strict=False):
            if old_number not in recycled:
                given_up.setdefault(old_number[:4], []).append((left_at, old_number, person))
    return frozenset(recycled)


def schedule(people: list[Person], until: int, numbers: np.random.Generator) -> list[Due]:
    """Which channel writes about whom and when; a channel that cannot reach a person is not drawn for him."""
    owners = np.repeat(np.arange(len(people)), [person.record_count for person in people])
    ages = np.array([age_in_years(person.birth_on, until) for person in people])[owners]
    joined = np.array([person.joined_at for person in people])[owners]
    drawn = zip(
        owners.tolist(),
        draw_channels(numbers, ages).tolist(),
        draw_moments(numbers, joined, until).tolist(),
        strict=True,
    )
    due = [Due(people[owner], reachable(people[owner], CHANNELS[at]), when) for owner, at, when in drawn]
    return sorted(due, key=lambda record: record.when)


def reachable(person: Person, channel: Channel) -> Channel:
    """The channel, or the till for who lacks the channel's own identifier."""
    lacks = {
        "email_mkt": not person.emails,
        "web_app": not person.emails,
        "whatsapp": not person.phones,
        "social": not person.handles,
    }
    return CHANNELS[0] if lacks.get(channel.source) else channel
