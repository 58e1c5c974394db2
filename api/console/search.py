"""Search: which profiles what is known of a person could be of, and what has a number, an id or a key.

It is sent in a form; what is found has an address that names nobody, so that one can go back to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import requires
from api.console.blueprint import blueprint
from api.console.languages import evidence_language
from api.console.layout import tell
from api.console.reading import current_reading, note_read, shown
from api.console.searches import keep_search, kept_search
from api.profiles import checked_profile_id
from api.reading import NOBODY
from api.service import current_service
from api.snapshots import snapshot
from cdp.identity.profile_reads import require_profile
from cdp.realtime.incoming import RefusedRecordError
from cdp.realtime.search import NothingToSearchByError, Sought, search_profiles
from cdp.stewardship.references import Numbered, select_numbered, select_profile_of_key

PROFILES_AT_MOST = 20
# What a form has in one line, and a record as a list.
_LISTS = ("phones", "emails")
_SINGLE = ("full_name", "birth_date")
_FIELDS = {*_LISTS, *_SINGLE, "document", "document_type", "reference"}

# Of items, decisions, entries and records, with or without its sign.
_NUMBER = re.compile(r"#?([0-9]{1,15})")


@dataclass(frozen=True)
class Place:
    """One of the things that have the same number."""

    name: str
    address: str


@blueprint.get("/search")
@requires("profiles.search")
def search() -> str:
    return _page({}, None)


@blueprint.post("/search")
@requires("profiles.search")
def post_search() -> Response:
    asked = {name: value.strip() for name, value in request.form.items() if name in _FIELDS and value.strip()}
    return redirect(_to("found", number=keep_search(asked)), 303)


@blueprint.get("/search/<int:number>")
@requires("profiles.search")
def found(number: int) -> str | Response | tuple[str, int]:
    """The likeliest first, each with its best pair taken apart."""
    service = current_service()
    asked = kept_search(number)
    if asked is None:
        tell(gettext("This search is not kept any more: search again."))
        return redirect(_to("search"), 303)
    if reference := asked.get("reference"):
        return _called(asked, reference)
    sought = Sought(_record(asked), service.settings.default_region, service.clock())
    try:
        with snapshot() as connection:
            result = search_profiles(
                connection,
                service.models,
                sought,
                language=evidence_language(),
                limit=PROFILES_AT_MOST,
            )
            profiles = {
                each.profile_id: require_profile(connection, each.profile_id) for each in result.profiles
            }
    except (NothingToSearchByError, RefusedRecordError) as error:
        return _page(asked, None, refused=error), 422
    reading = current_reading()
    ids = [each.profile_id for each in result.profiles]
    note_read(NOBODY, "profile.search", reading, fields=sorted(sought.values), profile_ids=ids)
    told = [(each, *shown(profiles[each.profile_id], reading)) for each in result.profiles]
    return _page(asked, told, refusals=result.refusals)


def _called(asked: dict[str, str], reference: str) -> str | Response:
    """To the one thing that is called so; a choice where several have the number."""
    if "/" in reference:
        with snapshot() as connection:
            profile_id = select_profile_of_key(connection, reference)
        places = [Place(gettext("Profile"), _to("profile", profile_id=profile_id))] if profile_id else []
        ids = [profile_id] if profile_id else []
        note_read(NOBODY, "profile.search", current_reading(), fields=["record_key"], profile_ids=ids)
    elif number := _NUMBER.fullmatch(reference):
        with snapshot() as connection:
            places = _places(select_numbered(connection, int(number[1])))
    else:
        return redirect(_to("profile", profile_id=checked_profile_id(reference)), 303)
    return redirect(places[0].address, 303) if len(places) == 1 else _page(asked, None, places=places)


def _places(found: Numbered) -> list[Place]:
    number, places = found.number, []
    if found.is_candidate:
        places.append(Place(gettext("Item of the queue"), _to("review", candidate_id=number)))
    if found.is_action:
        places.append(Place(gettext("Decision"), _to("actions", before=number + 1)))
    if found.entry_profile_id:
        address = _to("profile_ledger", profile_id=found.entry_profile_id, before=number + 1)
        places.append(Place(gettext("Entry of the ledger"), address))
    if found.record_profile_id:
        places.append(Place(gettext("Record"), _to("profile", profile_id=found.record_profile_id)))
    return places


def _to(page: str, **named: Any) -> str:
    return url_for(f"{CONSOLE}.{page}", **named)


def _page(asked: dict[str, str], found: Any, **more: Any) -> str:
    return render_template("console/search.html", asked=asked, found=found, **more)


def _record(asked: dict[str, str]) -> dict[str, object]:
    """What was typed, as a record has it."""
    record: dict[str, object] = {name: asked[name] for name in _SINGLE if asked.get(name)}
    for name in _LISTS:
        typed = [each.strip() for each in asked.get(name, "").replace(";", ",").split(",")]
        if any(typed):
            record[name] = [each for each in typed if each]
    if asked.get("document"):
        record["documents"] = [{"type": asked.get("document_type") or "cpf", "number": asked["document"]}]
    return record
