"""Make the people of a household: names handed down, homes and phones shared, and when each changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from cdp.demo.chance import pick
from cdp.demo.households import EPOCH_ORDINAL, SECONDS_A_YEAR, Draft, HouseholdDraft, Role
from cdp.demo.names import load_particles
from cdp.demo.numbers import Claims, Numbers
from cdp.demo.people import NETWORKS, History, Person, invent_email, invent_handle
from cdp.demo.places import CPF_REGIONS, City, Home, invent_home, load_cities

SON_AGNOMENS = ("Filho", "Filho", "Júnior", "Júnior", "Júnior")
OTHER_AGNOMENS = ("Neto", "Filho", "Júnior", "Sobrinho", "Segundo")
SECOND_NAMES = {
    True: ("Clara", "Vitória", "Eduarda", "Luiza"),
    False: ("Vitor", "Henrique", "Felipe", "Miguel"),
}
CUSTOMERS_SINCE = 1_230_768_000


@dataclass(frozen=True)
class Maker:
    """What the people of one demo are made with; `until` is the last moment there is."""

    numbers: Numbers
    claims: Claims
    until: int


def make_family(draft: HouseholdDraft, first_id: int, maker: Maker, random: Random) -> list[Person]:
    """The people of one household, each knowing the others."""
    city = load_cities("PT" if draft.portuguese else "BR").draw(random)
    homes = make_homes(city, draft, maker, random)
    landline = maker.numbers.landline(city.country, city.area_code) if random.random() < 0.28 else None
    surnames = [with_particle(surname, random) for surname in draft.surnames]
    people: list[Person] = []
    for number, member in enumerate(draft.members):
        person = name_person(member, surnames, people, f"P{first_id + number:08d}", random)
        person.country, person.homes = city.country, homes
        grown = member.role >= Role.CHILD and age_in_years(member.birth_on, maker.until) > 24
        if grown and random.random() < 0.55:
            person.homes = move_out(homes, city, draft, maker, random)
        elif random.random() < 0.8:
            person.landline = landline
        people.append(person)
    marry(people, draft, maker, random)
    for person, member in zip(people, draft.members, strict=True):
        person.family = [other for other in people if other is not person]
        equip(person, member, city, maker, random)
    share_card(people, random)
    return people


def name_person(
    member: Draft, surnames: list[str], older: list[Person], entity_id: str, random: Random
) -> Person:
    """A person with a name, nothing else yet. `surnames` are the mother's two and the father's two."""
    father = next((person for person in older[:2] if not person.female), None)
    namesake = member.role is Role.CHILD and not (member.female or member.twin) and random.random() < 0.12
    if namesake and father:
        father.traits = (*father.traits, "same_name_relative")
        agnomen = "Neto" if father.agnomen else pick(SON_AGNOMENS, random)
        return start_person(
            member,
            father.given_names,
            father.surnames,
            entity_id,
            agnomen=agnomen,
            trait="same_name_relative",
        )
    given_names = tuple(name for name in member.given_names if name)
    if any(other.given_names == given_names for other in older):
        given_names = (given_names[0], pick(SECOND_NAMES[member.female], random))
    has_agnomen = not member.female and random.random() < 0.012
    own_surnames = tuple(dict.fromkeys(choose_surnames(member, surnames, older)))
    return start_person(
        member,
        given_names,
        own_surnames,
        entity_id,
        agnomen=pick(OTHER_AGNOMENS, random) if has_agnomen else None,
        trait="twin" if member.twin else None,
    )


def choose_surnames(member: Draft, surnames: list[str], older: list[Person]) -> list[str]:
    """Children carry the mother's last and the father's last; siblings of the head what the head carries."""
    if member.role is Role.CHILD:
        return [surnames[1], surnames[3]]
    of_mothers_line = older[0].female if member.role is Role.SIBLING else member.female
    return surnames[:2] if of_mothers_line else surnames[2:]


def start_person(
    member: Draft,
    given_names: tuple[str, ...],
    surnames: tuple[str, ...],
    entity_id: str,
    *,
    agnomen: str | None,
    trait: str | None,
) -> Person:
    return Person(
        entity_id=entity_id,
        female=member.female,
        given_names=given_names,
        surnames=surnames,
        birth_on=member.birth_on,
        joined_at=member.joined_at,
        record_count=member.record_count,
        agnomen=agnomen,
        traits=(trait,) if trait else (),
    )


def with_particle(surname: str, random: Random) -> str:
    particle, share = load_particles().get(surname, ("", 0.0))
    return f"{particle} {surname}" if random.random() < share else surname


def marry(people: list[Person], draft: HouseholdDraft, maker: Maker, random: Random) -> None:
    """In nearly half of the couples the woman took the man's surname on their wedding day."""
    if len(people) < 2 or draft.members[1].role is not Role.PARTNER or random.random() > 0.45:
        return
    wife, husband = sorted(people[:2], key=lambda person: not person.female)
    if not wife.female or husband.female or wife.surnames[-1] == husband.surnames[-1]:
        return
    wife.former_surnames = wife.surnames
    wife.surnames = (wife.surnames[-1], husband.surnames[-1])
    wife.renamed_at = int(maker.until - (1 + random.random() ** 1.4 * 14) * SECONDS_A_YEAR)


def make_homes(city: City, draft: HouseholdDraft, maker: Maker, random: Random) -> History[Home]:
    """The household's homes, the first before anyone became a customer."""
    moments = sorted(moment_before(maker.until, random) for _ in range(draft.moves))
    return [
        (since, invent_home(city, (draft.surnames[1], draft.surnames[3]), random))
        for since in (CUSTOMERS_SINCE, *moments)
    ]


def move_out(
    homes: History[Home], city: City, draft: HouseholdDraft, maker: Maker, random: Random
) -> History[Home]:
    """The parents' homes up to a day and one's own from then on."""
    left_at = moment_before(maker.until, random)
    own_home = invent_home(city, (draft.surnames[0], draft.surnames[2]), random)
    return [(since, home) for since, home in homes if since < left_at] + [(left_at, own_home)]


def moment_before(until: int, random: Random) -> int:
    return CUSTOMERS_SINCE + int(random.random() * (until - CUSTOMERS_SINCE))


def equip(person: Person, member: Draft, city: City, maker: Maker, random: Random) -> None:
    """Give what the person can be reached and recognized by."""
    numbers, age = maker.numbers, age_in_years(person.birth_on, maker.until)
    if person.country == "BR":
        person.document = ("cpf", numbers.cpf(CPF_REGIONS[city.region]))
    else:
        person.document = ("nif", numbers.nif())
    if random.random() > (0.02 if age < 70 else 0.25):
        person.phones = [
            (since, numbers.mobile(city.country, city.area_code))
            for since in changes(person.joined_at, member.phone_changes, maker.until, random)
        ]
    if random.random() > (0.08 if age < 60 else 0.3):
        person.emails = [
            (since, invent_email(person, maker.claims, random))
            for since in changes(person.joined_at, member.email_changes, maker.until, random)
        ]
    if random.random() < (0.75 if age < 40 else 0.4):
        person.handles = tuple(make_handles(person, maker, random))
    if random.random() < 0.62:
        person.loyalty_card = numbers.loyalty_card()
    person.devices = tuple(f"{random.getrandbits(64):016x}" for _ in range(1 + int(random.random() * 2.4)))
    person.mother_name = name_mother(person, member)
    if age < 45 and random.random() < 0.004:
        person.social_name = pick(SECOND_NAMES[not person.female], random)


def changes(joined_at: int, count: int, until: int, random: Random) -> list[int]:
    """The beginning and `count` later moments, in order."""
    if count == 0:
        return [joined_at]
    return [joined_at, *sorted(joined_at + int(random.random() * (until - joined_at)) for _ in range(count))]


def make_handles(person: Person, maker: Maker, random: Random) -> Iterator[tuple[str, str]]:
    networks = dict.fromkeys(NETWORKS.draw(random) for _ in range(1 + int(random.random() * 2)))
    for network in networks:
        yield network, invent_handle(person, network, maker.claims, random)


def name_mother(person: Person, member: Draft) -> str:
    """The mother in the household, the one that siblings have, or one with the surname mothers hand down."""
    if member.role is Role.SIBLING:
        return person.family[0].mother_name
    mother = next((other for other in person.family[:2] if other.female), None)
    if mother and member.role is Role.CHILD:
        return " ".join((*mother.given_names, *mother.surnames))
    return f"{member.mother_given_name} {person.surnames_at(0)[0]}"


def share_card(people: list[Person], random: Random) -> None:
    """Some households hold one loyalty card among them."""
    card = people[0].loyalty_card
    if len(people) > 1 and card and random.random() < 0.12:
        for person in people:
            person.loyalty_card, person.shared_card = card, True


def age_in_years(birth_on: date, until: int) -> float:
    return (until / 86400 + EPOCH_ORDINAL - birth_on.toordinal()) / 365.25
