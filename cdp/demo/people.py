"""People of the demo: who they are and what they can be reached by, with the dates of every change."""

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from random import Random
from typing import TypeVar

from cdp.demo.chance import Choices, between, pick
from cdp.demo.names import load_nicknames
from cdp.demo.noise import drop_accents
from cdp.demo.numbers import Claims
from cdp.demo.places import Home

Value = TypeVar("Value")
# Since when (epoch seconds) each value holds, oldest first.
History = list[tuple[int, Value]]

EMAIL_DOMAINS = Choices(
    ("gmail.com", 60.0),
    ("hotmail.com", 15.0),
    ("outlook.com", 6.0),
    ("yahoo.com.br", 6.0),
    ("icloud.com", 3.0),
    ("uol.com.br", 2.5),
    ("bol.com.br", 2.0),
    ("terra.com.br", 1.0),
    ("ig.com.br", 0.8),
    ("live.com", 1.2),
    ("example.com", 1.2),
    ("example.org", 0.8),
    ("example.net", 0.5),
)
NETWORKS = Choices(("instagram", 66.0), ("facebook", 18.0), ("tiktok", 9.0), ("x", 7.0))
EMAIL_SHAPES = Choices(
    ("{given}.{surname}", 24.0),
    ("{given}{surname}", 14.0),
    ("{given}.{surname}{year}", 14.0),
    ("{initial}{surname}", 9.0),
    ("{given}_{surname}", 8.0),
    ("{given}{number}", 9.0),
    ("{given}{surname}{year}", 8.0),
    ("{surname}.{given}", 5.0),
    ("{given}{other}{year}", 5.0),
    ("{nickname}{surname}", 4.0),
)
HANDLE_SHAPES = Choices(
    ("{given}{surname}", 20.0),
    ("{given}.{surname}", 18.0),
    ("{given}_{surname}", 14.0),
    ("{nickname}{surname}", 12.0),
    ("{given}{year}", 10.0),
    ("eu{given}{surname}", 6.0),
    ("{given}{surname}oficial", 4.0),
    ("_{nickname}.{year}", 8.0),
    ("{surname}.{given}", 8.0),
)


@dataclass(slots=True, eq=False)
class Person:
    """One invented person. `surnames` are today's, with their particles ("da Silva" is one)."""

    entity_id: str
    female: bool
    given_names: tuple[str, ...]
    surnames: tuple[str, ...]
    birth_on: date
    joined_at: int
    record_count: int
    country: str = "BR"
    homes: History[Home] = field(default_factory=list)
    former_surnames: tuple[str, ...] | None = None
    renamed_at: int = 0
    agnomen: str | None = None
    social_name: str | None = None
    mother_name: str = ""
    document: tuple[str, str] = ("cpf", "")
    phones: History[str] = field(default_factory=list)
    landline: str | None = None
    emails: History[str] = field(default_factory=list)
    handles: tuple[tuple[str, str], ...] = ()
    loyalty_card: str | None = None
    shared_card: bool = False
    devices: tuple[str, ...] = ()
    family: list["Person"] = field(default_factory=list)
    traits: tuple[str, ...] = ()

    def surnames_at(self, when: int) -> tuple[str, ...]:
        return self.former_surnames if self.former_surnames and when < self.renamed_at else self.surnames


def value_at(history: History[Value], when: int) -> Value:
    """The value that held at this time; before the first, the first."""
    for since, value in reversed(history):
        if since <= when:
            return value
    return history[0][1]


def invent_email(person: Person, claims: Claims, random: Random) -> str:
    """An address nobody else has, also not after the provider's own rules (Gmail knows no dots)."""
    local, domain = fill_shape(EMAIL_SHAPES.draw(random), person, random), EMAIL_DOMAINS.draw(random)
    while not claims.claim(f"{local.replace('.', '') if domain == 'gmail.com' else local}@{domain}"):
        local += str(between(0, 9, random))
    return f"{local}@{domain}"


def invent_handle(person: Person, network: str, claims: Claims, random: Random) -> str:
    handle = fill_shape(HANDLE_SHAPES.draw(random), person, random)
    if network == "facebook":
        handle = handle.replace("_", "")
    elif network == "tiktok":
        handle = handle[:20].rstrip(".")  # 24 with what makes it unique.
    while not claims.claim(f"{network}:{handle}"):
        handle += str(between(0, 9, random))
    return handle


def fill_shape(shape: str, person: Person, random: Random) -> str:
    """Put the person's names, folded, into a shape such as "{given}.{surname}"."""
    given, surname = fold_word(person.given_names[0]), fold_word(person.surnames[-1])
    nicknames = load_nicknames().get(person.given_names[0], ())
    return shape.format(
        given=given,
        surname=surname,
        initial=given[0],
        other=fold_word((person.given_names + person.surnames)[1])[:8],
        nickname=fold_word(pick(nicknames, random)) if nicknames else given[:4],
        year=person.birth_on.year % 100 if random.random() < 0.8 else person.birth_on.year,
        number=between(10, 9999, random),
    )


@lru_cache(maxsize=20_000)
def fold_word(name: str) -> str:
    """The last word of a name, as people write it in an address: "da Silva" is silva."""
    return drop_accents(name.rpartition(" ")[2]).lower().replace("'", "")
