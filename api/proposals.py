"""GET /v1/proposals, POST /v1/proposals/{proposal_id}/confirmation, refusal: rulings that wait for a second person."""

from __future__ import annotations

from functools import partial
from typing import Any

import marshmallow as ma
from flask import Response

from api.auth import require_unbound, requires_scope
from api.cursors import cut_page, decode_cursor, encode_cursor
from api.dumping import dump_of
from api.fields import TextField
from api.idempotency import (
    KEY_RUNNING,
    OPTIONAL_IDEMPOTENCY_HEADER,
    REPLAYED,
    REQUIRED_IDEMPOTENCY_HEADER,
    answer_work,
    key_refused,
)
from api.inputs import ApiBlueprint, PageSchema, read_purpose
from api.masks import SHOWN
from api.profile_views import json_response
from api.reading import NOBODY, Reading, audit_read
from api.rulings import (
    ProposalSchema,
    ReasonSchema,
    RulingQuerySchema,
    RulingSchema,
    answer_ruling,
    read_number,
    read_order,
    read_ruling_unmasking,
    told_proposal,
)
from api.service import current_service
from api.snapshots import snapshot
from api.view_schemas import REFERENCE
from cdp.idempotency import Once
from cdp.identity.resolution_runs import select_version_in_use
from cdp.stewardship.proposals import Proposal, select_open
from cdp.stewardship.rule_together import confirm_proposal, is_current, refuse_proposal

blueprint = ApiBlueprint(
    "proposals", __name__, url_prefix="/v1/proposals", description="Rulings that wait for a second person"
)


class ListedProposalSchema(ProposalSchema):
    is_current = ma.fields.Boolean(
        required=True,
        metadata={"description": "false when the profiles changed since: nobody confirms it then."},
    )


class PageOfProposalsSchema(ma.Schema):
    data = ma.fields.List(ma.fields.Nested(ListedProposalSchema(exclude=["model_version"])), required=True)
    next_cursor = TextField(SHOWN, required=True, allow_none=True)
    model_version = ma.fields.Integer(required=True, allow_none=True)


_dump_proposal = dump_of(ProposalSchema())
_dump_proposals = dump_of(PageOfProposalsSchema())
_not_found = blueprint.refuses(404, "No such proposal")


@blueprint.get("")
@requires_scope("candidates:read")
@blueprint.doc(operationId="getProposals")
@blueprint.arguments(PageSchema(), location="query")
@blueprint.response(200, PageOfProposalsSchema)
def get_proposals(query: dict[str, Any]) -> Response:
    """Joins, splits and taking apart that wait for a second person

    The oldest first, without values of persons. Decisions on candidates wait with their candidates. The read is
    audited.
    """
    _require_unbound()
    reading = Reading(REFERENCE, False, read_purpose())
    with snapshot() as connection:
        found = select_open(
            connection,
            after_proposal_id=decode_cursor(query.get("cursor"), "proposals") or 0,
            limit=query["limit"] + 1,
        )
        shown, next_cursor = cut_page(
            found, query["limit"], lambda last: encode_cursor("proposals", last.proposal_id)
        )
        told = [{**told_proposal(each), "is_current": is_current(connection, each)} for each in shown]
        model_version = select_version_in_use(connection)
    ids = sorted({profile_id for each in shown for profile_id in each.profile_ids})
    audit_read(NOBODY, "profile.read_proposals", reading, profile_ids=ids)
    page = {
        "data": told,
        "next_cursor": next_cursor,
        "model_version": model_version,
    }
    return json_response(_dump_proposals(page))


@blueprint.post("/<proposal_id>/confirmation")
@requires_scope("profiles:join")
@blueprint.doc(operationId="confirmProposal", parameters=[REQUIRED_IDEMPOTENCY_HEADER])
@blueprint.arguments(ReasonSchema())
@blueprint.arguments(RulingQuerySchema(), location="query")
@blueprint.response(200, RulingSchema, headers=REPLAYED)
@_not_found
@blueprint.refuses(
    409,
    "It ended, it is this caller's own, its profiles changed since, or a ruling in force says the opposite: "
    f"`action_ids`. {KEY_RUNNING}",
)
@key_refused(blueprint, is_required=True)
def post_confirmation(body: dict[str, Any], query: dict[str, Any], proposal_id: str) -> Response:
    """Confirm what another one proposed

    It has its effect, as this caller's ruling. `dry_run=true` tells what would come of it.
    """
    order = read_order(body["reason"], dry_run=query["dry_run"])
    reading = read_ruling_unmasking(unmask=query["unmask"])
    chosen = read_number(proposal_id, "proposal_not_found")
    return answer_ruling(partial(confirm_proposal, current_service().resolver(), chosen), order, reading)


@blueprint.post("/<proposal_id>/refusal")
@requires_scope("profiles:join")
@blueprint.doc(operationId="refuseProposal", parameters=[OPTIONAL_IDEMPOTENCY_HEADER])
@blueprint.arguments(ReasonSchema())
@blueprint.response(200, ProposalSchema, headers=REPLAYED)
@_not_found
@blueprint.refuses(409, f"It ended already. {KEY_RUNNING}")
@key_refused(blueprint, is_required=False)
def post_refusal(body: dict[str, Any], proposal_id: str) -> Response:
    """Refuse what another one proposed, or withdraw one's own

    It comes to nothing. Safe to repeat.
    """
    service, caller = current_service(), _require_unbound()
    chosen = read_number(proposal_id, "proposal_not_found")
    with snapshot() as connection:
        model_version = select_version_in_use(connection)

    def refuse(once: Once[Proposal] | None) -> Proposal:
        return refuse_proposal(
            service.store.engine(),
            chosen,
            author=f"key:{caller}",
            reason=body["reason"].strip(),
            now=service.clock(),
            once=once,
        )

    def respond(ended: Proposal) -> Response:
        return json_response(_dump_proposal({**told_proposal(ended), "model_version": model_version}))

    return answer_work(refuse, respond)


def _require_unbound() -> str:
    """The caller's key: who rules about people of all sources is bound to none."""
    return require_unbound("A key that is bound to sources rules on nobody.").key_id
