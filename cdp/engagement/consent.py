"""What people said of consent in their events, added up. Pure rules.

Per record and category the newest word counts, of two equally late ones the no; of several records of a person any no.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CATEGORY_LIMIT = 100
CATEGORIES_AT_MOST = 50


@dataclass(frozen=True)
class ConsentWord:
    """A yes or no to a category, and when. source: of whom it is known, None where it is not to be told."""

    category: str
    granted: bool
    asserted_at: datetime
    source: str | None = None

    @property
    def _rank(self) -> tuple[datetime, bool]:
        return self.asserted_at, not self.granted

    def or_later(self, other: ConsentWord | None) -> ConsentWord:
        return self if other is None or self._rank >= other._rank else other


def read_consent(context: Mapping[str, Any], occurred_at: datetime) -> list[ConsentWord]:
    """Of context.consent.categoryPreferences; what is no yes or no says nothing."""
    consent = context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, Mapping) else None
    if not isinstance(preferences, Mapping):
        return []
    words = [
        ConsentWord(category.strip(), granted, occurred_at)
        for category, granted in preferences.items()
        if isinstance(granted, bool) and 0 < len(category.strip()) <= CATEGORY_LIMIT
    ]
    # Of names that differ in blanks only, the no.
    distinct: dict[str, ConsentWord] = {}
    for word in words[:CATEGORIES_AT_MOST]:
        distinct[word.category] = word.or_later(distinct.get(word.category))
    return list(distinct.values())


def most_restrictive(words: Iterable[ConsentWord]) -> list[ConsentWord]:
    """Of one newest word per record and category, one per category: the newest no, else the newest yes."""
    chosen: dict[str, ConsentWord] = {}
    for word in words:
        known = chosen.get(word.category)
        if known is None or (not word.granted, word.asserted_at) > (not known.granted, known.asserted_at):
            chosen[word.category] = word
    return [chosen[category] for category in sorted(chosen)]


@dataclass(frozen=True)
class ConsentChange:
    """What a category is for the people of a profile before and after: None where nothing was said."""

    profile_id: str
    category: str
    before: bool | None
    after: bool | None


def consent_changes(
    words: Mapping[int, Collection[ConsentWord]],
    before: Mapping[str, Collection[int]],
    after: Mapping[str, Collection[int]],
) -> list[ConsentChange]:
    """What becomes other when records go from the profiles of before to those of after. Words: by record. Before,
    after: the records of each profile. Told under the profile of before."""
    changes: set[tuple[str, str, bool | None, bool | None]] = set()
    for profile_id, former in before.items():
        earlier = _granted(words, former)
        for present in after.values():
            if set(former).isdisjoint(present):
                continue
            later = _granted(words, present)
            changes |= {
                (profile_id, category, earlier.get(category), later.get(category))
                for category in earlier.keys() | later.keys()
                if earlier.get(category) != later.get(category)
            }
    return [ConsentChange(*each) for each in sorted(changes, key=str)]


def _granted(words: Mapping[int, Collection[ConsentWord]], record_ids: Collection[int]) -> dict[str, bool]:
    said = most_restrictive(word for record_id in record_ids for word in words.get(record_id, ()))
    return {word.category: word.granted for word in said}
