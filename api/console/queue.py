"""The queue: what waits for a decision, narrowed and sorted as a whole, and answers to several at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, session, url_for
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.layout import tell
from api.console.numbers import read_number
from api.console.reading import current_reading, note_read
from api.console.rulings import make_order, read_reason
from api.console.states import STATES, PageError
from api.cursors import decode_place, encode_place
from api.errors import Problem
from api.reading import NOBODY
from api.service import current_service
from api.snapshots import snapshot
from cdp.identity.sources import select_sources
from cdp.staff.users import select_author_names, select_users
from cdp.stewardship.bulk import Chosen, decide_all
from cdp.stewardship.candidates import REASONS
from cdp.stewardship.claim import claim_next
from cdp.stewardship.desk_rules import desk_rules
from cdp.stewardship.quality import count_readable
from cdp.stewardship.queue import (
    SORTS,
    Position,
    QueueFilter,
    count_queue,
    select_queue_page,
)
from cdp.store.schema import IDENTIFIER_KINDS

_ = lazy_gettext

ITEMS_A_PAGE = 50
_ASKED = "queue"

SORT_NAMES: dict[str, LazyString] = {
    "priority": _("Priority"),
    "uncertainty": _("Uncertainty"),
    "weight": _("Weight"),
    "age": _("Age"),
    "due": _("Due date"),
    "size": _("Records"),
}
WHOSE: dict[str, LazyString] = {
    "mine": _("Open to me"),
    "claimed": _("Claimed by me"),
    "assigned": _("Assigned to me"),
    "unassigned": _("Assigned to nobody"),
    "second": _("For a second reader"),
    "confirm": _("For a second person"),
}


@dataclass(frozen=True)
class Asked:
    """What of the queue somebody asked to see; the next item after a decision comes from the same."""

    sort: str = "priority"
    order: str = ""
    reason: str = ""
    source: str = ""
    identifier: str = ""
    whose: str = ""
    assignee: str = ""
    least: str = ""
    most: str = ""
    records: str = ""

    def filter(self, author: str) -> QueueFilter:
        """Raises PageError for what is no number."""
        return QueueFilter(
            reason=self.reason or None,
            source=self.source or None,
            identifier_kind=self.identifier or None,
            assignee=self.assignee or {"assigned": author, "unassigned": ""}.get(self.whose),
            claimed_by=author if self.whose == "claimed" else None,
            second_reading=True if self.whose == "second" else None,
            awaits_confirmation=True if self.whose == "confirm" else None,
            least_weight=_bits(self.least),
            greatest_weight=_bits(self.most),
            fewest_records=read_number(self.records),
            reader=author if self.whose == "mine" else None,
        )

    def address(self) -> Mapping[str, str]:
        """As the address of the page names it; without what is not asked."""
        return {name: value for name, value in vars(self).items() if value and value != "priority"}


@blueprint.get("/queue")
@requires("queue.read")
def queue() -> str:
    service, author = current_service(), current_user().actor
    asked = _read_asked(request.args)
    session[_ASKED] = dict(asked.address())
    now, rules = service.clock(), desk_rules(service.settings)
    chosen = asked.filter(author)
    with snapshot() as connection:
        page = select_queue_page(
            connection,
            chosen,
            rules,
            sort=asked.sort,
            is_ascending=asked.order == "asc",
            after=_read_position(asked),
            limit=ITEMS_A_PAGE,
            now=now,
        )
        total = count_queue(connection, chosen, now=now)
        sources = sorted(select_sources(connection))
        users = select_users(connection)
        sample_count = count_readable(connection, author=author)
        people = {each.candidate.assignee for each in page.items} | {
            each.lease.owner for each in page.items if each.lease
        }
        names = select_author_names(connection, {each for each in people if each})
    ids = sorted({profile_id for each in page.items for profile_id in each.candidate.profile_ids})
    note_read(NOBODY, "profile.read_candidates", current_reading(), profile_ids=ids)
    return render_template(
        "console/queue.html",
        asked=asked,
        items=page.items,
        total=total,
        next_cursor=_encode_position(page.next_position, asked),
        names=names,
        sample_count=sample_count,
        now=now,
        choices={
            "sort": SORT_NAMES,
            "reason": REASONS,
            "source": sources,
            "identifier": IDENTIFIER_KINDS,
            "whose": WHOSE,
            "assignee": [(each.actor, each.name) for each in users],
        },
    )


@blueprint.post("/queue/next")
@requires("queue.decide")
def post_next() -> Response:
    """Take what comes first."""
    return to_next()


@blueprint.post("/queue/bulk")
@requires("queue.decide")
def post_bulk() -> str:
    """One answer to several items, each decided and undone by itself."""
    given = request.form.getlist("candidate_id")
    chosen = [number for each in given if (number := read_number(each)) is not None]
    decision = request.form.get("decision", "")
    if decision not in ("same", "different"):
        raise PageError("invalid")
    if not chosen:
        raise PageError("invalid", gettext("Choose items first."))
    if len(chosen) > ITEMS_A_PAGE:
        raise PageError("invalid")
    reason = read_reason()
    service, order = current_service(), make_order(reason)
    wanted = [Chosen(each, request.form.get(f"seen-{each}", "")) for each in chosen]
    results = decide_all(service.resolver(), wanted, decision, order, desk_rules(service.settings))
    return render_template(
        "console/bulk.html",
        results=results,
        decision=decision,
        refused=lambda error: STATES[error.reason].title if error.reason in STATES else error,
    )


def to_next() -> Response:
    """To the next item as the queue was asked for last, or to the queue when nothing is left."""
    service, author = current_service(), current_user().actor
    asked = _read_asked(session.get(_ASKED, {}))
    claimed = claim_next(
        service.store.engine(),
        desk_rules(service.settings),
        author=author,
        now=service.clock(),
        asked=asked.filter(author),
        sort=asked.sort,
        is_ascending=asked.order == "asc",
    )
    if claimed is None:
        tell(gettext("Nothing is left for you in this queue."))
        return redirect(_address(asked), 303)
    return redirect(url_for(f"{CONSOLE}.review", candidate_id=claimed.candidate.candidate_id), 303)


def _address(asked: Asked) -> str:
    given: dict[str, Any] = dict(asked.address())
    return url_for(f"{CONSOLE}.queue", **given)


def _read_asked(given: Mapping[str, str]) -> Asked:
    """Raises PageError for what there is not."""
    asked = Asked(**{each.name: given[each.name].strip() for each in fields(Asked) if each.name in given})
    known = {
        "sort": SORTS,
        "order": ("", "asc"),
        "reason": ("", *REASONS),
        "identifier": ("", *IDENTIFIER_KINDS),
        "whose": ("", *WHOSE),
    }
    if any(getattr(asked, name) not in allowed for name, allowed in known.items()):
        raise PageError("invalid")
    return asked


def _bits(text: str) -> float | None:
    if not text:
        return None
    try:
        bits = float(text.replace(",", "."))
    except ValueError:
        bits = float("nan")
    if not -1000 <= bits <= 1000:
        raise PageError("invalid", gettext("A weight is a number of bits, such as 2.5."))
    return bits


def _encode_position(position: Position | None, asked: Asked) -> str | None:
    if position is None:
        return None
    return encode_place(
        asked.sort, asked.order, position.sort_key, position.candidate_id, position.as_of.isoformat()
    )


def _read_position(asked: Asked) -> Position | None:
    """Raises PageError for a cursor of another order."""
    cursor = request.args.get("cursor")
    if not cursor:
        return None
    try:
        sort, order, sort_key, candidate_id, as_of = decode_place(cursor, str, str, float, int, str)
        moment = datetime.fromisoformat(as_of)
    except (Problem, ValueError):
        raise PageError("invalid") from None
    if (sort, order) != (asked.sort, asked.order) or moment.tzinfo is None or not 0 <= candidate_id < 2**63:
        raise PageError("invalid")
    return Position(sort_key, candidate_id, moment)
