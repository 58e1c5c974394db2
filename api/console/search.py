"""Search: which profiles what is known of a person could be of. It is sent in a form, never in an address."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import requires
from api.console.blueprint import blueprint
from api.console.languages import evidence_language
from api.console.reading import current_reading, note_read, shown
from api.profiles import checked_profile_id
from api.reading import NOBODY
from api.service import current_service
from api.snapshots import snapshot
from cdp.identity.profile_reads import require_profile
from cdp.realtime.incoming import RefusedRecordError
from cdp.realtime.search import NothingToSearchByError, Sought, search_profiles

PROFILES_AT_MOST = 20
# What a form has in one line, and a record as a list.
_LISTS = ("phones", "emails")
_SINGLE = ("full_name", "birth_date")


@blueprint.get("/search")
@requires("profiles.search")
def search() -> str:
    return _page({}, None)


@blueprint.post("/search")
@requires("profiles.search")
def post_search() -> str | Response | tuple[str, int]:
    """The likeliest first, each with its best pair taken apart."""
    service = current_service()
    asked = {name: value.strip() for name, value in request.form.items() if name != "csrf_token"}
    if profile_id := asked.get("profile_id"):
        return redirect(url_for(f"{CONSOLE}.profile", profile_id=checked_profile_id(profile_id)), 303)
    sought = Sought(_record(asked), service.settings.default_region, service.clock())
    try:
        with snapshot() as connection:
            found = search_profiles(
                connection,
                service.models,
                sought,
                language=evidence_language(),
                limit=PROFILES_AT_MOST,
            )
            profiles = {
                each.profile_id: require_profile(connection, each.profile_id) for each in found.profiles
            }
    except (NothingToSearchByError, RefusedRecordError) as error:
        return _page(asked, None, refused=error), 422
    reading = current_reading()
    ids = [each.profile_id for each in found.profiles]
    note_read(NOBODY, "profile.search", reading, fields=sorted(sought.values), profile_ids=ids)
    told = [(each, *shown(profiles[each.profile_id], reading)) for each in found.profiles]
    return _page(asked, told, refusals=found.refusals)


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
