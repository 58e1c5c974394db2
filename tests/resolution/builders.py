"""Records, specifications and workspaces for tests of the engine; people are invented."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import duckdb
import orjson
import pyarrow as pa
from hypothesis import Phase, settings
from hypothesis import strategies as st

from resolution import (
    Model,
    Specification,
    StoredRecord,
    default_specification_text,
    initial_model,
    load_records,
    open_workspace,
    parse_specification,
    part_shared_values,
)
from resolution.columns import LIST_COLUMNS, SCALAR_COLUMNS
from resolution.standardize import SourceSettings, Standardizer

Linkage = dict[str, Any]

# For tests that score with Splink, a second or so an example: shrinking a failure would take minutes.
WITHOUT_SHRINKING = settings(max_examples=2, deadline=None, phases=[Phase.explicit, Phase.generate])

SHIPPED = parse_specification(default_specification_text())

# A specification in small: one comparison of each kind, so that training it takes one second and not ten.
SMALL_TEXT = """
name = "small"

[prior]
match_probability = 0.001

[thresholds]
link = 0.0
join = 0.0
review = -2.0
floor = -4.0
ceiling = 20.0
size_limit = 100
complete_size = 10

[[comparison]]
name = "given_name"
[[comparison.level]]
label = "missing"
condition = "given_name_l IS NULL OR given_name_r IS NULL"
missing = true
[[comparison.level]]
label = "equal"
condition = "given_name_l = given_name_r"
m = 0.9
u = 0.02
frequency_column = "given_name"
[[comparison.level]]
label = "different"
condition = "ELSE"
m = 0.1
u = 0.98

[[comparison]]
name = "family_name"
[[comparison.level]]
label = "missing"
condition = "family_name_l IS NULL OR family_name_r IS NULL"
missing = true
[[comparison.level]]
label = "equal"
condition = "family_name_l = family_name_r"
m = 0.9
u = 0.02
frequency_column = "family_name"
[[comparison.level]]
label = "different"
condition = "ELSE"
m = 0.1
u = 0.98

[[comparison]]
name = "name_of_many"
[[comparison.level]]
label = "missing"
condition = "name_folded_l IS NULL OR name_folded_r IS NULL"
missing = true
[[comparison.level]]
label = "equal"
condition = "name_folded_l = name_folded_r"
m = 1.0
u = 1.0
frequency_column = "name_folded"
frequency_base = "level"
fixed = true
[[comparison.level]]
label = "different"
condition = "ELSE"
m = 1.0
u = 1.0
fixed = true

[[comparison]]
name = "birth_date"
[[comparison.level]]
label = "missing"
condition = "birth_date_l IS NULL OR birth_date_r IS NULL"
missing = true
[[comparison.level]]
label = "equal"
condition = "birth_date_l = birth_date_r"
m = 0.9
u = 0.0001
[[comparison.level]]
label = "one digit"
condition = "damerau_levenshtein(birth_date_l, birth_date_r) = 1"
m = 0.05
u = 0.001
[[comparison.level]]
label = "different"
condition = "ELSE"
m = 0.05
u = 0.9989

[[comparison]]
name = "email"
[[comparison.level]]
label = "missing"
condition = "emails_l IS NULL OR emails_r IS NULL"
missing = true
[[comparison.level]]
label = "equal"
condition = "list_has_any(emails_l, emails_r)"
m = 0.6
u = 0.0001
[[comparison.level]]
label = "different"
condition = "ELSE"
m = 0.4
u = 0.9999

[[comparison]]
name = "city"
[[comparison.level]]
label = "missing"
condition = "city_l IS NULL OR city_r IS NULL"
missing = true
[[comparison.level]]
label = "equal"
condition = "city_l = city_r"
m = 0.8
u = 0.1
[[comparison.level]]
label = "different"
condition = "ELSE"
m = 0.2
u = 0.9

[[blocking]]
name = "whole_name"
columns = ["name_folded"]
cap = 60

[[blocking]]
name = "email"
columns = ["emails"]
cap = 60

[[blocking]]
name = "birth_date"
columns = ["birth_date"]
cap = 60
optional = true

[[blocking]]
name = "city"
columns = ["city"]
cap = 60
optional = true

[sharing.emails]
shared = 2
generic = 4

[[training]]
name = "whole name"
keys = ["name_folded"]
without = ["given_name", "family_name"]

[[training]]
name = "e-mail"
keys = ["emails[1]"]
without = ["email"]

[excess.name_folded]
parts = ["given_name", "family_name"]
holders = 5
"""
SMALL = parse_specification(SMALL_TEXT, "small.toml")


def prior_model(specification: Specification = SHIPPED) -> Model:
    return initial_model(specification)


def a_record(
    record_id: int, linkage: Mapping[str, Any], *, source: str = "crm", key: str = ""
) -> StoredRecord:
    """A stored record of these linkage columns; its key is its number unless the test says otherwise."""
    text = orjson.dumps({"linkage": linkage}).decode()
    return record_id, source, key or f"{record_id:06}", text


def records_of(linkages: Sequence[Mapping[str, Any]]) -> list[StoredRecord]:
    """Records numbered from 1 in the order of their linkage columns."""
    return [a_record(number, linkage) for number, linkage in enumerate(linkages, start=1)]


def a_person(given: str = "ana", family: str = "reis", **columns: Any) -> Linkage:
    """Linkage columns of a person with a name; a column given as None is absent."""
    linkage = {
        "given_name": given,
        "given_forms": [given],
        "given_sound": given,
        "family_name": family,
        "family_sound": family,
        "surname_sounds": [family],
        "name_folded": f"{given} {family}",
        **columns,
    }
    return {column: value for column, value in linkage.items() if value is not None}


@contextmanager
def workspace_of(
    records: Sequence[StoredRecord], specification: Specification = SHIPPED
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A workspace with the records loaded and their shared values parted."""
    with open_workspace() as connection:
        load_records(connection, [records])
        part_shared_values(connection, specification)
        yield connection


@contextmanager
def whole_records_of(linkages: Sequence[Mapping[str, Any]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A workspace with records numbered from 1 whose shared values are left where they are."""
    with open_workspace() as connection:
        load_records(connection, [records_of(linkages)])
        connection.execute("ALTER TABLE loaded RENAME TO records")
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, statement: str) -> list[tuple[Any, ...]]:
    return connection.execute(statement).fetchall()


def create_pairs(
    connection: duckdb.DuckDBPyConnection, pairs: Sequence[tuple[int, int]], *, table: str = "pairs"
) -> None:
    """A table of pairs in the form that scoring takes."""
    columns = {
        "match_key": pa.array(["0"] * len(pairs), pa.string()),
        "join_key_l": pa.array([low for low, _ in pairs], pa.int64()),
        "join_key_r": pa.array([high for _, high in pairs], pa.int64()),
    }
    connection.register("given_pairs", pa.table(columns))
    connection.execute(f"CREATE TABLE {table} AS SELECT * FROM given_pairs")  # noqa: S608  a name of the test
    connection.unregister("given_pairs")


# ------------------------------------------------------------------------------------------ hypothesis: any records

_TYPED_NAMES = (
    "jose",
    "josé",
    "joze",
    "joao",
    "joana",
    "maria",
    "mario",
    "j",
    "silva",
    "sylva",
    "souza",
    "sousa",
)
_TYPED_DATES = (
    "1980-02-03",
    "1980-03-02",
    "1980-02-04",
    "1980-01-01",
    "1980-02",
    "1980",
    "1981-02-03",
    "1970-12-31",
)
_TYPED_ADDRESSES = (
    "ana@example.com",
    "ana@example.org",
    "anna@example.com",
    "ana.reis1@example.com",
    "x@example.com",
)
_TYPED_WORDS = ("anareis", "reisana", "areis", "ana.reis", "anareis1", "anareis_oficial")

_names = st.one_of(st.sampled_from(_TYPED_NAMES), st.text("aeçéñjß -'", min_size=1, max_size=6))
_dates = st.one_of(
    st.sampled_from(_TYPED_DATES),
    st.dates().map(str),
)
_codes = st.text("0123ab", min_size=1, max_size=5)
_VOCABULARIES = {
    "names": (_names, 5),
    "dates": (_dates, 5),
    "codes": (_codes, 4),
    "addresses": (st.one_of(st.sampled_from(_TYPED_ADDRESSES), st.text("ab.é@", min_size=1, max_size=6)), 4),
    "words": (st.one_of(st.sampled_from(_TYPED_WORDS), st.text("abcé.1", min_size=1, max_size=8)), 5),
    "wholes": (st.lists(_names, min_size=2, max_size=3).map(" ".join), 4),
}
_VOCABULARY_OF = {
    "name_folded": "wholes",
    "mother_name": "wholes",
    "street": "wholes",
    "city": "names",
    "birth_date": "dates",
    "birth_year": "dates",
    "birth_day": "dates",
    "agnomen": "names",
    "gender": "codes",
    "postal_code": "codes",
    "postal_area": "codes",
    "house_number": "codes",
    "emails": "addresses",
    "phones": "codes",
    "phone_variants": "codes",
    "phone_locals": "codes",
    "handles": "addresses",
    "loyalty_ids": "codes",
    "device_ids": "codes",
    "whatsapp_bsuids": "codes",
    "documents": "codes",
    "other_documents": "codes",
    "attributes": "codes",
    "email_locals": "words",
    "email_words": "words",
    "name_words": "words",
    "handle_words": "words",
    "handle_locals": "words",
}

_KIND_OF = {
    "phone_variants": "phone",
    "emails": "email",
    "handles": "handle",
    "whatsapp_bsuids": "whatsapp_bsuid",
    "loyalty_ids": "loyalty_id",
    "documents": "document",
    "other_documents": "document",
    "device_ids": "device_id",
}


@st.composite
def many_linkages(draw: st.DrawFn, *, size: int = 30) -> list[Linkage]:
    """Records whose values come from a few short vocabularies, so that any two of them often agree.

    Hypothesis chooses vocabularies and how often a value is absent; a seeded draw from them fills the records, since
    hundreds of pairs are to be compared in one call of DuckDB.
    """
    vocabularies = {
        name: draw(st.lists(values, min_size=1, max_size=most, unique=True))
        for name, (values, most) in _VOCABULARIES.items()
    }
    absent = draw(st.sampled_from([0.05, 0.3, 0.6]))
    chosen = random.Random(draw(st.integers(0, 2**32)))
    return [_drawn_linkage(chosen, vocabularies, absent) for _ in range(size)]


def _drawn_linkage(chosen: random.Random, vocabularies: Mapping[str, list[str]], absent: float) -> Linkage:
    linkage: Linkage = {}
    for column in (*SCALAR_COLUMNS, *LIST_COLUMNS):
        vocabulary = vocabularies[_VOCABULARY_OF.get(column, "names")]
        if chosen.random() < absent:
            continue
        if column in LIST_COLUMNS:
            size = chosen.choice([0, 1, 1, 2, len(vocabulary)])
            linkage[column] = sorted(set(chosen.choices(vocabulary, k=size)))
        else:
            linkage[column] = chosen.choice(vocabulary)
    if linkage.pop("claimed", None):
        linkage |= _claims(chosen, linkage)
    return _with_parts_of_date(linkage) if chosen.random() < 0.7 else linkage


def _claims(chosen: random.Random, linkage: Linkage) -> Linkage:
    """Some of the record's own identifiers, claimed."""
    held = {
        f"{kind}:{value}" for column, kind in _KIND_OF.items() for value in linkage.get(column, ()) if value
    }
    return {"claimed": sorted(chosen.sample(sorted(held), chosen.randint(1, len(held))))} if held else {}


def _with_parts_of_date(linkage: Linkage) -> Linkage:
    """Year and day as the standardizer takes them from a date of any precision."""
    date = linkage.pop("birth_date", "")
    for column in ("birth_year", "birth_day"):
        linkage.pop(column, None)
    parts = {"birth_year": date[:4], "birth_day": date[5:] if len(date) == 10 else ""}
    if len(date) == 10:
        parts["birth_date"] = date
    return {**linkage, **{column: value for column, value in parts.items() if value}}


# ---------------------------------------------------------------------------------- people as a small source has them

_GIVEN = (
    "Ana",
    "Beatriz",
    "Carlos",
    "Daniela",
    "Eduardo",
    "Fernanda",
    "Gustavo",
    "Helena",
    "Igor",
    "Juliana",
    "Larissa",
    "Marcelo",
    "Otávio",
    "Patrícia",
    "Rafael",
    "Tiago",
)
_FAMILY = (
    "Albuquerque",
    "Barbosa",
    "Cardoso",
    "Dantas",
    "Esteves",
    "Figueiredo",
    "Guimarães",
    "Jardim",
    "Klein",
    "Lacerda",
    "Medeiros",
    "Nogueira",
    "Okamoto",
    "Peixoto",
    "Ribeiro",
    "Vasconcelos",
)
_CITIES = ("São Paulo", "Recife", "Porto Alegre", "Belém")


def people_records(people: int, *, seed: int) -> list[StoredRecord]:
    """Standardized records of invented people, one to three each, with typing errors and values left out."""
    chosen = random.Random(seed)
    standardizer = Standardizer(SourceSettings())
    found = []
    for person in range(people):
        given, family = chosen.choice(_GIVEN), chosen.choice(_FAMILY)
        phone, date = (
            f"11 9{chosen.randrange(10**7, 10**8)}",
            f"{chosen.randrange(1950, 2000)}-0{chosen.randrange(1, 10)}-17",
        )
        for _ in range(chosen.choice([1, 2, 3])):
            raw = {
                "full_name": f"{given} {family if chosen.random() < 0.9 else chosen.choice(_FAMILY)}",
                "birth_date": date if chosen.random() < 0.7 else None,
                "phones": [phone] if chosen.random() < 0.7 else [],
                "emails": [f"{given}.{family}{person}@example.com"] if chosen.random() < 0.6 else [],
                "address": {"city": chosen.choice(_CITIES)} if chosen.random() < 0.5 else None,
            }
            record = standardizer.standardize({name: value for name, value in raw.items() if value})
            found.append(a_record(len(found) + 1, record.linkage))
    return found


def small_people(people: int, *, seed: int, cities: int = 40) -> list[Linkage]:
    """Two records of each person, for SMALL: one name in ten and one birth date in twenty is mistyped, four people in
    five stay in their city, two in five give an address, always the same."""
    chosen = random.Random(seed)
    found = []
    for person in range(people):
        given, family = f"g{chosen.randrange(30)}", f"f{chosen.randrange(50)}"
        born, city = chosen.randrange(20_000), chosen.randrange(cities)
        email = [f"p{person}@example.com"] if chosen.random() < 0.4 else None
        for _ in range(2):
            given_now = f"g{chosen.randrange(30)}" if chosen.random() < 0.1 else given
            born_now = born if chosen.random() < 0.95 else chosen.randrange(20_000)
            city_now = city if chosen.random() < 0.9 else chosen.randrange(cities)
            birth_date = str(date(1940, 1, 1) + timedelta(days=born_now))
            found.append(
                a_person(given_now, family, birth_date=birth_date, city=f"c{city_now}", emails=email)
            )
    return found
