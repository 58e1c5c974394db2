"""How a channel writes a person's name."""

from collections.abc import Callable
from random import Random

from cdp.demo.chance import pick
from cdp.demo.names import load_nicknames
from cdp.demo.noise import JUNK_NAMES, drop_accents, garble, misspell, mistype
from cdp.demo.writing import Writing

TRADES = ("Store", "Modas", "Bolos", "Imóveis", "Pet", "Beauty")
DIMINUTIVES = {True: "inha", False: "inho"}


def write_names(writing: Writing) -> dict[str, object]:
    """full_name, on forms also given_name and family_name, and the social name where the person uses one."""
    shape = writing.channel.name_shapes.draw(writing.random)
    if shape == "none":
        return {}
    if shape == "junk":
        writing.flags.append("junk_name")
        return {"full_name": write_junk_name(writing)}
    given, family = style(*spell(*choose_words(shape, writing), writing), writing)
    whole = (
        f"{family}, {given}" if shape == "inverted" and family else f"{given} {family}" if family else given
    )
    fields: dict[str, object] = {"full_name": whole}
    if writing.channel.split_name:
        fields["given_name"] = given
        if family:
            fields["family_name"] = family
    if writing.person.social_name and writing.happens(0.6):
        writing.flags.append("social_name")
        fields["social_name"] = f"{writing.person.social_name} {family}".strip()
    return fields


def choose_words(shape: str, writing: Writing) -> tuple[str, str]:
    """The given and the family part of the name, still well written."""
    person, random = writing.person, writing.random
    surnames = list(choose_surnames(writing))
    given = list(person.given_names)
    if shape in ("first", "first_last", "nickname", "nickname_last", "no_second"):
        given = given[:1]
    if shape in ("first", "nickname"):
        return (nickname_of(writing) if shape == "nickname" else given[0]), ""
    if shape == "nickname_last":
        given = [nickname_of(writing)]
    if shape in ("first_last", "nickname_last"):
        surnames = surnames[-1:] if random.random() < 0.88 else surnames[:1]
    if shape == "initials":
        given, surnames = abbreviate(given, surnames)
    if random.random() < 0.12:
        surnames = [surname.rpartition(" ")[2] for surname in surnames]
    return " ".join(given), " ".join((*surnames, *choose_agnomen(writing)))


def choose_surnames(writing: Writing) -> tuple[str, ...]:
    """The surnames of that day; some channels still have, or get again, the one from before the wedding."""
    person = writing.person
    surnames = person.surnames_at(writing.when)
    if person.former_surnames and surnames is person.surnames and writing.random.random() < 0.12:
        surnames = person.former_surnames
    if surnames is not person.surnames:
        writing.flags.append("maiden_or_former_name")
    return surnames


def choose_agnomen(writing: Writing) -> tuple[str, ...]:
    agnomen = writing.person.agnomen
    if agnomen is None:
        return ()
    chance = writing.random.random()
    if chance < 0.25:
        writing.flags.append("agnomen_dropped")
        return ()
    return ("Jr",) if agnomen == "Júnior" and chance < 0.45 else (agnomen,)


def nickname_of(writing: Writing) -> str:
    """A usual nickname or the diminutive of the first given name."""
    name = writing.person.given_names[0]
    nicknames = load_nicknames().get(name, ())
    writing.flags.append("nickname")
    if nicknames and writing.random.random() < 0.85:
        return pick(nicknames, writing.random)
    if name[-1] in "ao":
        return drop_accents(name[:-1]).rstrip("i") + DIMINUTIVES[writing.person.female]
    return name[: max(3, len(name) // 2)]


def abbreviate(given: list[str], surnames: list[str]) -> tuple[list[str], list[str]]:
    """Everything between the first given name and the last surname by its first letter."""
    middle = [f"{name[0]}." for name in given[1:]]
    return given[:1] + middle, [f"{name.rpartition(' ')[2][0]}." for name in surnames[:-1]] + surnames[-1:]


def spell(given: str, family: str, writing: Writing) -> tuple[str, str]:
    """At times one of the two parts as somebody heard it, or as somebody typed it."""
    channel, random = writing.channel, writing.random
    if random.random() < channel.hearing:
        given, family = spoil_part(given, family, misspell, "phonetic_name", writing)
    if random.random() < channel.slips:
        given, family = spoil_part(given, family, mistype, "typo_name", writing)
    return given, family


def spoil_part(
    given: str, family: str, way: Callable[[str, Random], str], flag: str, writing: Writing
) -> tuple[str, str]:
    if family and writing.random.random() < 0.5:
        return given, writing.spoil(family, 1.0, way, flag)
    return writing.spoil(given, 1.0, way, flag), family


def style(given: str, family: str, writing: Writing) -> tuple[str, str]:
    """In the record's case; without accents, or with them and at times garbled."""
    random = writing.random
    if not (given.isascii() and family.isascii()):
        if random.random() < writing.channel.unaccented:
            writing.flags.append("accent_dropped")
            given, family = drop_accents(given), drop_accents(family)
        elif random.random() < 0.02:
            given, family = spoil_part(given, family, garble, "mojibake", writing)
    return writing.in_case(given), writing.in_case(family)


def write_junk_name(writing: Writing) -> str:
    """A placeholder, a motto, or the shop somebody runs."""
    if writing.random.random() < 0.5:
        return pick(JUNK_NAMES, writing.random)
    return f"{writing.person.surnames[-1].rpartition(' ')[2]} {pick(TRADES, writing.random)}"
