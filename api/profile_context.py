"""GET /v1/profiles/{profile_id}/context: what an agent needs now, small and of one moment."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import current_caller, requires_view
from api.dumping import dumps_of
from api.engagement_schemas import CartSchema, ConsentSchema, OrderSchema, engagement_document
from api.fields import InstantField, TextField
from api.inputs import ApiBlueprint
from api.masks import SHOWN, TEXT
from api.profile_views import json_response, locate
from api.profiles import checked_profile_id, profile_refused
from api.reading import audit_read, reading_inside
from api.service import current_service
from api.snapshots import snapshot
from api.view_schemas import PROFILE_ID_EXAMPLE
from cdp.engagement.profile_engagement import Size, select_engagement
from cdp.engagement.timeline import select_timeline
from cdp.identity.profile_reads import require_profile
from cdp.stewardship.profile_state import ALERTS, select_profile_state
from cdp.store.schema import EVENT_KINDS

_SIZE = Size(carts=1, orders=3, wish_lists=0, items=5)
_EVENTS = 5

blueprint = ApiBlueprint(
    "profile_context", __name__, url_prefix="/v1/profiles", description="What a contact begins with"
)


class ContextQuerySchema(ma.Schema):
    unmask = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "Whole values; needs the scope `pii:unmask` and the header CDP-Purpose."},
    )


class ContextEventSchema(ma.Schema):
    """What happened, in short; the timeline has the whole."""

    event_id = ma.fields.Integer(required=True)
    kind = TextField(SHOWN, required=True, metadata={"enum": list(EVENT_KINDS)})
    name = TextField(TEXT, required=True, allow_none=True, metadata={"examples": ["Product Added"]})
    occurred_at = InstantField(required=True, metadata={"format": "date-time"})
    source = TextField(SHOWN, required=True, metadata={"examples": ["web"]})


class AlertSchema(ma.Schema):
    """What to know before answering; docs/api.md says what each code asks for."""

    code = TextField(SHOWN, required=True, metadata={"enum": list(ALERTS)})
    since = InstantField(required=True, allow_none=True, metadata={"format": "date-time"})
    ledger_entry_id = ma.fields.Integer(required=True, allow_none=True)
    attributes = ma.fields.List(TextField(SHOWN, metadata={"examples": ["full_name"]}), required=True)


class ContextSchema(ma.Schema):
    profile_id = TextField(SHOWN, required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    version = ma.fields.Integer(required=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)
    masked = ma.fields.Boolean(required=True)
    display_name = TextField(TEXT, required=True, allow_none=True, metadata={"examples": ["Ana Reis"]})
    record_count = ma.fields.Integer(required=True)
    carts = ma.fields.List(
        ma.fields.Nested(CartSchema), required=True, metadata={"description": "The newest open one."}
    )
    orders = ma.fields.List(
        ma.fields.Nested(OrderSchema), required=True, metadata={"description": "The last three."}
    )
    consents = ma.fields.List(
        ma.fields.Nested(ConsentSchema), required=True, metadata={"description": "By category."}
    )
    recent_events = ma.fields.List(
        ma.fields.Nested(ContextEventSchema),
        required=True,
        metadata={"description": "The last five, newest first."},
    )
    open_candidate_count = ma.fields.Integer(
        required=True, metadata={"description": "Merge candidates of which it is one side."}
    )
    alerts = ma.fields.List(ma.fields.Nested(AlertSchema), required=True)


_DUMPS = dumps_of(ContextSchema())
_EXAMPLE = {
    "profile_id": PROFILE_ID_EXAMPLE,
    "version": 3,
    "model_version": 0,
    "masked": True,
    "display_name": "Ana Reis",
    "record_count": 2,
    "carts": [],
    "orders": [],
    "consents": [
        {
            "category": "Advertising",
            "granted": False,
            "asserted_at": "2026-11-20T12:00:00.000000Z",
            "source": "web",
        }
    ],
    "recent_events": [
        {
            "event_id": 81,
            "kind": "track",
            "name": "Product Added",
            "occurred_at": "2026-11-20T12:00:00.000000Z",
            "source": "web",
        }
    ],
    "open_candidate_count": 1,
    "alerts": [
        {
            "code": "recently_joined",
            "since": "2026-11-19T09:00:00.000000Z",
            "ledger_entry_id": 7,
            "attributes": [],
        }
    ],
}


@blueprint.get("/<profile_id>/context")
@requires_view()
@blueprint.doc(operationId="getProfileContext")
@blueprint.arguments(ContextQuerySchema(), location="query")
@blueprint.response(
    200,
    ContextSchema,
    description="All of one moment. An absorbed id answers with its survivor and Content-Location.",
    example=_EXAMPLE,
)
@profile_refused(blueprint)
def get_context(query: dict[str, Any], profile_id: str) -> Response:
    """What an agent needs now

    How to address the person, the open cart and the last orders, consents, the last events, and what is unsettled about
    who it is. A few rows of each, whatever there is. For keys with the agent's or the steward's view. A key that is
    bound to sources is told of events and candidates of those.
    """
    caller = current_caller()
    reading = reading_inside(unmask=query["unmask"])
    with snapshot() as connection:
        profile = require_profile(connection, checked_profile_id(profile_id), sources=caller.sources)
        engagement = select_engagement(connection, profile.profile_id, _SIZE)
        events = select_timeline(connection, profile.profile_id, limit=_EVENTS, sources=caller.sources)
        state = select_profile_state(
            connection, profile, sources=caller.sources, now=current_service().clock()
        )
    audit_read(profile.profile_id, "profile.read_context", reading)
    done = engagement_document(engagement, caller.sources)
    document = {
        "profile_id": profile.profile_id,
        "version": profile.version,
        "model_version": profile.model_version,
        "masked": not reading.unmask,
        "display_name": profile.golden.get("display_name", {}).get("value"),
        "record_count": profile.record_count,
        "carts": done["commerce"]["carts"],
        "orders": done["commerce"]["orders"],
        "consents": done["consents"],
        "recent_events": events,
        "open_candidate_count": state.open_candidate_count,
        "alerts": state.alerts,
    }
    response = json_response(_DUMPS[reading.unmask](document))
    return locate(response, profile, profile_id, "profile_context.get_context")
