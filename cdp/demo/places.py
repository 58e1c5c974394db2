"""Cities with their area codes and postal codes, and addresses in them. The addresses are invented."""

from dataclasses import dataclass
from functools import cache
from random import Random

from cdp.demo.chance import Choices, between, pick
from cdp.demo.vocabulary import read_rows, words


@dataclass(frozen=True, slots=True)
class City:
    """A city; `postal_low` and `postal_high` bound the area part of its postal codes."""

    name: str
    region: str
    country: str
    area_code: str
    postal_low: int
    postal_high: int


@dataclass(frozen=True, slots=True)
class Home:
    """An address, written tidily; channels write it down in their own way."""

    street: str
    number: str
    complement: str | None
    district: str
    city: City
    postal_code: str


# Digit of the region that issues a CPF: the ninth digit of the number.
CPF_REGIONS = {
    **dict.fromkeys(("DF", "GO", "MT", "MS", "TO"), 1),
    **dict.fromkeys(("AC", "AP", "AM", "PA", "RO", "RR"), 2),
    **dict.fromkeys(("CE", "MA", "PI"), 3),
    **dict.fromkeys(("AL", "PB", "PE", "RN"), 4),
    **dict.fromkeys(("BA", "SE"), 5),
    "MG": 6,
    **dict.fromkeys(("ES", "RJ"), 7),
    "SP": 8,
    **dict.fromkeys(("PR", "SC"), 9),
    "RS": 0,
}


@cache
def load_cities(country: str) -> Choices[City]:
    """The cities of a country, drawn by how many people live there."""
    return Choices(
        *(
            (
                City(
                    row["name"],
                    row["region"],
                    country,
                    row["area_code"],
                    int(row["postal_low"]),
                    int(row["postal_high"]),
                ),
                float(row["weight"]),
            )
            for row in read_rows("cities.csv")
            if row["country"] == country
        )
    )


@cache
def place_words(kind: str) -> tuple[str, ...]:
    return words("places", kind)


def invent_home(city: City, surnames: tuple[str, str], random: Random) -> Home:
    """An address in the city; one street in four bears the name of a person with these surnames."""
    kind = pick(place_words("street_kinds"), random)
    if random.random() < 0.25:
        street = f"{kind} {pick(place_words('street_titles'), random)} {' '.join(surnames)}"
    else:
        names = place_words("street_names" if city.country == "BR" else "portuguese_street_names")
        street = f"{kind} {pick(names, random)}"
    flat = f"ap {between(1, 24, random)}{between(1, 4, random)}" if random.random() < 0.25 else None
    return Home(
        street=street,
        number=str(1 + int(1800 * random.random() ** 2)),
        complement=flat,
        district=pick(place_words("districts"), random),
        city=city,
        postal_code=invent_postal_code(city, random),
    )


def invent_postal_code(city: City, random: Random) -> str:
    """NNNNN-NNN in Brazil, NNNN-NNN in Portugal."""
    width = 5 if city.country == "BR" else 4
    return f"{between(city.postal_low, city.postal_high, random):0{width}d}-{between(0, 999, random):03d}"
