"""Why the machine left a pair to people, in words, where the evidence of the pair alone does not tell: what one profile
has in a document may be with other records than the two that were compared."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources

from sqlalchemy import Connection, select

from cdp.identity.explain import EdgeExplanation, explain_edge
from cdp.stewardship.candidates import OPEN, Candidate
from cdp.stewardship.members import select_members
from cdp.store import id_set
from cdp.store.schema import identifiers
from resolution.standardize.documents import EXCLUSIVE_TYPES

CONFLICT, SHARED = "exclusive_conflict", "exclusive_shared"

# Of one profile: type of document to its numbers.
Documents = Mapping[str, set[str]]


def explain_candidate(connection: Connection, candidate: Candidate, *, language: str) -> EdgeExplanation:
    """What is kept of its pair; while it is open, why it waits comes first in the text."""
    explained = explain_edge(connection, (candidate.record_id_l, candidate.record_id_r), language=language)
    reason = _tell_reason(connection, candidate, language) if candidate.state == OPEN else ""
    return replace(explained, text=f"{reason} {explained.text}") if reason else explained


def _tell_reason(connection: Connection, candidate: Candidate, language: str) -> str:
    """One sentence; empty for a reason that the weight of the pair tells."""
    if candidate.reason not in (CONFLICT, SHARED):
        return ""
    left, right = _select_documents(connection, candidate)
    differ, shared = compare_documents(left, right)
    words = _words()[language]
    if candidate.reason == SHARED:
        return _told(words["documents_shared"], shared)
    # Suffixes part people as documents do.
    return _told(words["documents_differ"], differ) or words["suffixes_differ"]


def compare_documents(left: Documents, right: Documents) -> tuple[list[str], list[str]]:
    """The types of which one has a number that the other, who has some, has not; those with a number in common."""
    both = sorted(left.keys() & right.keys())
    return [each for each in both if left[each] != right[each]], [
        each for each in both if left[each] & right[each]
    ]


def _told(sentence: str, types: list[str]) -> str:
    return sentence.format(types=", ".join(each.upper() for each in types)) if types else ""


def _select_documents(connection: Connection, candidate: Candidate) -> list[Documents]:
    """Of the left profile and of the right one, those that a person has one of."""
    profile_of = {
        each.record_id: each.profile_id for each in select_members(connection, candidate.profile_ids)
    }
    wanted = id_set(connection, sorted(profile_of))
    rows = connection.execute(
        select(identifiers.c.record_id, identifiers.c.value)
        .join_from(wanted, identifiers, identifiers.c.record_id == wanted.c.id)
        .where(identifiers.c.kind == "document")
    )
    found: dict[str, dict[str, set[str]]] = {each: defaultdict(set) for each in candidate.profile_ids}
    for record_id, value in rows:
        kind, _, number = value.partition(":")
        if kind in EXCLUSIVE_TYPES:
            found[profile_of[record_id]][kind].add(number)
    return [found[each] for each in candidate.profile_ids]


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(resources.files("cdp.stewardship").joinpath("reason_words.toml").read_text("utf-8"))
