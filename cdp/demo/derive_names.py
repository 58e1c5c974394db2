"""Derive names.csv, the name frequencies of the demo, from the public statistics: run once, by hand.

    python -m cdp.demo.derive_names STATISTICS.csv

STATISTICS.csv has the columns kind (given, surname), name (folded, lower case), people, share_female.
Sources: IBGE, Censo Demográfico 2010, Nomes no Brasil (given names); IBGE, Censo Demográfico 2022, Nomes no
Brasil (the thirty most frequent surnames). The statistics carry no accents; the accents are put back here.
Beyond the thirtieth surname the list is ours and the frequency a power law of the rank.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from cdp.demo.vocabulary import words

GIVEN_KEPT = 600
TAIL_EXPONENT = 0.96


def derive_names(statistics: Path, target: Path) -> None:
    with statistics.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    accented = {fold(name): name for name in words("names", "accented")}
    given = [row for row in rows if row["kind"] == "given"][:GIVEN_KEPT]
    surnames = [row for row in rows if row["kind"] == "surname"]
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("kind", "name", "people", "share_female"))
        for row in given:
            shown = accented.get(row["name"], row["name"].title())
            writer.writerow(("given", shown, row["people"], row["share_female"]))
        head = [(accented.get(row["name"], row["name"].title()), int(row["people"])) for row in surnames]
        for name, people in (*head, *continue_surnames(head)):
            writer.writerow(("surname", name, people, ""))


def continue_surnames(head: list[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """The tail by rank: people fall with the rank to the power of -0.96 from the last counted surname on."""
    known = {name for name, _ in head}
    last_rank, last_people = len(head), head[-1][1]
    tail = [name for name in words("names", "surname_tail") if name not in known]
    for rank, name in enumerate(tail, start=last_rank + 1):
        yield name, round(last_people * (last_rank / rank) ** TAIL_EXPONENT)


def fold(name: str) -> str:
    return name.lower().translate(str.maketrans("áàâãéêíóôõúüçñ", "aaaaeeiooouucn"))


if __name__ == "__main__":
    derive_names(Path(sys.argv[1]), Path(__file__).with_name("names.csv"))
