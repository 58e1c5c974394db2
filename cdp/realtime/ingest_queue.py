"""Requests that bring a record at the same moment are taken in together: one transaction, one look at the neighbours.

Whoever comes while another is at work waits, and the first of those waiting takes all of them in. What a request
answers is what it would answer alone; when a group fails on its records, each is tried on its own.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from cdp.idempotency import Once, insert_answer, require_unanswered
from cdp.realtime.foresight import Foresight
from cdp.realtime.incoming import IncomingRecord
from cdp.realtime.ingest import Resolver, ingest_records
from cdp.realtime.ingested import Ingested
from cdp.store import StoreError
from cdp.store.checkpoints import leave_log
from cdp.store.engine import begin_checkpoint
from cdp.store.turns import writing_turn

# Above, a request has enough to share what a transaction costs, and would keep others waiting.
GATHERED_AT_MOST = 64
# Records that make a turn a long one, which is prepared before and leaves the log to be brought into the file after
# it. Both take more time in all, and with short turns from others.
LONG_FROM = 100


@dataclass
class _Ticket:
    """A request that waits, and what came of it."""

    resolver: Resolver
    records: Sequence[IncomingRecord]
    author: str
    now: datetime
    once: Once[list[Ingested]] | None = None
    answers: list[Ingested] | None = None
    error: Exception | None = None

    def keys(self) -> set[tuple[int, str]]:
        return {(record.source_id, record.source_record_id) for record in self.records}

    @property
    def is_done(self) -> bool:
        return self.answers is not None or self.error is not None


class IngestQueue:
    """One a process; its threads share it."""

    def __init__(self) -> None:
        self._waiting: list[_Ticket] = []
        self._joining = threading.Lock()
        self._working = threading.Lock()

    def ingest(
        self,
        resolver: Resolver,
        records: Sequence[IncomingRecord],
        *,
        author: str,
        now: datetime,
        once: Once[list[Ingested]] | None = None,
    ) -> list[Ingested]:
        """As ingest_records; once: see carry_out_once."""
        ticket = _Ticket(resolver, records, author, now, once)
        with self._joining:
            self._waiting.append(ticket)
        with self._working:
            if not ticket.is_done:
                self._work(ticket)
        if ticket.error is not None:
            raise ticket.error
        assert ticket.answers is not None
        return ticket.answers

    def _work(self, ticket: _Ticket) -> None:
        group = [ticket]
        foresight = Foresight(ticket.resolver.engine, ticket.resolver.models)

        is_long = len(ticket.records) >= LONG_FROM

        def work_ahead() -> bool:
            return is_long and foresight.step(ticket.records)

        try:
            # Whoever comes while this process waits for its turn is taken along.
            with writing_turn(ticket.resolver.engine, meanwhile=work_ahead):
                group = self._take(ticket)
                _ingest_each_or_all(group, foresight)
            if is_long:
                begin_checkpoint(ticket.resolver.engine)
        except Exception as error:
            # The store takes no writes: who waited as well would only wait once more.
            for each in (*group, *self._take_all()):
                if not each.is_done:
                    each.error = error

    def _take(self, ticket: _Ticket) -> list[_Ticket]:
        """This request and those of the same author that wait, as far as they are small together and tell of other
        records: of two versions of one each is answered for itself."""
        with self._joining:
            group, room = [ticket], GATHERED_AT_MOST - len(ticket.records)
            keys = ticket.keys()
            for other in self._waiting:
                if other is ticket or other.author != ticket.author or len(other.records) > room:
                    continue
                if keys.isdisjoint(other.keys()):
                    group.append(other)
                    room -= len(other.records)
                    keys |= other.keys()
            taken = {id(each) for each in group}
            self._waiting = [other for other in self._waiting if id(other) not in taken]
        return group

    def _take_all(self) -> list[_Ticket]:
        with self._joining:
            waiting, self._waiting = self._waiting, []
        return waiting


def _ingest_each_or_all(group: Sequence[_Ticket], foresight: Foresight) -> None:
    """Together, and where that fails on a record each on its own. Raises StoreError: what keeps the store from one
    keeps it from all."""
    try:
        _ingest_together(group, foresight)
    except StoreError:
        raise
    except Exception as error:
        if len(group) == 1:
            group[0].error = error
            return
        for each in group:
            _ingest_alone(each, foresight)


def _ingest_alone(ticket: _Ticket, foresight: Foresight) -> None:
    try:
        _ingest_together([ticket], foresight)
    except StoreError:
        raise
    except Exception as error:
        ticket.error = error


def _ingest_together(group: Sequence[_Ticket], foresight: Foresight) -> None:
    first = group[0]
    records = [record for ticket in group for record in ticket.records]

    def begin(connection: Connection) -> None:
        if len(records) >= LONG_FROM:
            leave_log(connection)
        for ticket in group:
            if ticket.once is not None:
                require_unanswered(connection, ticket.once.call)

    def end(connection: Connection, answers: Sequence[Ingested]) -> None:
        for ticket, own in zip(group, _own(group, answers), strict=True):
            if ticket.once is not None:
                insert_answer(connection, ticket.once.call, ticket.once.answer(own))

    answers = ingest_records(
        first.resolver,
        records,
        author=first.author,
        now=first.now,
        begin=begin,
        end=end,
        foresight=foresight,
    )
    for ticket, own in zip(group, _own(group, answers), strict=True):
        ticket.answers = own


def _own(group: Sequence[_Ticket], answers: Sequence[Ingested]) -> list[list[Ingested]]:
    rest = iter(answers)
    return [[next(rest) for _ in ticket.records] for ticket in group]
