"""GET /v1/profiles/{profile_id}/timeline: what a person did, newest first."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import current_caller, requires_view
from api.cursors import cut_page, decode_place_of, encode_place
from api.dumping import dumps_of
from api.errors import Problem
from api.fields import InstantField, MapField, TextField
from api.inputs import ApiBlueprint
from api.masks import CONTEXT, PROPERTIES, SHOWN, TEXT
from api.profile_views import json_response, locate
from api.profiles import RecordsQuerySchema, checked_profile_id, profile_refused
from api.reading import audit_read, reading_inside
from api.snapshots import snapshot
from api.view_schemas import PROFILE_ID_EXAMPLE
from cdp.engagement.timeline import Position, TimelineEvent, select_timeline
from cdp.identity.profile_reads import require_profile
from cdp.store.instants import format_instant, parse_instant
from cdp.store.schema import EVENT_KINDS

# The person themselves too: it is what they did.
_VIEWS = ("steward", "agent", "self")

blueprint = ApiBlueprint(
    "timeline", __name__, url_prefix="/v1/profiles", description="What people did, in order"
)


class TimelineEventSchema(ma.Schema):
    event_id = ma.fields.Integer(required=True)
    type = TextField(SHOWN, required=True, metadata={"enum": ["event"]})
    kind = TextField(SHOWN, required=True, metadata={"enum": list(EVENT_KINDS)})
    name = TextField(
        TEXT,
        required=True,
        allow_none=True,
        metadata={
            "description": "Of what happened, of the page or the screen.",
            "examples": ["Product Added"],
        },
    )
    occurred_at = InstantField(required=True, metadata={"format": "date-time"})
    received_at = InstantField(required=True, metadata={"format": "date-time"})
    source = TextField(SHOWN, required=True, metadata={"examples": ["web"]})
    record_id = ma.fields.Integer(required=True)
    properties = MapField(
        PROPERTIES,
        required=True,
        metadata={
            "description": "As sent. Masked, what may be of a person keeps a letter or its kind's mask.",
            "examples": [{"product_id": "p-1", "gift_note": "H***"}],
        },
    )
    context = MapField(
        CONTEXT,
        required=True,
        metadata={"description": "As sent; masked, what is only of the app and the device."},
    )


class PageOfTimelineSchema(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(TimelineEventSchema), required=True)
    next_cursor = TextField(SHOWN, required=True, allow_none=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)


_DUMPS = dumps_of(PageOfTimelineSchema())
_EXAMPLE = {
    "data": [
        {
            "event_id": 81,
            "type": "event",
            "kind": "track",
            "name": "Product Added",
            "occurred_at": "2026-11-20T12:00:00.000000Z",
            "received_at": "2026-11-20T12:00:01.000000Z",
            "source": "web",
            "record_id": 12,
            "properties": {"product_id": "p-1", "price": 250.0, "quantity": 1},
            "context": {},
        }
    ],
    "next_cursor": None,
    "model_version": 0,
}


@blueprint.get("/<profile_id>/timeline")
@requires_view()
@blueprint.doc(operationId="getProfileTimeline")
@blueprint.arguments(RecordsQuerySchema(), location="query")
@blueprint.response(
    200,
    PageOfTimelineSchema,
    description=f"Newest first. An absorbed id answers with its survivor, such as {PROFILE_ID_EXAMPLE}, "
    "and Content-Location.",
    example=_EXAMPLE,
)
@profile_refused(blueprint)
def get_timeline(query: dict[str, Any], profile_id: str) -> Response:
    """Its events

    All of them, newest first by when they happened; of the records that are the person's now, so that they follow when
    profiles join or part. For keys with the agent's, the steward's or the person's own view. A key that is bound to
    sources sees the events of those.
    """
    caller = current_caller()
    reading = reading_inside(unmask=query["unmask"], views=_VIEWS)
    with snapshot() as connection:
        profile = require_profile(connection, checked_profile_id(profile_id), sources=caller.sources)
        listed = f"timeline {profile.profile_id}"
        events = select_timeline(
            connection,
            profile.profile_id,
            before=read_place(query.get("cursor"), listed),
            limit=query["limit"] + 1,
            sources=caller.sources,
        )
    shown, next_cursor = cut_page(events, query["limit"], lambda last: place_of(last, listed))
    audit_read(profile.profile_id, "profile.read_timeline", reading)
    page = {
        "data": [{**vars(event), "type": "event"} for event in shown],
        "next_cursor": next_cursor,
        "model_version": profile.model_version,
    }
    response = json_response(_DUMPS[reading.unmask](page))
    return locate(response, profile, profile_id, "timeline.get_timeline", limit=query["limit"])


def place_of(event: TimelineEvent, listed: str) -> str:
    """The cursor of what follows the event, for `read_place`."""
    return encode_place(listed, format_instant(event.occurred_at), event.event_id)


def read_place(cursor: str | None, listed: str) -> Position | None:
    """The place itself and no event to look up: whether there is one of an id is nobody's to learn. Raises Problem."""
    if cursor is None:
        return None
    moment, event_id = decode_place_of(cursor, listed, str, int)
    try:
        return Position(parse_instant(moment), event_id if 0 <= event_id < 10**18 else 0)
    except ValueError:
        raise Problem("invalid_cursor") from None
