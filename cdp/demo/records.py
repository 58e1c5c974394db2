"""Source records: which channels know a person, since when, and what each has written down."""

from random import Random

import numpy as np
import numpy.typing as npt

from cdp.demo.chance import pick
from cdp.demo.channels import CHANNELS, Channel
from cdp.demo.noise import JUNK_BIRTHS, drop_accents, mistake_birth, swap_day_and_month
from cdp.demo.people import Person, value_at
from cdp.demo.places import Home
from cdp.demo.record_identifiers import Surroundings, write_identifiers
from cdp.demo.record_names import write_names
from cdp.demo.writing import Writing

IntArray = npt.NDArray[np.int64]

STREET_SHORT = {"Rua": "R.", "Avenida": "Av.", "Travessa": "Tv.", "Praça": "Pça", "Alameda": "Al."}


def draw_channels(random: np.random.Generator, ages: npt.NDArray[np.float64]) -> IntArray:
    """A channel for each record, given the age of its person; the young and the old have their own."""
    weights = np.log([channel.weight for channel in CHANNELS])
    tilt = np.array([channel.youth for channel in CHANNELS])
    taste = weights + np.outer((40 - ages) / 20, tilt)
    chosen: IntArray = np.argmax(taste + random.gumbel(size=taste.shape), axis=1)
    return chosen


def draw_moments(random: np.random.Generator, joined: IntArray, until: int) -> IntArray:
    """The time of each record, by day, from when its person became a customer; more in the early years."""
    moments = joined + (until - joined) * random.random(len(joined)) ** 1.3
    days, hours = moments // 86400, 11 + 13 * random.beta(2, 2, len(joined))
    return np.minimum(days * 86400 + hours * 3600, until).astype(np.int64)


def write_record(
    person: Person, channel: Channel, when: int, around: Surroundings, random: Random
) -> tuple[dict[str, object], list[str]]:
    """The record without its source, id and time, and the flags of the noise that hit it."""
    writing = Writing(person, channel, when, channel.cases.draw(random), list(person.traits), random)
    fields = write_names(writing)
    if random.random() < channel.birth_date:
        fields["birth_date"] = write_birth(writing)
    if random.random() < channel.gender:
        fields["gender"] = channel.genders[0 if person.female else 1]
    identifiers = write_identifiers(writing, around)
    if identifiers:
        fields |= identifiers
    else:
        writing.flags.append("no_identifier")
    if random.random() < channel.city:
        fields["address"] = write_address(writing)
    if random.random() < channel.mother:
        fields["attributes"] = {"nome_mae": writing.in_case(drop_accents(person.mother_name))}
    verified = [kind for kind in channel.verified if kind in identifiers]
    if verified and random.random() < 0.85:
        fields["verified"] = verified
    return fields, list(dict.fromkeys(writing.flags))


def write_birth(writing: Writing) -> str:
    birth_on, chance = writing.person.birth_on, writing.random.random()
    if chance < 0.012:
        writing.flags.append("dob_placeholder")
        return pick(JUNK_BIRTHS, writing.random)
    if chance < 0.03:
        writing.flags.append("dob_error")
        birth_on = mistake_birth(birth_on, writing.random)
    elif chance < 0.05 and birth_on.day <= 12 and birth_on.day != birth_on.month:
        writing.flags.append("dob_day_month_swap")
        birth_on = swap_day_and_month(birth_on)
    return birth_on.strftime(writing.channel.date_formats.draw(writing.random))


def write_address(writing: Writing) -> dict[str, str]:
    """City and region, on some channels also street and postal code; at times of the home before."""
    homes, channel, random = writing.person.homes, writing.channel, writing.random
    home = value_at(homes, writing.when)
    if home is not homes[-1][1]:
        writing.flags.append("old_address")
    address = {}
    if random.random() < channel.street / channel.city:
        address = {"street": write_street(home, writing), "district": home.district}
    address["city"] = home.city.name
    if random.random() < 0.3:
        address = {part: drop_accents(text) for part, text in address.items()}
    address = {part: writing.in_case(text) for part, text in address.items()}
    address["region"] = home.city.region
    if random.random() < 0.7:
        dashed = random.random() < 0.6
        address["postal_code"] = home.postal_code if dashed else home.postal_code.replace("-", "")
    address["country"] = home.city.country
    return address


def write_street(home: Home, writing: Writing) -> str:
    kind, _, name = home.street.partition(" ")
    if writing.random.random() < 0.3:
        kind = STREET_SHORT[kind]
    number = home.number if writing.random.random() < 0.96 else "s/n"
    complement = f" {home.complement}" if home.complement and writing.random.random() < 0.8 else ""
    return f"{kind} {name}{', ' if writing.random.random() < 0.6 else ' '}{number}{complement}"
