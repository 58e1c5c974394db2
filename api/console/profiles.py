"""A profile: what is known of one person, from where, how it came together, and how to take it apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.engagement import (
    EVENT_NAMES,
    EVENTS_ON_PROFILE,
    ORDER_STATES,
    SIZE,
    shown_engagement,
    shown_events,
)
from api.console.languages import evidence_language
from api.console.layout import tell
from api.console.numbers import read_number
from api.console.pins import pins_of_entries
from api.console.reading import Reading, current_reading, note_read, shown, shown_record
from api.console.states import PageError
from api.profiles import checked_profile_id
from api.service import current_service
from api.snapshots import snapshot
from cdp.engagement.profile_engagement import select_engagement
from cdp.engagement.timeline import select_timeline
from cdp.identity.as_of import Edge, PastProfile, select_edges_within, select_past_profile
from cdp.identity.explain import explain_profile
from cdp.identity.profile_reads import (
    LedgerEntry,
    Profile,
    require_profile,
    select_ledger_entries,
    select_member_records,
)
from cdp.staff.users import select_author_names
from cdp.stewardship.comments import comment_on_profile, select_comments
from cdp.stewardship.freeze import select_freezes
from cdp.stewardship.pin import ATTRIBUTES
from cdp.stewardship.take_apart import usable_ways

RECORDS_A_PAGE = 50
ENTRIES_A_PAGE = 50
# Of an entry of the ledger, the rest only counted.
MOVES_TOLD = 4
IDENTIFIERS_AT_MOST = 100
# Farther out, another time zone's clock may show a year that there is not.
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
# More are a ball of wool: the table tells them better.
GRAPH_AT_MOST = 24
JOINS_AT_MOST = 50


@dataclass(frozen=True)
class Node:
    record_id: int
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    left: Node
    right: Node
    match_weight: float


@dataclass(frozen=True)
class Graph:
    """Records on a circle and the scored pairs between them."""

    nodes: Sequence[Node]
    lines: Sequence[Line]


@blueprint.get("/profiles/<profile_id>")
@requires("profiles.read")
def profile(profile_id: str) -> str | Response:
    with snapshot() as connection:
        found = require_profile(connection, checked_profile_id(profile_id))
        if found.profile_id != profile_id:
            return redirect(url_for(f"{CONSOLE}.profile", profile_id=found.profile_id, was=profile_id), 303)
        after = read_number(request.args.get("after")) or 0
        records = select_member_records(
            connection, profile_id, after_record_id=after, limit=RECORDS_A_PAGE + 1
        )
        is_small = found.record_count <= RECORDS_A_PAGE
        explained = explain_profile(connection, found, language=evidence_language()) if is_small else None
        edges = select_edges_within(connection, profile_id) if found.record_count <= GRAPH_AT_MOST else []
        ledger = select_ledger_entries(connection, profile_id, limit=ENTRIES_A_PAGE, moves_at_most=MOVES_TOLD)
        engagement = select_engagement(connection, profile_id, SIZE)
        events = select_timeline(connection, profile_id, limit=EVENTS_ON_PROFILE + 1)
        comments = select_comments(connection, profile_id=profile_id)
        freezes = select_freezes(connection, profile_id)
        ways_apart = usable_ways(connection, found, is_frozen=bool(freezes))
        pinned = pins_of_entries(connection, [each.ledger_entry_id for each in ledger])
        names = select_author_names(
            connection, {each.author for told in (ledger, comments, freezes) for each in told}
        )
    reading = current_reading()
    note_read(profile_id, "profile.read", reading)
    return render_template(
        "console/profile.html",
        was=request.args.get("was"),
        reading=reading,
        records=[shown_record(each, reading) for each in records[:RECORDS_A_PAGE]],
        next_after=records[RECORDS_A_PAGE - 1].record_id if len(records) > RECORDS_A_PAGE else None,
        pinned=pinned,
        explained=explained,
        graph=_graph([each.record_id for each in records], edges) if edges else None,
        ledger=ledger,
        done=shown_engagement(engagement, reading),
        events=shown_events(events[:EVENTS_ON_PROFILE], reading),
        has_more_events=len(events) > EVENTS_ON_PROFILE,
        event_names=EVENT_NAMES,
        order_states=ORDER_STATES,
        comments=comments,
        freezes=freezes,
        ways_apart=ways_apart,
        pinnable=ATTRIBUTES,
        names=names,
        **_facts(found, reading),
    )


@blueprint.post("/profiles/<profile_id>/comments")
@requires("profiles.read")
def post_profile_comment(profile_id: str) -> Response:
    service = current_service()
    comment_on_profile(
        service.store.engine(),
        checked_profile_id(profile_id),
        request.form.get("body", ""),
        author=current_user().actor,
        now=service.clock(),
    )
    tell(gettext("Your comment is kept."))
    return redirect(url_for(f"{CONSOLE}.profile", profile_id=profile_id), 303)


@blueprint.get("/profiles/<profile_id>/ledger")
@requires("profiles.read")
def profile_ledger(profile_id: str) -> str:
    with snapshot() as connection:
        found = require_profile(connection, checked_profile_id(profile_id))
        ledger = select_ledger_entries(
            connection,
            found.profile_id,
            before_entry_id=read_number(request.args.get("before")),
            limit=ENTRIES_A_PAGE + 1,
            moves_at_most=MOVES_TOLD,
        )
        names = select_author_names(connection, {each.author for each in ledger})
        pinned = pins_of_entries(connection, [each.ledger_entry_id for each in ledger])
    note_read(found.profile_id, "profile.read_history", current_reading())
    return render_template(
        "console/profile_ledger.html",
        profile=found,
        pinned=pinned,
        ledger=ledger[:ENTRIES_A_PAGE],
        next_before=_last_entry(ledger),
        names=names,
    )


@blueprint.get("/profiles/<profile_id>/as-of")
@requires("profiles.read")
def profile_as_of(profile_id: str) -> str:
    """As the profile was at a moment, in the time zone of the console."""
    moment = _moment()
    with snapshot() as connection:
        found = require_profile(connection, checked_profile_id(profile_id))
        past = select_past_profile(connection, profile_id, moment)
        later = select_past_profile(connection, found.profile_id, current_service().clock())
    reading = current_reading()
    note_read(found.profile_id, "profile.read_as_of", reading, moment=moment.isoformat())
    golden, identifiers = shown(past, reading)
    return render_template(
        "console/profile_as_of.html",
        profile=found,
        asked_id=profile_id,
        moment=moment,
        past=past,
        golden=golden,
        identifiers=identifiers,
        reading=reading,
        changed=_changed(past, later),
    )


def _facts(found: Profile, reading: Reading) -> Mapping[str, Any]:
    golden, identifiers = shown(found, reading)
    return {
        "profile": found,
        "golden": golden,
        "identifiers": identifiers[:IDENTIFIERS_AT_MOST],
        "identifiers_left_out": max(0, len(identifiers) - IDENTIFIERS_AT_MOST),
    }


def _changed(past: PastProfile, now: PastProfile) -> tuple[list[int], list[int]]:
    """Records that came since, and those that left."""
    then, today = set(past.record_ids), set(now.record_ids)
    return sorted(today - then), sorted(then - today)


def _graph(record_ids: Sequence[int], edges: Sequence[Edge]) -> Graph:
    nodes = {
        record_id: Node(record_id, *_on_circle(place, len(record_ids)))
        for place, record_id in enumerate(record_ids)
    }
    lines = [Line(nodes[low], nodes[high], weight) for low, high, weight in edges]
    return Graph(list(nodes.values()), lines)


def _on_circle(place: int, count: int) -> tuple[float, float]:
    angle = 2 * math.pi * place / count - math.pi / 2
    return round(160 + 115 * math.cos(angle), 1), round(140 + 110 * math.sin(angle), 1)


def _last_entry(ledger: Sequence[LedgerEntry]) -> int | None:
    return ledger[ENTRIES_A_PAGE - 1].ledger_entry_id if len(ledger) > ENTRIES_A_PAGE else None


def _moment() -> datetime:
    try:
        asked = datetime.fromisoformat(request.args.get("at", ""))
    except ValueError:
        raise PageError("invalid", gettext("Give a day and a time, such as 2026-11-20 12:00.")) from None
    if not _FIRST_YEAR <= asked.year <= _LAST_YEAR:
        raise PageError("invalid", gettext("Give a day and a time, such as 2026-11-20 12:00."))
    if asked.tzinfo is None:
        asked = asked.replace(tzinfo=ZoneInfo(current_service().settings.time_zone))
    return asked
