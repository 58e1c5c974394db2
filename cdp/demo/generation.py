"""Generate a demo: synthetic omnichannel customers of Brazil and a few of Portugal, and the truth about them.

People are made in blocks of a fixed number of records, each from its own seed, and written as they are made,
so memory does not grow with the number of records. The same number and seed give the same bytes.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import count
from pathlib import Path
from random import Random

from cdp.demo.blocks import Block, make_block
from cdp.demo.channels import CHANNELS
from cdp.demo.contacts import Contact, ContactMaker, Storyteller
from cdp.demo.families import Maker
from cdp.demo.files import DemoFiles, instants, json_lines, open_demo_files
from cdp.demo.numbers import Claims, Numbers
from cdp.demo.record_identifiers import Surroundings
from cdp.demo.records import write_record

BLOCK_RECORDS = 5_000
RECORDS_A_SHOP = 10_000
LAST_DAY = date(2026, 10, 31)
FIRST_RECORD_NUMBER = 1_000_001

# By entity and source: when each record was written and its id.
KnownRecords = dict[str, dict[str, list[tuple[int, str]]]]


@dataclass(frozen=True)
class DemoSummary:
    """What was generated; `people` are those with a record."""

    records: int
    people: int
    interactions: int


class Generator:
    """Carries from block to block what must not repeat: numbers, addresses and ids given out."""

    def __init__(self, record_count: int, seed: int, until: int) -> None:
        self.seed, self.until = seed, until
        self.maker = Maker(Numbers(seed), Claims(), until)
        random = Random(f"shops:{seed}")
        shops = range(1 + record_count // RECORDS_A_SHOP)
        self.shop_phones = [self.maker.numbers.mobile("BR", str(11 + random.randrange(9))) for _ in shops]
        self.attendant_cards = [self.maker.numbers.loyalty_card() for _ in shops]
        self.record_numbers = {channel.source: count(FIRST_RECORD_NUMBER) for channel in CHANNELS}
        self.request_numbers = count()
        self.people_made = self.people = self.records = self.interactions = 0

    def write_block(self, number: int, record_count: int, files: DemoFiles) -> None:
        random = Random(f"block:{self.seed}:{number}")
        block = make_block(
            (self.seed, number), record_count, first_id=self.people_made, maker=self.maker, random=random
        )
        around = Surroundings(self.shop_phones, self.attendant_cards, block.recycled_phones)
        known = self.write_records(block, around, files, random)
        self.write_contacts(block, known, around, files, random)
        self.people_made += len(block.people)
        self.people += len(known)
        self.records += record_count
        for person in block.people:
            person.family.clear()

    def write_records(
        self, block: Block, around: Surroundings, files: DemoFiles, random: Random
    ) -> KnownRecords:
        """In order of time; the truth beside them line by line."""
        known: KnownRecords = {}
        rows, truth = [], []
        for due, occurred_at in zip(block.due, instants([due.when for due in block.due]), strict=True):
            person, source = due.person, due.channel.source
            record_id = f"{due.channel.prefix}-{next(self.record_numbers[source])}"
            fields, flags = write_record(person, due.channel, due.when, around, random)
            key = {"source": source, "source_record_id": record_id, "occurred_at": occurred_at}
            rows.append({**key, **fields})
            truth.append(f"{source},{record_id},{person.entity_id},{'|'.join(flags)}\n")
            known.setdefault(person.entity_id, {}).setdefault(source, []).append((due.when, record_id))
        files.records.write(json_lines(rows))
        files.truth.write("".join(truth).encode())
        return known

    def write_contacts(
        self, block: Block, known: KnownRecords, around: Surroundings, files: DemoFiles, random: Random
    ) -> None:
        """In order of time within the block, so in order for every person."""
        maker = ContactMaker(self.maker.numbers, self.request_numbers, around, self.until)
        contacts: list[Contact] = []
        for person in block.people:
            if person.entity_id in known:
                contacts += Storyteller(person, known[person.entity_id], maker, random).tell()
        contacts.sort(key=lambda contact: contact.when)
        rows, truth = [], []
        occurred = instants([contact.when for contact in contacts])
        for number, (contact, occurred_at) in enumerate(
            zip(contacts, occurred, strict=True), self.interactions
        ):
            contact_id = f"I{number:09d}"
            rows.append({"interaction_id": contact_id, "occurred_at": occurred_at, **contact.fields})
            truth.append(
                f"{contact_id},{contact.entity_id},{contact.request_id},{contact.subject},"
                f"{contact.borrowed_phone:d}\n"
            )
        files.contacts.write(json_lines(rows))
        files.contacts_truth.write("".join(truth).encode())
        self.interactions += len(contacts)


def generate_demo(
    directory: Path,
    *,
    record_count: int,
    seed: int,
    last_day: date = LAST_DAY,
    on_progress: Callable[[int], None] = lambda records_done: None,
) -> DemoSummary:
    """Write exactly so many records, their interactions and the truth of both into the directory.

    `on_progress` is told the number of records written so far. Files of an earlier demo are replaced.
    """
    generator = Generator(record_count, seed, last_second(last_day))
    with open_demo_files(directory) as files, without_cycle_collection():
        for number, start in enumerate(range(0, record_count, BLOCK_RECORDS)):
            generator.write_block(number, min(BLOCK_RECORDS, record_count - start), files)
            on_progress(generator.records)
    return DemoSummary(generator.records, generator.people, generator.interactions)


def last_second(day: date) -> int:
    return int(datetime.combine(day, time(23, 59, 59), tzinfo=UTC).timestamp())


@contextmanager
def without_cycle_collection() -> Iterator[None]:
    """Millions of short-lived objects cost a tenth of the time to search for cycles; blocks leave none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
