"""What a channel sees of the person behind a contact: often a number or a name, at times nothing at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from cdp.demo.chance import Choices, pick
from cdp.demo.channels import CHANNELS, Channel
from cdp.demo.people import Person
from cdp.demo.record_identifiers import (
    Surroundings,
    write_card,
    write_document,
    write_email,
    write_handle,
    write_phone,
)
from cdp.demo.record_names import write_names
from cdp.demo.writing import Writing

# The person's records by source: when each was written and its id, in order of time.
Known = Mapping[str, Sequence[tuple[int, str]]]


Writer = Callable[[Writing, Surroundings], object | None]


@dataclass(frozen=True)
class Sight:
    """What one place of contact gets to see: each field with the share of its contacts that show it.

    `record` is the share that name a source record, of the first of `sources` that knew the person then.
    """

    channel: Channel
    sources: tuple[str, ...]
    shown: tuple[tuple[str, float], ...]
    record: float = 0.0
    name: float = 0.0
    nothing: float = 0.0


WRITERS: dict[str, Writer] = {
    "phones": write_phone,
    "emails": lambda writing, around: write_email(writing),
    "documents": lambda writing, around: write_document(writing),
    "loyalty_ids": write_card,
    "device_ids": lambda writing, around: pick(writing.person.devices, writing.random),
}


def _sights() -> dict[str, Sight]:
    habits = {channel.source: replace(channel, junk=0.0) for channel in CHANNELS}
    till, web, whatsapp = habits["pos_loyalty"], habits["web_app"], habits["whatsapp"]
    call = replace(
        habits["call_center"],
        phone_shapes=Choices(("{area}{front}{back}", 1.0)),
        borrowed=0.05,
        no_ninth_digit=0.0,
    )
    ordered = (
        ("emails", 0.9),
        ("phones", 0.5),
        ("documents", 0.2),
        ("device_ids", 0.7),
        ("loyalty_ids", 0.15),
    )
    at_till = (("phones", 0.3), ("documents", 0.35), ("loyalty_ids", 0.8))
    accounts, callers = ("web_app", "email_mkt"), ("call_center", "pos_loyalty", "web_app")
    chatters = (("emails", 0.75), ("device_ids", 0.4))
    return {
        "voice": Sight(call, callers, (("phones", 0.97), ("documents", 0.16)), record=0.5, name=0.46),
        "whatsapp": Sight(whatsapp, ("whatsapp", "web_app"), (("phones", 1.0),), record=0.4, name=0.4),
        "chat": Sight(web, accounts, chatters, record=0.5, name=0.45, nothing=0.16),
        "email": Sight(web, accounts, (("emails", 0.96),), record=0.55),
        "social": Sight(habits["social"], ("social", "web_app"), (("handle", 1.0),), record=0.5, name=0.45),
        "order": Sight(web, accounts, ordered, record=0.85),
        "till": Sight(till, ("pos_loyalty",), at_till, record=0.8, nothing=0.15),
        "cart": Sight(web, accounts, (("device_ids", 0.92),), record=0.55),
        "survey": Sight(web, accounts, (("emails", 0.4), ("phones", 0.2)), record=0.3, nothing=0.35),
    }


SIGHTS = _sights()


def identify(
    person: Person, place: str, when: int, known: Known, around: Surroundings, random: Random
) -> tuple[dict[str, object], bool]:
    """What the channel saw, in the fields of a contact, and whether the phone was somebody else's."""
    sight = SIGHTS[place]
    if random.random() < sight.nothing:
        return {}, False
    writing = Writing(person, sight.channel, when, sight.channel.cases.draw(random), [], random)
    seen: dict[str, object] = {}
    if random.random() < sight.record:
        seen = find_record(sight.sources, when, known)
    if random.random() < sight.name and (name := write_names(writing).get("full_name")):
        seen["name"] = name
    for field, share in sight.shown:
        if random.random() >= share:
            continue
        if field == "handle":
            seen |= write_handle(writing) or {}
        elif (value := WRITERS[field](writing, around)) is not None:
            seen[field] = [value]
    return seen, "shared_phone" in writing.flags or "hub_phone" in writing.flags


def find_record(sources: Sequence[str], when: int, known: Known) -> dict[str, object]:
    """The key of the latest record that the first of the sources had by then; empty if none had one."""
    for source in sources:
        records = [record_id for written_at, record_id in known.get(source, ()) if written_at <= when]
        if records:
            return {"source": source, "source_record_id": records[-1]}
    return {}
