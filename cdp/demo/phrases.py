"""Portuguese texts of contacts: what is said in writing, what an attendant notes, what a survey answers."""

from dataclasses import dataclass
from functools import cache
from random import Random

from cdp.demo.chance import Choices, between, pick
from cdp.demo.vocabulary import entry, words

FILE = "phrases.toml"


@dataclass(frozen=True, slots=True)
class Product:
    article: str
    ending: str
    name: str
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about; the shares are explained in phrases.toml."""

    name: str
    about_order: float
    insistence: float
    said: tuple[str, ...]
    noted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matter:
    """The facts of one request that its texts mention."""

    subject: Subject
    order_id: str | None
    product: Product
    amount: str
    days: int
    female: bool


@cache
def load_subjects() -> Choices[Subject]:
    found = entry("subjects", file=FILE)
    assert isinstance(found, dict)
    return Choices(
        *(
            (
                Subject(
                    name,
                    float(row["about_order"]),
                    float(row["insistence"]),
                    tuple(row["said"]),
                    tuple(row["noted"]),
                ),
                float(row["weight"]),
            )
            for name, row in found.items()
        )
    )


@cache
def load_products() -> tuple[Product, ...]:
    table = entry("products", "list", file=FILE)
    assert isinstance(table, str)
    rows = (line.split("|") for line in table.strip().splitlines())
    return tuple(Product(article, end, name, int(low), int(high)) for article, end, name, low, high in rows)


def invent_price(product: Product, random: Random) -> str:
    """Reais with two decimals, as ,90 and ,99 as shops like them."""
    return f"{between(product.lowest, product.highest, random)}.{pick(('90', '99', '00', '50'), random)}"


def say(matter: Matter, *, again: bool, random: Random) -> str:
    """What a customer writes; `again` when an earlier contact did not settle it."""
    phrases = words("follow_ups", "said", file=FILE) if again else matter.subject.said
    return fill(choose(phrases, matter, random), matter)


def note(matter: Matter, *, again: bool, random: Random) -> str:
    """What an attendant writes down about a call."""
    phrases = words("follow_ups", "noted", file=FILE) if again else matter.subject.noted
    return fill(choose(phrases, matter, random), matter)


def greet(text: str, *, formal: bool, random: Random) -> str:
    """The text as it stands in an e-mail or, less formal, in a chat."""
    greeting = pick(words("greetings", "email" if formal else "chat", file=FILE), random)
    return greeting.replace("{text}", text)


def comment(rating: int, random: Random) -> str:
    mood = "bad" if rating <= 4 else "fair" if rating <= 7 else "good"
    return pick(words("surveys", mood, file=FILE), random)


def choose(phrases: tuple[str, ...], matter: Matter, random: Random) -> str:
    """A phrase that asks for no order number when there is none."""
    if matter.order_id is not None:
        return pick(phrases, random)
    return pick([phrase for phrase in phrases if "{order}" not in phrase], random)


def fill(phrase: str, matter: Matter) -> str:
    if "{" not in phrase:
        return phrase
    article, name = matter.product.article, matter.product.name
    return phrase.format(
        order=matter.order_id,
        days=matter.days,
        amount=matter.amount.replace(".", ","),
        item=name,
        the_item=f"{article} {name}",
        of_item=f"d{article} {name}",
        in_item=f"n{article} {name}",
        x=matter.product.ending,
        x_customer="a" if matter.female else "o",
    )
