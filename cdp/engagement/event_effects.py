"""What events do beside their record: orders, carts and wish lists are made anew, consents noted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from cdp.engagement.commerce import CART, CLOSING, CommerceState, Subject, fold_subject
from cdp.engagement.consent import ConsentWord, read_consent
from cdp.engagement.engagement_states import State, StateKey, of_kind, replace_states, select_states
from cdp.engagement.events import NewEvent, insert_subjects, select_subject_events
from cdp.store import insert_rows
from cdp.store.instants import format_instant, parse_instant
from cdp.store.schema import consent_assertions

CONSENT = "consent"


def follow_events(
    connection: Connection,
    new: Sequence[tuple[int, NewEvent]],
    births: Mapping[int, datetime],
    *,
    now: datetime,
) -> None:
    """New: event ids and events. Births: see events.select_births."""
    told = insert_subjects(connection, new)
    if told:
        _rebuild_commerce(connection, told)
    words = [
        (event_id, event, word)
        for event_id, event in new
        for word in read_consent(event.message.context, event.message.occurred_at)
    ]
    if words:
        _note_consents(connection, words, births, now=now)


def _rebuild_commerce(connection: Connection, told: Mapping[int, set[Subject]]) -> None:
    closing = [record_id for record_id, subjects in told.items() if (CLOSING, "") in subjects]
    closings = _fold(connection, {record_id: {(CLOSING, "")} for record_id in closing}, {})
    replace_states(connection, closings)
    wanted = {record_id: subjects - {(CLOSING, "")} for record_id, subjects in told.items()}
    for key, state in of_kind(select_states(connection, closing, [CART]), CART):
        if state.is_open:
            wanted[key.record_id].add((CART, key.subject_id))
    closed = {
        key.record_id: state.changed_at for key, state in select_states(connection, told, [CLOSING]).items()
    }
    replace_states(connection, _fold(connection, wanted, closed))


def _fold(
    connection: Connection,
    wanted: Mapping[int, Collection[Subject]],
    closed: Mapping[int, datetime],
) -> dict[StateKey, State]:
    """The state of each subject of each record. Closed: record to when its last order closed its carts."""
    subjects = {subject for of_record in wanted.values() for subject in of_record}
    found = select_subject_events(connection, wanted, subjects, of_closed_carts=False)
    states = {}
    for record_id, of_record in wanted.items():
        for subject in of_record:
            events = found.get((record_id, subject), [])
            closed_at = closed.get(record_id)
            if events or (subject[0] == CART and closed_at is not None):
                folded = fold_subject(subject[0], events, closed_at=closed_at)
                states[StateKey(record_id, *subject)] = as_state(folded)
    return states


def as_state(folded: CommerceState) -> State:
    return State(folded.document, folded.is_open, folded.changed_at)


def _note_consents(
    connection: Connection,
    words: Sequence[tuple[int, NewEvent, ConsentWord]],
    births: Mapping[int, datetime],
    *,
    now: datetime,
) -> None:
    rows = [
        (event.record_id, word.category, word.granted, word.asserted_at, event_id)
        for event_id, event, word in words
    ]
    names = ("record_id", "category", "granted", "asserted_at", "event_id")
    insert_rows(connection, consent_assertions, rows, columns=names)
    known = select_states(connection, {event.record_id for _, event, _ in words}, [CONSENT])
    before = {key: word_of(key.subject_id, state) for key, state in known.items()}
    newest = dict(before)
    for _, event, word in words:
        since = births.get(event.record_id)
        if since is None or (now > since and word.asserted_at > since):
            key = StateKey(event.record_id, CONSENT, word.category)
            newest[key] = word.or_later(newest.get(key))
    replace_states(
        connection,
        {key: consent_state(word) for key, word in newest.items() if before.get(key) != word},
    )


def consent_state(word: ConsentWord) -> State:
    document = {"granted": word.granted, "asserted_at": format_instant(word.asserted_at)}
    return State(document, True, word.asserted_at)


def word_of(category: str, state: State, source: str | None = None) -> ConsentWord:
    asserted_at = parse_instant(state.document["asserted_at"])
    return ConsentWord(category, state.document["granted"], asserted_at, source)
