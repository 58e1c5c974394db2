"""Hold the records of ids that a source says are one person's to be one person, by must-links of the source.

An anonymous id, and a former id (alias), is a user's as long as no other user was seen with it: a shared device joins
nobody, nor does a placeholder that everybody once was. A user's first ids of a kind count, so that a login that
everybody shares gathers no crowd. All of this depends on what was seen, and not on the order of arrival. Rulings of
stewards come first: what they hold apart or froze is not tied, and what they took back is not tied again. See
docs/decisions/0008-segment.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, select

from cdp.engagement.id_sightings import (
    ANONYMOUS,
    Pair,
    note_sightings,
    pairs_of,
    select_first,
    select_held,
    select_of_others,
    set_action,
)
from cdp.engagement.message import ANONYMOUS as ANONYMOUS_KEY
from cdp.engagement.message import Message
from cdp.identity.freezes import select_frozen
from cdp.realtime.ingest import Resolver
from cdp.stewardship.actions import BY_SOURCE
from cdp.stewardship.constraints import select_linked, select_links
from cdp.stewardship.pairs import Link, find_contradiction
from cdp.stewardship.ruling import Order, Session, begin_action, hold, publish_ruling
from cdp.stewardship.undo import withdraw_assertion
from cdp.store import id_set
from cdp.store.schema import source_records

# Of each kind. Browsers forget who they are within a week; above this a user id is nobody's in particular.
IDS_AT_MOST = 100


@dataclass(frozen=True)
class Speaker:
    """The source that speaks, in the write that its messages are kept in. now: not before the ledger."""

    connection: Connection
    resolver: Resolver
    source_id: int
    source: str
    model_version: int
    now: datetime

    def session(self, reason: str) -> Session:
        order = Order(author=f"{BY_SOURCE}{self.source}", reason=reason, now=self.now)
        return Session(self.connection, self.resolver, order, self.model_version, self.now)


def tie_ids(speaker: Speaker, messages: Sequence[Message], *, created: Collection[str]) -> bool:
    """Note what messages name together, and hold and let go what follows; returns whether anybody changed.

    Created: keys of records that were not there before.
    """
    connection, source_id = speaker.connection, speaker.source_id
    seen = _first_seen(messages)
    others = {pair.other_id for pair in seen} | {key.removeprefix(ANONYMOUS_KEY) for key in created}
    known = select_of_others(connection, source_id, others)
    note_sightings(connection, source_id, seen, {pair: seen_at for pair, (seen_at, _) in known.items()})
    held_by = {pair: action_id for pair, (_, action_id) in known.items()}
    pairs = {**dict.fromkeys(seen), **held_by}
    new_users = {pair.user for pair in seen if pair not in known}
    user_counts = Counter((pair.kind, pair.other_id) for pair in pairs)
    unwanted = {
        pair: action_id for pair, action_id in pairs.items() if user_counts[pair.kind, pair.other_id] > 1
    }
    first = {
        user: select_first(connection, source_id, user, at_most=IDS_AT_MOST)
        for user in sorted(new_users | {pair.user for pair, held in pairs.items() if held is None})
    }
    for user in new_users:
        held = select_held(connection, source_id, user)
        unwanted |= {pair: held[pair] for pair in held if pair.other_id not in first[user]}
    changed = [_let_go(speaker, pair, action_id) for pair, action_id in sorted(unwanted.items()) if action_id]
    wanted = [
        pair
        for pair, held in sorted(pairs.items())
        if held is None and pair not in unwanted and pair.other_id in first[pair.user]
    ]
    changed += [_hold_together(speaker, pair, ends) for pair, ends in _select_ends(speaker, wanted)]
    return any(changed)


def _first_seen(messages: Iterable[Message]) -> dict[Pair, datetime]:
    seen: dict[Pair, datetime] = {}
    for message in messages:
        for pair in pairs_of(message):
            seen[pair] = min(seen.get(pair, message.occurred_at), message.occurred_at)
    return seen


def _select_ends(speaker: Speaker, pairs: Sequence[Pair]) -> list[tuple[Pair, tuple[int, int]]]:
    """The records of each pair, of those where both are there."""
    keys = sorted({key for pair in pairs for key in pair.record_keys})
    if not keys:
        return []
    wanted = id_set(speaker.connection, keys)
    found: dict[str, int] = dict(
        speaker.connection.execute(
            select(source_records.c.source_record_id, source_records.c.record_id)
            .join_from(wanted, source_records, source_records.c.source_record_id == wanted.c.id)
            .where(source_records.c.source_id == speaker.source_id, source_records.c.deleted_at.is_(None))
        ).all()
    )
    ends = [(pair, [found[key] for key in pair.record_keys if key in found]) for pair in pairs]
    return [(pair, (min(both), max(both))) for pair, both in ends if len(both) == 2]


def _hold_together(speaker: Speaker, pair: Pair, ends: tuple[int, int]) -> bool:
    connection = speaker.connection
    linked, _ = select_linked(connection, ends)
    asserted = Link(0, "must", *ends, None)
    if find_contradiction([*select_links(connection, linked), asserted]) is not None:
        return False
    if select_frozen(connection, linked) or _hold_different_documents(connection, linked):
        return False
    session = speaker.session("anonymousId" if pair.kind == ANONYMOUS else "alias")
    action = begin_action(session, "join")
    hold(session, action, must=[ends])
    publish_ruling(session, action, ends)
    set_action(connection, speaker.source_id, pair, action.action_id)
    return True


def _hold_different_documents(connection: Connection, record_ids: Collection[int]) -> bool:
    """Two people's CPFs are two people's, whatever a source says of its ids."""
    wanted = id_set(connection, sorted(record_ids))
    statement = select(source_records.c.standardized).join_from(
        wanted, source_records, source_records.c.record_id == wanted.c.id
    )
    numbers: Mapping[str, set[str]] = defaultdict(set)
    for standardized in connection.scalars(statement.where(source_records.c.deleted_at.is_(None))):
        for document in orjson.loads(standardized)["linkage"].get("documents") or ():
            numbers[document.partition(":")[0]].add(document)
    return any(len(held) > 1 for held in numbers.values())


def _let_go(speaker: Speaker, pair: Pair, action_id: int) -> bool:
    withdraw_assertion(speaker.session("several users or too many ids"), action_id)
    set_action(speaker.connection, speaker.source_id, pair, None)
    return True
