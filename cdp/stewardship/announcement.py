"""Whom a ruling is news to: the events that the outbox holds of it, and the systems whose records they are about.

A pure rule over its outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cdp.stewardship.outcome import Outcome

RULED = "stewardship.ruled"


@dataclass(frozen=True)
class SourceConcerned:
    """record_count: how many records of the people whom the events are about came from it."""

    source: str
    record_count: int


@dataclass(frozen=True)
class Announcement:
    """events: kind to the profiles that events of it are about, in the order of the outbox; of the ruling itself, none.
    sources: those with most records first."""

    events: Mapping[str, Sequence[str]]
    sources: Sequence[SourceConcerned]


def announce(outcome: Outcome, source_of: Mapping[int, str]) -> Announcement:
    """Source of: record to its source."""
    events: dict[str, list[str]] = {}
    for kind, profile_id in outcome.events:
        events.setdefault(kind, []).append(profile_id)
    counts = Counter(source_of[each] for each in records_concerned(outcome) if each in source_of)
    by_count = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return Announcement({**events, RULED: []}, [SourceConcerned(*each) for each in by_count])


def records_concerned(outcome: Outcome) -> Collection[int]:
    """Those of the profiles that events are about, before and after; of an absorbed one its survivor has them."""
    told = {profile_id for _kind, profile_id in outcome.events}
    states = [each for each in (*outcome.before, *outcome.after) if each.profile_id in told]
    return sorted({record_id for each in states for record_id in each.record_ids})
