"""Who reads what of a profile: the view, whole values or masked, what for, and the audit of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma

from api.auth import current_caller
from api.context import current_notes
from api.errors import Problem
from api.inputs import read_purpose
from api.service import current_service
from api.view_schemas import REFERENCE
from cdp.privacy.audit import AuditEntry
from cdp.privacy.keys import VIEWS, Caller

# Whom the audit names where a read is of no profile in particular.
NOBODY = "none"
# What a profile is made of, and why, is for those who look after it.
_INSIDE_VIEWS = ("steward", "agent")


class ViewQuerySchema(ma.Schema):
    view = ma.fields.String(
        validate=ma.validate.OneOf(VIEWS),
        metadata={"description": "By default the key's only view, else `agent`."},
    )
    unmask = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "Whole values; needs the scope `pii:unmask` and the header CDP-Purpose."},
    )


@dataclass(frozen=True)
class Reading:
    """What a caller asks to see, once it is known that they may: view, whole values or masked, what for."""

    view: str
    unmask: bool
    purpose: str | None


def choose_reading(caller: Caller, query: Mapping[str, Any], *, needs_view: bool) -> Reading:
    """Raises Problem: a view that the key may not read is not found, like a profile that there is not."""
    readable = caller.readable_views
    view = query.get("view")
    if view is None:
        view = readable[0] if len(readable) == 1 else "agent"
        if view not in readable and len(readable) > 1:
            detail = f"This key has several views; name one of {', '.join(readable)}."
            raise Problem("validation_failed", errors=[{"pointer": "/query/view", "detail": detail}])
        if not readable and not needs_view:
            view = REFERENCE
    if view != REFERENCE and view not in readable:
        raise Problem("profile_not_found")
    return Reading(view, *read_unmasking(caller, unmask=query["unmask"]))


def read_unmasking(caller: Caller, *, unmask: bool) -> tuple[bool, str | None]:
    """Whether to unmask, and the purpose. Raises Problem when the caller may not or gives no purpose."""
    purpose = read_purpose()
    if unmask and not caller.has_scope("pii:unmask"):
        raise Problem("scope_missing", "It needs pii:unmask.")
    if unmask and purpose is None:
        raise Problem("purpose_required")
    return unmask, purpose


def reading_inside(*, unmask: bool, views: Sequence[str] = _INSIDE_VIEWS) -> Reading:
    """Raises Problem: profile_not_found for keys without a view that goes inside."""
    caller = current_caller()
    readable = [view for view in views if caller.may_read_view(view)]
    if not readable:
        raise Problem("profile_not_found")
    return Reading(readable[0], *read_unmasking(caller, unmask=unmask))


def audit_read(
    profile_id: str, action: str, reading: Reading, **details: str | int | list[str] | None
) -> None:
    """Note who read what for which purpose. Raises ReadAuditFullError: then nothing may be shown."""
    service = current_service()
    service.read_audit.add(
        AuditEntry(
            actor=f"key:{current_caller().key_id}",
            action=action,
            object_kind="profile",
            object_id=profile_id,
            recorded_at=service.clock(),
            details={
                "view": reading.view,
                "unmasked": reading.unmask,
                "purpose": reading.purpose,
                "request_id": current_notes().request_id,
                **details,
            },
        )
    )
