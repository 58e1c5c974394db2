"""A profile as an answer: the fields of the view that is read, and where the answer lives.

Identifiers, birth dates, streets and free attributes are masked in all views unless the caller may unmask and says what
for. Every answer is audited.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Response, url_for
from werkzeug.datastructures import Headers
from werkzeug.urls import iri_to_uri

from api.auth import current_caller
from api.context import current_request
from api.dumping import dumps_of
from api.engagement_schemas import engagement_document
from api.reading import Reading, audit_read
from api.snapshots import snapshot
from api.view_schemas import PROFILE_ID_EXAMPLE, REFERENCE, VIEW_SCHEMAS
from cdp.engagement.profile_engagement import NOTHING_DONE, select_engagement
from cdp.identity.profile_reads import Profile
from cdp.stewardship.actions import BY_SOURCE

_DUMPS = {name: dumps_of(schema) for name, schema in VIEW_SCHEMAS.items()}


# Attribute to the value that was chosen, with where it comes from.
Golden = Mapping[str, Mapping[str, Any]]


def answer_view(profile: Profile, reading: Reading, *, found_by: str) -> Response:
    """The view as a response with its ETag; 304 when the caller has it. The read is audited first."""
    audit_read(profile.profile_id, "profile.read", reading, found_by=found_by)
    document = _document(profile, reading, current_caller().sources)
    response = json_response(_DUMPS[reading.view][reading.unmask](document))
    # Of the body itself: view, mask and the key's sources shape it as much as the version does.
    etag = hashlib.sha256(response.get_data()).hexdigest()[:32]
    request = current_request()
    if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(etag):
        response = Response(status=304)
    response.set_etag(etag)
    return response


class JsonResponse(Response):
    """An answer with a body, whose headers go out as they are set: werkzeug copies those of each answer, to mend
    addresses and lengths that these have right."""

    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        return self.headers


def json_response(document: Any, status: int = 200) -> Response:
    return JsonResponse(orjson.dumps(document), status, content_type="application/json")


def locate(
    response: Response, profile: Profile, asked_id: str | None, endpoint: str, **query: Any
) -> Response:
    """Where the answer lives, when that is not the address that was asked."""
    if asked_id != profile.profile_id:
        address = _address(endpoint, current_request().script_root).replace(
            PROFILE_ID_EXAMPLE, profile.profile_id
        )
        asked = urlencode({name: value for name, value in query.items() if value is not None}, doseq=True)
        response.headers.add("Content-Location", f"{address}?{asked}" if asked else address)
    return response


@lru_cache(maxsize=64)
def _address(endpoint: str, _root: str) -> str:
    """Of the example, under the root of the request: Flask makes it as slowly as the store finds a profile."""
    return iri_to_uri(url_for(endpoint, profile_id=PROFILE_ID_EXAMPLE))


def _document(profile: Profile, reading: Reading, sources: Collection[str] | None) -> dict[str, Any]:
    document = {
        **vars(profile),
        "view": reading.view,
        "masked": not reading.unmask,
        "golden": of_sources(profile.golden, sources),
    }
    if reading.view == REFERENCE:
        return document
    engagement = NOTHING_DONE
    if profile.has_engagement:
        with snapshot() as connection:
            engagement = select_engagement(connection, profile.profile_id, VIEW_SCHEMAS[reading.view].size)
    return document | engagement_document(engagement, sources)


def of_author(author: str, sources: Collection[str] | None) -> str:
    """Of an entry in the ledger, for a key that is bound to sources: other ones have no names."""
    head, colon, source = author.partition(":")
    is_hidden = f"{head}{colon}" == BY_SOURCE and sources is not None and source not in sources
    return head if is_hidden else author


def of_sources(golden: Golden, sources: Collection[str] | None) -> Golden:
    """A key that is bound to sources is not told which other ones know the person."""
    if sources is None:
        return golden
    shown: dict[str, Mapping[str, Any]] = {}
    for attribute, chosen in golden.items():
        if attribute == "attributes":
            shown[attribute] = {**chosen, "value": of_sources(chosen["value"], sources)}
        elif chosen.get("source") in sources or "source" not in chosen:
            shown[attribute] = chosen
        else:
            shown[attribute] = {**chosen, "source": None, "source_record_id": None}
    return shown
