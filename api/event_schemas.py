"""What the outbox tells others of, in ids: the kinds of its events and what each carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import marshmallow as ma

from api.view_schemas import PROFILE_ID_EXAMPLE

_LEDGER_ENTRIES = {"description": "The entries of the ledger that say what moved.", "examples": [[17]]}
_PROFILES = {"description": "Whose version grew.", "examples": [[PROFILE_ID_EXAMPLE]]}


def _ids(description: str) -> ma.fields.List[str]:
    examples = [[PROFILE_ID_EXAMPLE]]
    return ma.fields.List(
        ma.fields.String(),
        metadata={"description": f"{description} Absent where there are none.", "examples": examples},
    )


class ProfileEventSchema(ma.Schema):
    profile_id = ma.fields.String(required=True, metadata={"examples": [PROFILE_ID_EXAMPLE]})
    state = ma.fields.String(required=True, metadata={"enum": ["live", "empty", "absorbed"]})
    version = ma.fields.Integer(required=True)
    record_count = ma.fields.Integer(required=True)
    ledger_entry_ids = ma.fields.List(ma.fields.Integer(), required=True, metadata=_LEDGER_ENTRIES)
    run_id = ma.fields.Integer(metadata={"description": "Of a batch resolution.", "examples": [3]})
    absorbed = _ids("Profiles whose ids lead here from now on.")
    parted_from = _ids("Profiles that it took records from.")
    parted_into = _ids("Profiles that took records from it.")
    revived = ma.fields.Boolean(metadata={"description": "True, or absent: an absorbed id that leads again."})


class RulingEventSchema(ma.Schema):
    action_id = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True, metadata={"examples": ["join"]})
    candidate_id = ma.fields.Integer()
    decision = ma.fields.String(metadata={"examples": ["same"]})
    undoes_action_id = ma.fields.Integer()
    undoes_entry_id = ma.fields.Integer()
    model_version = ma.fields.Integer()
    profile_ids = ma.fields.List(ma.fields.String(), required=True, metadata=_PROFILES)
    ledger_entry_ids = ma.fields.List(ma.fields.Integer(), required=True, metadata=_LEDGER_ENTRIES)


class ReportEventSchema(ma.Schema):
    report_id = ma.fields.Integer(required=True)
    type = ma.fields.String(required=True, metadata={"examples": ["phone"]})
    outcome = ma.fields.String(required=True, metadata={"examples": ["bounced"]})
    source = ma.fields.String(metadata={"examples": ["crm"]})
    profile_id = ma.fields.String(metadata={"examples": [PROFILE_ID_EXAMPLE]})
    model_version = ma.fields.Integer()
    profile_ids = ma.fields.List(ma.fields.String(), required=True, metadata=_PROFILES)
    ledger_entry_ids = ma.fields.List(ma.fields.Integer(), required=True, metadata=_LEDGER_ENTRIES)


class ImportEventSchema(ma.Schema):
    """The files of an import, and how many of their rows came to what."""

    class Meta:
        unknown = ma.INCLUDE

    imports = ma.fields.List(ma.fields.Integer(), required=True, metadata={"examples": [[1]]})


class MessagesEventSchema(ma.Schema):
    """Messages of a channel that were kept."""

    source = ma.fields.String(required=True, metadata={"examples": ["shop"]})
    event_ids = ma.fields.List(ma.fields.Integer(), required=True, metadata={"examples": [[41, 42]]})
    record_ids = ma.fields.List(ma.fields.Integer(), required=True, metadata={"examples": [[12]]})
    rejected_count = ma.fields.Integer(required=True, metadata={"examples": [0]})


class Event(NamedTuple):
    summary: str
    payload: type[ma.Schema]
    example: Mapping[str, Any]


_OF_PROFILE = {
    "profile_id": PROFILE_ID_EXAMPLE,
    "state": "live",
    "version": 4,
    "record_count": 3,
    "ledger_entry_ids": [17],
}
_OTHER = PROFILE_ID_EXAMPLE[:-1] + "q"
_OF_RULING = {"action_id": 7, "kind": "join", "profile_ids": [PROFILE_ID_EXAMPLE], "ledger_entry_ids": [17]}
_OF_REPORT = {
    "report_id": 5,
    "type": "phone",
    "outcome": "bounced",
    "profile_ids": [PROFILE_ID_EXAMPLE],
    "ledger_entry_ids": [],
}

EVENTS: Mapping[str, Event] = {
    "profile.created": Event("A profile is there", ProfileEventSchema, {**_OF_PROFILE, "version": 1}),
    "profile.joined": Event(
        "A profile absorbed others", ProfileEventSchema, {**_OF_PROFILE, "absorbed": [_OTHER]}
    ),
    "profile.split": Event(
        "A profile was parted", ProfileEventSchema, {**_OF_PROFILE, "parted_into": [_OTHER]}
    ),
    "profile.updated": Event("A profile changed otherwise", ProfileEventSchema, _OF_PROFILE),
    "stewardship.ruled": Event("A steward ruled", RulingEventSchema, _OF_RULING),
    "identifier.reported": Event("An identifier was reported", ReportEventSchema, _OF_REPORT),
    "identifier.report_withdrawn": Event("A report was withdrawn", ReportEventSchema, _OF_REPORT),
    "records.imported": Event("Files were imported", ImportEventSchema, {"imports": [1], "created": 200}),
    "events.received": Event(
        "Messages of a channel were kept",
        MessagesEventSchema,
        {"source": "shop", "event_ids": [41, 42], "record_ids": [12], "rejected_count": 0},
    ),
}
