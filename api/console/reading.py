"""Whose values a page shows, masked or whole, and the audit of it.

Values are masked until somebody says why they need them whole: then for a few minutes, on the page they asked on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import g, redirect, request, session
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.places import here_or_home
from api.console.states import PageError
from api.dumping import dumps_of
from api.profile_schemas import RecordSchema
from api.service import current_service
from api.view_schemas import PersonSchema
from cdp.identity.profile_reads import MemberRecord
from cdp.privacy.audit import AuditEntry

_ = lazy_gettext

PURPOSE = "console"
REASONS: dict[str, LazyString] = {
    "decide": _("To decide on this item"),
    "contact": _("The person is in contact with us"),
    "check": _("To check a decision"),
    "mend": _("To mend a mistake in the data"),
}
_DUMPS_OF_PEOPLE = dumps_of(PersonSchema())
_DUMPS_OF_RECORDS = dumps_of(RecordSchema())
_REVEALED = "revealed"
_REVEALED_FOR = timedelta(minutes=10)
_REFERENCE = re.compile(r"[A-Za-z0-9._:-]{0,40}")


@dataclass(frozen=True)
class Reading:
    """unmask: whole values. purpose: as the audit keeps it."""

    unmask: bool
    purpose: str

    @property
    def masked(self) -> bool:
        return not self.unmask


# Without a reason; and whatever the reason, of what a page tells of other people than it is about.
MASKED = Reading(unmask=False, purpose=PURPOSE)


def current_reading() -> Reading:
    """Whole values where this page was asked for them, with a reason, and not long ago."""
    asked = session.get(_REVEALED)
    now = current_service().clock().timestamp()
    here = _people_of(request.path, request.args.getlist("profile_id"))
    if asked and asked.get("people") == here and now < asked["until"]:
        return Reading(True, asked["purpose"])
    return MASKED


@blueprint.post("/reveal")
@requires("values.reveal")
def post_reveal() -> Response:
    reason, reference = request.form.get("reason"), request.form.get("reference", "").strip()
    if reason not in REASONS or not _REFERENCE.fullmatch(reference):
        raise PageError("invalid")
    place = here_or_home()
    address = urlsplit(place)
    session[_REVEALED] = {
        "people": _people_of(address.path, parse_qs(address.query).get("profile_id", [])),
        "purpose": ":".join(filter(None, (PURPOSE, reason, reference))),
        "until": (current_service().clock() + _REVEALED_FOR).timestamp(),
    }
    return redirect(place, 303)


def _people_of(path: str, profile_ids: Sequence[str]) -> str:
    """A digest of what tells whom a page shows, since a cookie holds little: its path and the profiles it is asked for.
    An item and what a yes to it would do show the same people."""
    return hashlib.sha256(
        "\n".join([path.removesuffix("/effect"), *sorted(profile_ids)]).encode()
    ).hexdigest()


@blueprint.post("/mask")
@requires("values.reveal")
def post_mask() -> Response:
    session.pop(_REVEALED, None)
    return redirect(here_or_home(), 303)


def note_read(
    profile_id: str, action: str, reading: Reading, **details: str | int | Sequence[str] | None
) -> None:
    """Audit that somebody is shown a profile. Raises ReadAuditFullError: then nothing may be shown."""
    service = current_service()
    service.read_audit.add(
        AuditEntry(
            actor=current_user().actor,
            action=action,
            object_kind="profile",
            object_id=profile_id,
            recorded_at=service.clock(),
            details={
                "view": "steward",
                "unmasked": reading.unmask,
                "purpose": reading.purpose,
                "request_id": g.request_id,
                **details,
            },
        )
    )


def shown(profile: Any, reading: Reading) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Golden values and identifiers of anything that has them."""
    told = _DUMPS_OF_PEOPLE[reading.unmask](profile)
    return told["golden"], told["identifiers"]


def shown_record(record: MemberRecord, reading: Reading) -> Mapping[str, Any]:
    return _DUMPS_OF_RECORDS[reading.unmask](record)
