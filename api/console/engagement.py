"""What a person did and allows: consents, orders, carts and wish lists, and their events, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import marshmallow as ma
from flask import redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import requires
from api.console.blueprint import blueprint
from api.console.reading import Reading, current_reading, note_read
from api.console.states import PageError
from api.cursors import cut_page
from api.dumping import dumps_of
from api.engagement_schemas import CommerceSchema, ConsentSchema, engagement_document
from api.errors import Problem
from api.profiles import checked_profile_id
from api.snapshots import snapshot
from api.timeline import TimelineEventSchema, place_of, read_place
from api.view_schemas import StewardViewSchema
from cdp.engagement.profile_engagement import Engagement
from cdp.engagement.timeline import Position, TimelineEvent, select_timeline
from cdp.identity.profile_reads import require_profile

_ = lazy_gettext

SIZE = StewardViewSchema.size
EVENTS_ON_PROFILE = 8
EVENTS_A_PAGE = 50
_LISTED = "console timeline"
# Of what was sent with an event; the rest only counted.
PROPERTIES_TOLD = 12

EVENT_NAMES: dict[str, LazyString] = {
    "identify": _("told who they are"),
    "track": _("did something"),
    "page": _("saw a page"),
    "screen": _("saw a screen"),
    "group": _("named a group"),
    "alias": _("took another id"),
}
ORDER_STATES: dict[str, LazyString] = {
    "completed": _("completed"),
    "updated": _("updated"),
    "cancelled": _("cancelled"),
    "refunded": _("refunded"),
    "partially_refunded": _("partly refunded"),
}


class _DoneSchema(ma.Schema):
    """The sections of the steward's view, with its masks."""

    consents = ma.fields.List(ma.fields.Nested(ConsentSchema), required=True)
    commerce = ma.fields.Nested(CommerceSchema, required=True)


_DUMPS_OF_DONE = dumps_of(_DoneSchema())
_DUMPS_OF_EVENTS = dumps_of(TimelineEventSchema())


def shown_engagement(engagement: Engagement, reading: Reading) -> Mapping[str, Any]:
    return _DUMPS_OF_DONE[reading.unmask](engagement_document(engagement, None))


def shown_events(events: Sequence[TimelineEvent], reading: Reading) -> list[Mapping[str, Any]]:
    dump = _DUMPS_OF_EVENTS[reading.unmask]
    return [dump({**vars(event), "type": "event"}) for event in events]


@blueprint.get("/profiles/<profile_id>/timeline")
@requires("profiles.read")
def profile_timeline(profile_id: str) -> str | Response:
    with snapshot() as connection:
        found = require_profile(connection, checked_profile_id(profile_id))
        if found.profile_id != profile_id:
            return redirect(url_for(f"{CONSOLE}.profile_timeline", profile_id=found.profile_id), 303)
        events = select_timeline(connection, profile_id, before=_read_place(), limit=EVENTS_A_PAGE + 1)
    listed, next_cursor = cut_page(events, EVENTS_A_PAGE, lambda last: place_of(last, _LISTED))
    reading = current_reading()
    note_read(profile_id, "profile.read_timeline", reading)
    return render_template(
        "console/profile_timeline.html",
        profile=found,
        events=shown_events(listed, reading),
        event_names=EVENT_NAMES,
        properties_told=PROPERTIES_TOLD,
        next_cursor=next_cursor,
        reading=reading,
    )


def _read_place() -> Position | None:
    """Raises PageError for a cursor that is none of this list."""
    try:
        return read_place(request.args.get("cursor") or None, _LISTED)
    except Problem:
        raise PageError("invalid") from None
