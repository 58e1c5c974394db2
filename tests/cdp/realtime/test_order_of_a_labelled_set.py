"""People of a labelled set, under the shipped model: one by one, in batches and all at once they are the same.

`python -m benchmarks order` does it with the whole set and a trained model.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from benchmarks.findings import differences, findings
from benchmarks.order import ORDER_SET, feed
from cdp.identity.activate import require_active_model
from cdp.identity.resolve import resolve_all
from cdp.identity.sources import NewSource, insert_sources
from cdp.identity.verify import verify_store
from cdp.store import write
from resolution.standardize import SourceSettings
from tests.cdp.realtime.feeding import NOW

DATA = Path(__file__).parents[4] / "shared" / "data" / ORDER_SET
PEOPLE = 80

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the labelled sets are not here")


def records_of_some_people() -> list[dict[str, Any]]:
    """All records of people who have several, so that there is much to join and to refuse."""
    with open(DATA / "truth.csv", encoding="utf-8", newline="") as file:
        person_of = {
            (row["source"], row["source_record_id"]): row["entity_id"] for row in csv.DictReader(file)
        }
    counts = Counter(person_of.values())
    chosen = set(islice((person for person, count in counts.items() if count > 3), PEOPLE))
    with gzip.open(DATA / "records.jsonl.gz") as lines:
        records = [orjson.loads(line) for line in lines]
    return [each for each in records if person_of[each["source"], each["source_record_id"]] in chosen]


def test_people_of_a_labelled_set_come_out_the_same_in_any_order(open_copy: Callable[[], Engine]) -> None:
    records = records_of_some_people()
    stores = [open_copy() for _ in range(3)]
    for store in stores:
        require_active_model(store, now=NOW)
        with write(store) as connection:
            names = sorted({record["source"] for record in records})
            insert_sources(connection, [NewSource(name, SourceSettings()) for name in names], now=NOW)

    feed(stores[0], random.Random(1).sample(records, len(records)), at_once=1)
    feed(stores[1], random.Random(2).sample(records, len(records)), at_once=100)
    feed(stores[2], records, at_once=len(records))

    found = [findings(store) for store in stores]
    resolve_all(stores[2], clock=lambda: NOW + timedelta(days=3650))
    at_once = findings(stores[2])
    assert [list(differences(each, at_once)) for each in found] == [[], [], []]
    assert len(at_once.people) < len(records) / 3
    assert verify_store(stores[0], partition=True).breaches == []
