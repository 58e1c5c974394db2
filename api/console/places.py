"""Where a form leads back to: pages of this console and nowhere else."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import current_app, request, url_for
from werkzeug.exceptions import HTTPException

from api.auth import CONSOLE

_PLACE = re.compile(rf"/{CONSOLE}/[A-Za-z0-9_/.?=&%+:-]*")


def wanted_place() -> str | None:
    """The page that a form or an address names in `next`."""
    wanted = request.values.get("next", "")
    return wanted if _PLACE.fullmatch(wanted) and ".." not in wanted and "//" not in wanted else None


def here_or_home() -> str:
    return wanted_place() or url_for(f"{CONSOLE}.home")


def page_before() -> str | None:
    """The page that led here, where it is another one and can be asked for again: forms' own addresses cannot."""
    given = urlsplit(request.referrer or "")
    place = given.path + (f"?{given.query}" if given.query else "")
    if given.netloc != request.host or not _PLACE.fullmatch(place) or place == request.full_path.rstrip("?"):
        return None
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None
    try:
        endpoint, _ = adapter.match(given.path, "GET")
    except HTTPException:
        return None
    return None if endpoint == f"{CONSOLE}.nothing_here" else place
