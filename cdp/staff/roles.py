"""What each role may do in the console: the one table that pages and actions ask."""

from __future__ import annotations

from collections.abc import Mapping

from cdp.store.staff_schema import STAFF_ROLES

ROLES = STAFF_ROLES
_EVERYONE = frozenset(ROLES)
_LEADS = frozenset({"lead", "admin"})
_ADMINS = frozenset({"admin"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    # One's own account, and where to begin.
    "account": _EVERYONE,
    "home.read": _EVERYONE,
    # The queue, and who works on what of it.
    "queue.read": _EVERYONE,
    "queue.decide": _EVERYONE,
    "queue.lead": _LEADS,
    # People: found, read, taken apart, and seen without masks for a reason.
    "profiles.search": _EVERYONE,
    "profiles.read": _EVERYONE,
    "profiles.rule": _EVERYONE,
    "values.reveal": _EVERYONE,
    # Who looked at whom, and did what.
    "audit.read": _LEADS,
    # What decides for everybody.
    "model.read": _EVERYONE,
    "model.activate": _ADMINS,
    "settings.read": _LEADS,
    "users.manage": _ADMINS,
}


def may(role: str, permission: str) -> bool:
    """Raises KeyError for what is no permission: a page that asks for one is wrong, not its reader."""
    return role in PERMISSIONS[permission]
