"""The messages that the demo's customers caused, sent to a store that holds these customers, each once.

They are sent as those of the web shop, whose user ids are the ids of its records, and say nothing of the person: nobody
new comes of them, and no record changes.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, select

from cdp.demo.files import RECORDS, TRUTH, instants
from cdp.demo.generation import FIRST_RECORD_NUMBER
from cdp.demo.shopping import Shopper, tell_shopping
from cdp.engagement.message import Delivery, read_message
from cdp.engagement.receive_messages import receive_messages
from cdp.intake.shape import check_record
from cdp.realtime.ingest import Resolver
from cdp.realtime.online_models import OnlineModels
from cdp.store import read
from cdp.store.instants import parse_instant
from cdp.store.schema import events, source_records, sources

SOURCE = "web_app"
# Of each country, those whom most records tell of.
SHOPPERS = {"BR": 52, "PT": 8}

_FIRST_KEY = f"WEB-{FIRST_RECORD_NUMBER}"

Record = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """messages: all that are to be sent, in order of time. raw_hashes: of the records that they belong to."""

    messages: Sequence[Record]
    raw_hashes: dict[str, str]


def lacks_messages(connection: Connection, *, seed: int) -> bool:
    """Whether there may be customers of the demo who did nothing yet: a guess that costs little."""
    last = select(events.c.event_id).where(events.c.source_id == sources.c.source_id)
    statement = (
        select(source_records.c.record_id)
        .join(sources, sources.c.source_id == source_records.c.source_id)
        .where(
            sources.c.name == SOURCE,
            source_records.c.source_record_id == _FIRST_KEY,
            source_records.c.deleted_at.is_(None),
            ~last.where(events.c.message_id == _message_id(seed, 0)).exists(),
        )
    )
    return connection.scalar(statement) is not None


def plan_messages(directory: Path, *, seed: int, until: int) -> Plan:
    """From the files of a demo."""
    shoppers = _choose_shoppers(directory)
    told = [each for shopper in shoppers for each in tell_shopping(shopper, seed=seed, until=until)]
    told.sort(key=lambda each: (each[0], each[1]["userId"]))
    moments = instants([when for when, _ in told])
    messages = [
        {**message, "messageId": _message_id(seed, left), "timestamp": moment}
        for left, moment, (_, message) in zip(reversed(range(len(told))), moments, told, strict=True)
    ]
    return Plan(messages, {shopper.user_id: raw_hash for shopper, raw_hash in shoppers.items()})


def send_messages(engine: Engine, plan: Plan, *, author: str, now: datetime) -> int:
    """Those of customers whose record is in the store as the demo wrote it, as far as they are past and were not sent
    before; returns how many that were."""
    with read(engine) as connection:
        present = _select_present(connection, plan.raw_hashes)
    delivery = Delivery(now, is_historical=True)
    due = [
        read_message(message, delivery)
        for message in plan.messages
        if message["userId"] in present and parse_instant(message["timestamp"]) <= now
    ]
    if not due:
        return 0
    resolver = Resolver(engine, OnlineModels())
    return receive_messages(resolver, due, source=SOURCE, author=author, now=now).event_count


def _message_id(seed: int, left: int) -> str:
    """Left: how many messages come after it. Once the one of 0 is kept, all are."""
    return f"demo-{seed}-{left:04d}"


def _choose_shoppers(directory: Path) -> dict[Shopper, str]:
    """With the hash of their record in the shop: their oldest one."""
    of_person: dict[str, list[Record]] = defaultdict(list)
    with gzip.open(directory / RECORDS) as records, (directory / TRUTH).open(encoding="utf-8") as truth:
        for line, known in zip(records, csv.DictReader(truth), strict=True):
            of_person[known["entity_id"]].append(orjson.loads(line))
    ranked = sorted(of_person.items(), key=lambda each: (-len(each[1]), each[0]))
    chosen: dict[Shopper, str] = {}
    left = dict(SHOPPERS)
    for _, records_of_person in ranked:
        country = _country(records_of_person)
        account = next((each for each in records_of_person if each["source"] == SOURCE), None)
        if account is not None and left[country]:
            left[country] -= 1
            since = int(parse_instant(account["occurred_at"]).timestamp())
            shopper = Shopper(account["source_record_id"], country, since)
            chosen[shopper] = check_record(account, default_source=None).raw_hash
    return chosen


def _country(records: Iterable[Record]) -> str:
    """Where they live, as far as they said; else where most do."""
    countries = {each.get("address", {}).get("country") for each in records}
    documents = {document["type"] for each in records for document in each.get("documents", ())}
    return "PT" if "PT" in countries or "nif" in documents else "BR"


def _select_present(connection: Connection, raw_hashes: Mapping[str, str]) -> set[str]:
    statement = (
        select(source_records.c.source_record_id, source_records.c.raw_hash)
        .join(sources, sources.c.source_id == source_records.c.source_id)
        .where(
            sources.c.name == SOURCE,
            source_records.c.source_record_id.in_(raw_hashes),
            source_records.c.deleted_at.is_(None),
        )
    )
    return {key for key, raw_hash in connection.execute(statement) if raw_hashes[key] == raw_hash}
