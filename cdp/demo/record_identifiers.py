"""How a channel writes what a person can be reached and recognized by."""

from collections.abc import Sequence
from dataclasses import dataclass

from cdp.demo.chance import pick
from cdp.demo.noise import JUNK_CPFS, JUNK_EMAILS, JUNK_PHONES, mistype_digit, mistype_email
from cdp.demo.people import value_at
from cdp.demo.writing import Writing

# Mobile numbers got their ninth digit from 2012 to 2016; until then most were written without it.
NINTH_DIGIT_BY = 1_420_070_400
PROGRAM = "clube"


@dataclass(frozen=True)
class Surroundings:
    """Values of nobody in particular: numbers of shops, cards of attendants; and numbers given out again."""

    shop_phones: Sequence[str]
    attendant_cards: Sequence[str]
    recycled_phones: frozenset[str]


def write_identifiers(writing: Writing, around: Surroundings) -> dict[str, object]:
    """The identifiers that the channel got, in the order of the contract; none for an anonymous customer."""
    channel, chance = writing.channel, writing.random.random
    if chance() < channel.anonymous:
        return {}
    found = {
        "phones": write_phone(writing, around) if chance() < channel.phone else None,
        "emails": write_email(writing) if chance() < channel.email else None,
        "handles": write_handle(writing) if chance() < channel.handle else None,
        "loyalty_ids": write_card(writing, around) if chance() < channel.loyalty_id else None,
        "documents": write_document(writing) if chance() < channel.document else None,
        "device_ids": pick(writing.person.devices, writing.random) if chance() < channel.device else None,
    }
    return {field: [value] for field, value in found.items() if value is not None}


def write_phone(writing: Writing, around: Surroundings) -> str | None:
    if writing.happens(writing.channel.junk):
        writing.flags.append("junk_phone")
        return pick(JUNK_PHONES, writing.random)
    number = choose_phone(writing, around)
    if number is None:
        return None
    if number in around.recycled_phones:
        writing.flags.append("recycled_phone")
    number = writing.spoil(number, writing.channel.slips / 4, mistype_digit, "phone_digit_error")
    return format_phone(number, writing)


def choose_phone(writing: Writing, around: Surroundings) -> str | None:
    """Full digits: of a shop, of somebody in the family, of the household's landline, or the person's own."""
    person, random = writing.person, writing.random
    if writing.happens(writing.channel.borrowed / 12):
        writing.flags.append("hub_phone")
        return around.shop_phones[int(random.random() ** 2 * len(around.shop_phones))]
    relatives = [other for other in person.family if other.phones]
    if relatives and (not person.phones or writing.happens(writing.channel.borrowed)):
        writing.flags.append("shared_phone")
        return value_at(pick(relatives, random).phones, writing.when)
    by_machine = "phones" in writing.channel.verified
    if person.landline and not by_machine and random.random() < (0.1 if person.phones else 1.0):
        if any(other.landline == person.landline for other in person.family):
            writing.flags.append("shared_phone")
        return person.landline
    if not person.phones:
        return None
    number = value_at(person.phones, writing.when)
    if number != person.phones[-1][1]:
        writing.flags.append("old_phone")
    return number


def format_phone(number: str, writing: Writing) -> str:
    """Digits as the channel writes them, at times without the ninth digit or the area code."""
    if number.startswith("351"):
        return pick(("+{0}", "00{0}", "{0}", "+351 {1} {2} {3}"), writing.random).format(
            number, number[3:6], number[6:9], number[9:]
        )
    area, local = number[2:4], number[4:]
    if len(local) == 9 and writing.happens(
        0.55 if writing.when < NINTH_DIGIT_BY else writing.channel.no_ninth_digit
    ):
        writing.flags.append("no_ninth_digit")
        local = local[1:]
    shape = writing.channel.phone_shapes.draw(writing.random)
    if "{area}" not in shape:
        writing.flags.append("no_area_code")
    return shape.format(area=area, front=local[:-4], back=local[-4:])


def write_email(writing: Writing) -> str | None:
    person, random = writing.person, writing.random
    if writing.happens(writing.channel.junk):
        writing.flags.append("junk_email")
        return pick(JUNK_EMAILS, random)
    relatives = [other for other in person.family if other.emails]
    if relatives and (
        writing.happens(writing.channel.borrowed / 2) if person.emails else random.random() < 0.5
    ):
        writing.flags.append("shared_email")
        email = value_at(pick(relatives, random).emails, writing.when)
    elif person.emails:
        email = value_at(person.emails, writing.when)
        if email != person.emails[-1][1]:
            writing.flags.append("old_email")
    else:
        return None
    email = writing.spoil(email, writing.channel.slips, mistype_email, "email_typo")
    return vary_email(email, writing)


def vary_email(email: str, writing: Writing) -> str:
    """Another writing of the same address: capitals, or on Gmail a dot or a tag more."""
    chance = writing.random.random()
    if chance < 0.04:
        return email.capitalize() if chance < 0.02 else email.upper()
    if chance < 0.06 and email.endswith("@gmail.com"):
        writing.flags.append("email_variant")
        local = email.partition("@")[0]
        local = f"{local}+loja" if chance < 0.05 or "." not in local else local.replace(".", "")
        return f"{local}@gmail.com"
    return email


def write_handle(writing: Writing) -> dict[str, str] | None:
    """One of the person's handles, as the network shows it or as a person pastes it."""
    if not writing.person.handles:
        return None
    network, handle = pick(writing.person.handles, writing.random)
    chance = writing.random.random()
    if chance < 0.3:
        handle = f"@{handle}"
    elif chance < 0.34 and network != "x":
        handle = f"https://{network}.com/{handle}"
    return {"network": network, "handle": handle}


def write_card(writing: Writing, around: Surroundings) -> dict[str, str] | None:
    """The own or the household's card, or the one the attendant keeps beside the till."""
    if writing.channel.slips >= 0.03 and writing.happens(0.006):
        writing.flags.append("attendant_card")
        return {"program": PROGRAM, "number": pick(around.attendant_cards, writing.random)}
    person = writing.person
    if person.loyalty_card is None:
        return None
    if person.shared_card:
        writing.flags.append("shared_card")
    return {"program": PROGRAM, "number": person.loyalty_card}


def write_document(writing: Writing) -> dict[str, str] | None:
    person, random = writing.person, writing.random
    kind, number = person.document
    if kind == "cpf" and writing.happens(writing.channel.junk / 2):
        writing.flags.append("junk_cpf")
        return {"type": kind, "number": pick(JUNK_CPFS, random)}
    if person.family and random.random() < 0.006:
        writing.flags.append("family_cpf")
        kind, number = pick(person.family, random).document
    number = writing.spoil(number, writing.channel.slips / 5, mistype_digit, "cpf_digit_error")
    if kind == "cpf" and random.random() < 0.4:
        number = f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"
    return {"type": kind, "number": number}
