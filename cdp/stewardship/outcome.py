"""What a ruling did, or would do: the profiles it touches before and after, and what is left to ask about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from cdp.identity.golden import select_survivorship
from cdp.identity.pins import NO_PINS, PinsByRecord
from cdp.realtime.golden_records import make_golden_records
from cdp.realtime.ingested import Effect
from cdp.stewardship.members import select_members
from cdp.store.schema import merge_candidates, profiles

# Ids are given out when something is published: a preview names what would be new so.
NEW = "new"


@dataclass(frozen=True)
class ProfileState:
    """golden, identifiers: as in cdp.identity.profile_reads.Profile. record_ids: in their order."""

    profile_id: str
    state: str
    version: int
    record_ids: list[int]
    golden: dict[str, dict[str, Any]]
    identifiers: list[dict[str, Any]]


@dataclass(frozen=True)
class ProposedPair:
    """An open merge candidate between profiles that a ruling touched. candidate_id: None for one yet to be opened."""

    candidate_id: int | None
    record_id_l: int
    record_id_r: int
    profile_id_l: str
    profile_id_r: str
    match_weight: float
    match_probability: float
    reason: str


@dataclass(frozen=True)
class Outcome:
    """before, after: the profiles touched and those named, by their ids. action_id: None in a preview, as are the ids
    of entries. ledger_entry_ids: what an undo may name. events: kind and profile of those that the outbox holds of it,
    without the ruling's own."""

    action_id: int | None
    kind: str
    is_preview: bool
    model_version: int
    ledger_entry_ids: list[int]
    before: list[ProfileState]
    after: list[ProfileState]
    candidates: list[ProposedPair]
    events: list[tuple[str, str]]


def tell_outcome(
    connection: Connection,
    effect: Effect,
    *,
    action_id: int,
    kind: str,
    record_ids: Collection[int],
    profile_ids: Collection[str],
    pins_before: PinsByRecord = NO_PINS,
) -> Outcome:
    """Record and profile ids: those that the ruling named, told even where nothing changed. Pins before: of
    the records whose pins it changed."""
    published = effect.published
    touched = published.versions.keys()
    named_before = {published.former[each] for each in record_ids if each in published.former} | set(
        profile_ids
    )
    named_after = {published.profile_of[each] for each in record_ids if each in published.profile_of}
    after = _states_now(connection, touched | named_before | named_after)
    former: dict[str, list[int]] = {}
    for record_id, profile_id in sorted(published.former.items()):
        if profile_id in touched or profile_id in named_before:
            former.setdefault(profile_id, []).append(record_id)
    before = [
        *_states_before(
            connection,
            former,
            {each.profile_id: each for each in after},
            published.versions,
            pins_before=pins_before,
        ),
        *(each for each in after if each.profile_id in named_before and each.profile_id not in former),
    ]
    return Outcome(
        action_id=action_id,
        kind=kind,
        is_preview=False,
        model_version=effect.model_version,
        ledger_entry_ids=sorted(published.entry_ids),
        before=sorted(before, key=lambda each: each.profile_id),
        after=after,
        candidates=_proposed(connection, effect, {each.profile_id for each in after}),
        events=list(published.events),
    )


def as_preview(outcome: Outcome, *, created: Collection[str], known: Callable[[int], bool]) -> Outcome:
    """Without the ids that only a ruling gives out. Known: whether a candidate was there before."""
    names = {profile_id: f"{NEW}-{place}" for place, profile_id in enumerate(sorted(created), 1)}
    return replace(
        outcome,
        action_id=None,
        is_preview=True,
        ledger_entry_ids=[],
        after=[
            replace(each, profile_id=names.get(each.profile_id, each.profile_id)) for each in outcome.after
        ],
        candidates=[
            replace(
                each,
                candidate_id=each.candidate_id
                if each.candidate_id is not None and known(each.candidate_id)
                else None,
                profile_id_l=names.get(each.profile_id_l, each.profile_id_l),
                profile_id_r=names.get(each.profile_id_r, each.profile_id_r),
            )
            for each in outcome.candidates
        ],
        events=[(kind, names.get(profile_id, profile_id)) for kind, profile_id in outcome.events],
    )


def _states_now(connection: Connection, profile_ids: Iterable[str]) -> list[ProfileState]:
    wanted = sorted(profile_ids)
    members: dict[str, list[int]] = {profile_id: [] for profile_id in wanted}
    for member in select_members(connection, wanted):
        members[member.profile_id].append(member.record_id)
    rows = connection.execute(
        select(profiles.c.profile_id, profiles.c.state, profiles.c.version, profiles.c.golden)
        .where(profiles.c.profile_id.in_(wanted))
        .order_by(profiles.c.profile_id)
    )
    return [
        _state(row.profile_id, row.state, row.version, members[row.profile_id], row.golden) for row in rows
    ]


def _states_before(
    connection: Connection,
    former: Mapping[str, list[int]],
    after: Mapping[str, ProfileState],
    versions: Mapping[str, int],
    *,
    pins_before: PinsByRecord,
) -> list[ProfileState]:
    golden = make_golden_records(connection, former, select_survivorship(connection), pins_before=pins_before)
    return [
        _state(
            profile_id,
            "live",
            versions[profile_id] - 1 if profile_id in versions else after[profile_id].version,
            record_ids,
            golden[profile_id],
        )
        for profile_id, record_ids in former.items()
    ]


def _state(
    profile_id: str, state: str, version: int, record_ids: Iterable[int], golden_text: str
) -> ProfileState:
    golden = json.loads(golden_text)
    return ProfileState(
        profile_id=profile_id,
        state=state,
        version=version,
        record_ids=sorted(record_ids),
        golden=golden.get("attributes", {}),
        identifiers=golden.get("identifiers", []),
    )


def _proposed(connection: Connection, effect: Effect, profile_ids: Collection[str]) -> list[ProposedPair]:
    """Of the open candidates around the records resolved, those of the profiles told of."""
    wanted = [
        candidate_id
        for candidate_id, ends in effect.candidates.items()
        if not profile_ids.isdisjoint(ends)  # type: ignore[attr-defined]
    ]
    rows = connection.execute(
        select(*(merge_candidates.c[name] for name in ProposedPair.__dataclass_fields__))
        .where(merge_candidates.c.candidate_id.in_(wanted))
        .order_by(merge_candidates.c.candidate_id)
    )
    return [ProposedPair(**row._mapping) for row in rows]
