"""Where a form leads back to: pages of this console and nowhere else."""

from __future__ import annotations

import re

from flask import request, url_for

from api.auth import CONSOLE

_PLACE = re.compile(rf"/{CONSOLE}/[A-Za-z0-9_/.?=&%+:-]*")


def wanted_place() -> str | None:
    """The page that a form or an address names in `next`."""
    wanted = request.values.get("next", "")
    return wanted if _PLACE.fullmatch(wanted) and ".." not in wanted and "//" not in wanted else None


def here_or_home() -> str:
    return wanted_place() or url_for(f"{CONSOLE}.home")
