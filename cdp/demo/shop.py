"""The shop of the demo: its products and the country that it sells them in, from shop.toml. Money is in cents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from cdp.demo.chance import pick
from cdp.demo.vocabulary import entry, words

FILE = "shop.toml"


@dataclass(frozen=True, slots=True)
class Article:
    """names, cents: by country."""

    product_id: str
    names: dict[str, str]
    cents: dict[str, int]
    brand: str
    category: str
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """So many of an article, as one buys them."""

    article: Article
    country: str
    variant: str | None
    quantity: int

    @property
    def cents(self) -> int:
        return self.article.cents[self.country] * self.quantity

    @property
    def properties(self) -> dict[str, object]:
        """As events tell of it."""
        told: dict[str, object] = {
            "product_id": self.article.product_id,
            "name": self.article.names[self.country],
            "brand": self.article.brand,
            "category": self.article.category,
            "price": to_amount(self.article.cents[self.country]),
            "quantity": self.quantity,
        }
        return told if self.variant is None else {**told, "variant": self.variant}


@cache
def load_articles() -> tuple[Article, ...]:
    listed = entry("products", "list", file=FILE)
    assert isinstance(listed, str)
    return tuple(_read(line) for line in listed.strip().splitlines())


def _read(line: str) -> Article:
    number, in_brazil, in_portugal, brand, category, reais, euros, variants = line.split("|")
    return Article(
        f"P-{number}",
        {"BR": in_brazil, "PT": in_portugal},
        {"BR": to_cents(reais), "PT": to_cents(euros)},
        brand,
        category,
        tuple(variants.split(",")) if variants else (),
    )


def to_cents(amount: str) -> int:
    return round(float(amount) * 100)


def to_amount(cents: int) -> float:
    return cents / 100


def habits(country: str, name: str) -> tuple[str, ...]:
    """What the shop has a choice of in a country."""
    return words("countries", country, name, file=FILE)


def habit(country: str, name: str) -> str:
    return str(entry("countries", country, name, file=FILE))


def choose_line(article: Article, country: str, random: Random) -> Line:
    """Some of an article, in a variant if there are any."""
    variant = pick(article.variants, random) if article.variants else None
    return Line(article, country, variant, 2 if random.random() < 0.2 else 1)
