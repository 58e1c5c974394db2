"""What a decision on a merge candidate says: the answer, the values it pins, and the candidate as it was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import request

from api.auth import current_caller
from api.errors import Problem
from api.rulings import PinsSchema, ReasonSchema
from cdp.stewardship.candidates import DECISIONS


class DecisionSchema(ReasonSchema):
    decision = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(DECISIONS),
        metadata={
            "description": "`same` joins the profiles; `different` keeps them apart for good; `unsure` gives the "
            "candidate to a second person, and when that one cannot tell either, it rests until another model or a "
            "newer record proposes it."
        },
    )


class DecisionOnOneSchema(DecisionSchema):
    pins = ma.fields.Nested(
        PinsSchema,
        metadata={
            "description": "With `same`: values that the golden record shows while the decision stands, attribute to a "
            "record of the two profiles that gives it. Needs the scope `profiles:join` too. Without `pins`, a second "
            "person confirms those that wait.",
            "examples": [{"full_name": 12}],
        },
    )


def read_pins(body: Mapping[str, Any]) -> Mapping[str, int] | None:
    """None for none given. Raises Problem: who may pin nothing by itself does not with a decision."""
    pins: Mapping[str, int] | None = body.get("pins")
    if pins is not None and not current_caller().has_scope("profiles:join"):
        raise Problem("scope_missing", "Pins need the scope profiles:join: ask for it, or leave them out.")
    return pins


def read_seen() -> set[str]:
    """The strong tags of If-Match. Raises Problem for none, and for one that would fit whatever there is."""
    if not request.headers.get("If-Match"):
        raise Problem("precondition_required")
    if request.if_match.star_tag:
        raise Problem("precondition_required", "`*` names no version: send the ETag of the candidate.")
    return set(request.if_match.as_set())
