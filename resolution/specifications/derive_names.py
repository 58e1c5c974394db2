"""Derive names_br.csv from public statistics: python -m resolution.specifications.derive_names STATISTICS.csv

The statistics have the columns kind, name, people: given names of the Brazilian census of 2010 (190,755,799 people),
surnames of that of 2022 (203,080,756). The census counts everyone who bears a surname anywhere in the name; Brazilians
bear two on average, so that half of the count stands for the last one.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

PEOPLE = {"given": 190_755_799, "surname": 203_080_756}
SURNAMES_A_PERSON = 2


def derive(statistics: Path, target: Path) -> None:
    """Write kind, name, share; shares to three significant digits, in the order of the statistics."""
    with (
        statistics.open(encoding="utf-8", newline="") as rows,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["kind", "name", "share"])
        for row in csv.DictReader(rows):
            share = int(row["people"]) / PEOPLE[row["kind"]]
            if row["kind"] == "surname":
                share /= SURNAMES_A_PERSON
            writer.writerow([row["kind"], row["name"], f"{share:.3g}"])


if __name__ == "__main__":
    derive(Path(sys.argv[1]), Path(__file__).with_name("names_br.csv"))
