"""What people call things by: numbers of items, decisions, entries and records, and keys of records."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from cdp.identity.sources import select_sources
from cdp.stewardship.members import select_profiles_of
from cdp.store.schema import ledger_entries, merge_candidates, source_records, steward_actions


@dataclass(frozen=True)
class Numbered:
    """All that has a number: whether there is such an item of the queue and such a decision; the profile that a ledger
    entry is of, and the one that a record belongs to."""

    number: int
    is_candidate: bool
    is_action: bool
    entry_profile_id: str | None
    record_profile_id: str | None


def select_numbered(connection: Connection, number: int) -> Numbered:
    def there_is(column: object) -> bool:
        return connection.scalar(select(column).where(column == number)) is not None  # type: ignore[call-overload]

    entry = select(ledger_entries.c.profile_id).where(ledger_entries.c.ledger_entry_id == number)
    return Numbered(
        number,
        is_candidate=there_is(merge_candidates.c.candidate_id),
        is_action=there_is(steward_actions.c.action_id),
        entry_profile_id=connection.scalar(entry),
        record_profile_id=select_profiles_of(connection, [number]).get(number),
    )


def select_profile_of_key(connection: Connection, key: str) -> str | None:
    """Of the record with this key, `source/source_record_id`; None when nobody has it now."""
    for name, source in select_sources(connection).items():
        if not key.startswith(f"{name}/"):
            continue
        record_id = connection.scalar(
            select(source_records.c.record_id).where(
                source_records.c.source_id == source.source_id,
                source_records.c.source_record_id == key.removeprefix(f"{name}/"),
            )
        )
        if record_id is not None:
            return select_profiles_of(connection, [record_id]).get(record_id)
    return None
