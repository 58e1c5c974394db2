"""A ruling, or what the machine did to memberships, is taken back.

Of a ruling: the constraints it opened are closed, those that gave way to it are opened again, and so the people are
those of the records, the model and the other rulings; cannot-links part whom it brought together and the machine now
would too. Of an entry of the machine: constraints are planted that keep the machine from doing it again. Of an undo:
what it took back stands again, and what it planted goes. Ids go back with their records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from cdp.identity.freezes import close_frozen, reopen_frozen, select_frozen_by
from cdp.identity.leads import select_noted_leads
from cdp.identity.pins import close_pins, reopen_pins, select_pinned, select_pins_of_each
from cdp.realtime.ingest import Resolver
from cdp.stewardship.actions import (
    Action,
    require_action,
    select_last_turns,
    select_rulings_of,
    select_standing,
    select_standing_rulings,
    select_undo_of_entry,
    update_undone_by,
)
from cdp.stewardship.candidates import close_candidate, closes, reopen_candidate, require_candidate
from cdp.stewardship.constraints import (
    close_links,
    close_same_links,
    reopen_links,
    select_closers,
    select_closings,
    select_linked,
    select_links,
    select_links_closed_by,
    select_links_of,
    select_open_links_of,
)
from cdp.stewardship.entries import (
    Entry,
    Move,
    require_entry,
    select_action_moves,
    select_entry_moves,
    select_first_entry,
    select_movers,
    update_entries_undone_by,
)
from cdp.stewardship.errors import AlreadyUndoneError, RuledOnSinceError
from cdp.stewardship.keep_apart import select_kept_apart
from cdp.stewardship.machine_entries import select_opposite
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.pairs import Link, Pair
from cdp.stewardship.ruling import Order, Session, begin_action, carry_out, hold, publish_ruling


def undo_entry(resolver: Resolver, ledger_entry_id: int, order: Order) -> Outcome:
    """Take back what a ledger entry tells of: all of the steward's action it came of, or the machine's entry.

    Raises UnknownEntryError, AlreadyUndoneError, RuledOnSinceError, NothingToUndoError, TooManyPairsError,
    ConstraintConflictError.
    """

    def work(session: Session) -> Outcome:
        entry = require_entry(session.connection, ledger_entry_id)
        if entry.action_id is not None:
            return _undo_action(session, require_action(session.connection, entry.action_id))
        return _undo_machine_entry(session, entry)

    return carry_out(resolver, order, work)


def undo_action(resolver: Resolver, action_id: int, order: Order) -> Outcome:
    """Take back an action.

    Raises UnknownActionError, AlreadyUndoneError, RuledOnSinceError, ConstraintConflictError.
    """

    return carry_out(resolver, order, lambda session: carry_undo(session, action_id))


def carry_undo(session: Session, action_id: int) -> Outcome:
    return _undo_action(session, require_action(session.connection, action_id))


def withdraw_assertion(session: Session, action_id: int) -> None:
    """A source takes back that two of its ids are one person, whatever was ruled since: rulings hold by themselves."""
    connection = session.connection
    target = require_action(connection, action_id)
    if target.undone_by is not None:
        return
    moves = select_action_moves(connection, action_id)
    action = begin_action(session, "undo", undoes_action_id=action_id)
    update_undone_by(connection, action_id, action.action_id)
    closing = select_open_links_of(connection, action_id)
    concerned = _with_linked(connection, closing)
    ids = [link.constraint_id for link in closing]
    close_links(connection, ids, closed_by=action.action_id, now=session.moment)
    publish_ruling(session, action, concerned, restored=_places_before(moves))
    _mark_entries(connection, [action, require_action(connection, action_id)])


def _undo_machine_entry(session: Session, entry: Entry) -> Outcome:
    connection, entry_id = session.connection, entry.ledger_entry_id
    undone_by = select_undo_of_entry(connection, entry_id)
    if undone_by is not None:
        raise _already_undone(f"Ledger entry {entry_id}", undone_by)
    moves = select_entry_moves(connection, entry_id)
    must, cannot = select_opposite(connection, entry, moves)
    action = begin_action(session, "undo", undoes_entry_id=entry_id)
    hold(session, action, must=must, cannot=cannot)
    outcome = publish_ruling(session, action, _ends(must | cannot), restored=_places_before(moves))
    _mark_entries(connection, [action])
    return outcome


def _undo_action(session: Session, target: Action) -> Outcome:
    connection = session.connection
    if target.undone_by is not None:
        raise _already_undone(f"Action {target.action_id}", target.undone_by)
    last_turn = _select_last_turn(connection, target.action_id)
    moves = select_action_moves(connection, last_turn)
    action = begin_action(session, "undo", undoes_action_id=target.action_id)
    update_undone_by(connection, target.action_id, action.action_id)
    *undos, ruling = turned = _turn(connection, target)
    pinned = select_pinned(connection, ruling.action_id)
    pins_before = select_pins_of_each(connection, pinned)
    concerned = _turn_kept_apart(session, undos, action)
    if ruling.undone_by is None:
        concerned |= _reinstate(session, ruling)
    else:
        concerned |= _withdraw(session, ruling, action, last_turn)
        cannot = select_kept_apart(session, ruling.action_id, concerned, since=last_turn)
        hold(session, action, cannot=cannot)
        concerned |= _ends(cannot)
    outcome = publish_ruling(
        session,
        action,
        concerned,
        restored=_places_before(moves),
        leads=select_noted_leads(connection, last_turn),
        repinned=pinned,
        pins_before=pins_before,
    )
    _mark_entries(connection, [action, *turned])
    return outcome


def _select_last_turn(connection: Connection, action_id: int) -> int:
    """Since when the ruling that an action is about stands, or does not."""
    ruling_id = select_rulings_of(connection, [action_id])[action_id]
    return select_last_turns(connection, [ruling_id])[ruling_id]


def _turn(connection: Connection, target: Action) -> list[Action]:
    """From an action just undone, through the undos that this lets stand or fall, to the ruling they are about.

    Each as it is then. Raises AlreadyUndoneError.
    """
    turned = [require_action(connection, target.action_id)]
    while (inner_id := turned[-1].undoes_action_id) is not None:
        undoing, inner = turned[-1], require_action(connection, inner_id)
        if undoing.undone_by is None and inner.undone_by is not None:
            raise _already_undone(f"Action {inner_id}", inner.undone_by)
        update_undone_by(connection, inner_id, undoing.action_id if undoing.undone_by is None else None)
        turned.append(require_action(connection, inner_id))
    return turned


def _turn_kept_apart(session: Session, undos: Iterable[Action], action: Action) -> set[int]:
    """What undos keep apart is open while they stand; returns the records concerned."""
    connection = session.connection
    concerned: set[int] = set()
    for undo in undos:
        links = select_links_of(connection, undo.action_id)
        concerned |= _with_linked(connection, links)
        if undo.undone_by is None:
            _reopen(session, links)
            continue
        ids = [link.constraint_id for link in select_open_links_of(connection, undo.action_id)]
        close_links(connection, ids, closed_by=action.action_id, now=session.moment)
    return concerned


def _withdraw(session: Session, ruling: Action, action: Action, since: int) -> set[int]:
    """Close what a ruling opened, open what gave way to it; returns the records concerned. Since: the action since
    which it stood."""
    connection = session.connection
    closing = select_open_links_of(connection, ruling.action_id)
    if ruling.kind != "freeze":
        # What was ruled since a freeze holds by itself.
        _require_latest(connection, ruling, closing, since)
    given_way = select_links_closed_by(connection, ruling.action_id)
    concerned = _with_linked(connection, [*closing, *given_way])
    close_links(
        connection,
        [link.constraint_id for link in closing],
        closed_by=action.action_id,
        now=session.moment,
    )
    close_pins(connection, ruling.action_id, closed_by=action.action_id, now=session.moment)
    close_frozen(connection, ruling.action_id, closed_by=action.action_id, now=session.moment)
    concerned |= select_frozen_by(connection, ruling.action_id)
    _reopen(session, given_way)
    if ruling.candidate_id is None or ruling.decision is None:
        return concerned
    reopen_candidate(connection, ruling.candidate_id, ruling.decision)
    candidate = require_candidate(connection, ruling.candidate_id)
    return concerned | {candidate.record_id_l, candidate.record_id_r}


def _reinstate(session: Session, ruling: Action) -> set[int]:
    """The other way round. That it contradicts no later ruling is seen when its people are published."""
    connection = session.connection
    reopening = select_links_of(connection, ruling.action_id)
    giving_way = select_links_closed_by(connection, ruling.action_id)
    concerned = _with_linked(connection, [*reopening, *giving_way])
    close_same_links(
        connection,
        [link.constraint_id for link in giving_way],
        closed_by=ruling.action_id,
        now=session.moment,
    )
    _reopen(session, reopening)
    reopen_pins(connection, ruling.action_id, now=session.moment)
    reopen_frozen(connection, ruling.action_id, now=session.moment)
    concerned |= select_frozen_by(connection, ruling.action_id)
    if (
        ruling.candidate_id is not None
        and ruling.decision is not None
        and closes(ruling.decision, require_candidate(connection, ruling.candidate_id).unsure_count)
    ):
        close_candidate(
            connection,
            ruling.candidate_id,
            ruling.decision,
            author=session.order.author,
            now=session.moment,
        )
    return concerned


def _reopen(session: Session, links: Sequence[Link]) -> None:
    """Open them again, but for those of rulings that do not stand and those that gave way to one that does."""
    connection = session.connection
    ids = [link.constraint_id for link in links]
    closings = select_closings(connection, ids)
    cutting = set(select_standing_rulings(connection, {closed_by for _, closed_by in closings}))
    given_way = {link.claim for link, closed_by in closings if closed_by in cutting}
    owners = select_standing(connection, {link.opened_by for link in links if link.opened_by is not None})
    reopening = [
        link.constraint_id
        for link in links
        if link.claim not in given_way and (link.opened_by is None or link.opened_by in owners)
    ]
    reopen_links(connection, reopening, now=session.moment)


def _ends(pairs: Iterable[Pair]) -> set[int]:
    return {record_id for pair in pairs for record_id in pair}


def _with_linked(connection: Connection, links: Iterable[Link]) -> set[int]:
    """The records of the links, and those that must-links of deleted records hold to them."""
    linked, _ = select_linked(connection, {record_id for link in links for record_id in link.pair})
    return linked


def _require_latest(connection: Connection, ruling: Action, closing: Iterable[Link], since: int) -> None:
    """Raises RuledOnSinceError when a steward's ruling that stands since later cut, tied or moved the same records.

    What a source says later of the same ids is no ruling, and need not be taken back first."""
    tied = {record_id for link in closing if link.kind == "must" for record_id in link.pair}
    moved = {move.record_id for move in select_action_moves(connection, since)}
    touching = select_closers(connection, ruling.action_id)
    touching |= {link.opened_by for link in select_links(connection, tied, kind="must") if link.opened_by}
    movers = select_movers(connection, moved)
    rulings = touching | set(select_rulings_of(connection, movers).values())
    standing = select_standing_rulings(connection, rulings - {ruling.action_id}, of_stewards=True)
    turns = select_last_turns(connection, standing)
    later = [each for each in standing if turns[each] > since and (each in touching or turns[each] in movers)]
    if later:
        named = " and ".join(map(str, later))
        raise RuledOnSinceError(
            f"Records of action {ruling.action_id} were ruled on since, by action {named}: undo that first, or "
            "split off what is not theirs.",
            ids=later,
        )


def _places_before(moves: Iterable[Move]) -> dict[int, str]:
    """Where an undo gives records back to: the profiles they were in before."""
    return {move.record_id: move.from_profile_id for move in moves if move.from_profile_id is not None}


def _mark_entries(connection: Connection, turned: Iterable[Action]) -> None:
    """Let the ledger say which of its entries are taken back, and by which."""
    for action in turned:
        undone_by = action.undone_by and select_first_entry(connection, action.undone_by)
        update_entries_undone_by(connection, undone_by, action_id=action.action_id)
        if action.undoes_entry_id is not None:
            taking_back = (
                select_first_entry(connection, action.action_id) if action.undone_by is None else None
            )
            update_entries_undone_by(connection, taking_back, entry_id=action.undoes_entry_id)


def _already_undone(what: str, undone_by: int) -> AlreadyUndoneError:
    return AlreadyUndoneError(
        f"{what} was taken back by action {undone_by}: undo that to let it stand again.", ids=[undone_by]
    )
