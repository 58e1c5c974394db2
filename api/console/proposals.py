"""What waits for a second person: joins, splits and taking apart, and answers to items of the queue."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from api.auth import CONSOLE
from api.console.access import current_user, requires
from api.console.blueprint import blueprint
from api.console.layout import tell
from api.console.numbers import read_number
from api.console.reading import current_reading, note_read
from api.console.rulings import make_order, read_own_words, read_reason, show_preview
from api.reading import NOBODY
from api.service import current_service
from api.snapshots import snapshot
from cdp.staff.users import select_author_names
from cdp.stewardship.confirmations import select_all_pending
from cdp.stewardship.proposals import Proposal, require_proposal, select_open
from cdp.stewardship.rule_together import confirm_proposal, is_current, refuse_proposal

_ = lazy_gettext

PROPOSALS_A_PAGE = 50
TITLES: dict[str, LazyString] = {
    "join": _("Join these profiles?"),
    "split": _("Take these records out?"),
    "take_apart": _("Take this profile apart?"),
}


@blueprint.get("/proposals")
@requires("profiles.read")
def proposals() -> str:
    after = read_number(request.args.get("after")) or 0
    with snapshot() as connection:
        found = select_open(connection, after_proposal_id=after, limit=PROPOSALS_A_PAGE + 1)
        listed = [(each, is_current(connection, each)) for each in found[:PROPOSALS_A_PAGE]]
        answers = select_all_pending(connection)[:PROPOSALS_A_PAGE] if not after else []
        authors = {each.author for each, _ in listed} | {each.author for each in answers}
        names = select_author_names(connection, authors)
    ids = sorted({profile_id for each, _ in listed for profile_id in each.profile_ids})
    note_read(NOBODY, "profile.read_proposals", current_reading(), profile_ids=ids)
    return render_template(
        "console/proposals.html",
        proposals=listed,
        answers=answers,
        next_after=listed[-1][0].proposal_id if len(found) > PROPOSALS_A_PAGE else None,
        names=names,
        me=current_user().actor,
    )


@blueprint.get("/proposals/<int:proposal_id>")
@requires("profiles.rule")
def preview_proposal(proposal_id: int) -> str:
    """What would come of it, and the second person's word."""
    with snapshot() as connection:
        proposal = require_proposal(connection, proposal_id)
    resolver = current_service().resolver()
    outcome = confirm_proposal(resolver, proposal_id, make_order("preview", is_preview=True))
    return show_preview(
        outcome,
        title=str(TITLES[proposal.kind]),
        action=url_for(f"{CONSOLE}.post_confirmation", proposal_id=proposal_id),
        fields=[],
        pins=proposal.pins,
        back=url_for(f"{CONSOLE}.proposals"),
    )


@blueprint.post("/proposals/<int:proposal_id>/confirm")
@requires("profiles.rule")
def post_confirmation(proposal_id: int) -> Response:
    order = make_order(read_reason())
    outcome = confirm_proposal(current_service().resolver(), proposal_id, order)
    tell(gettext("The ruling is confirmed and has its effect."), undo=outcome.action_id)
    return _to_proposals()


@blueprint.post("/proposals/<int:proposal_id>/refuse")
@requires("profiles.rule")
def post_refusal(proposal_id: int) -> Response:
    """Refused, or withdrawn by its author."""
    service, author = current_service(), current_user().actor
    reason = read_own_words()
    ended: Proposal = refuse_proposal(
        service.store.engine(), proposal_id, author=author, reason=reason, now=service.clock()
    )
    told: dict[str, Any] = {
        "withdrawn": gettext("Your ruling does not wait any more."),
        "refused": gettext("The ruling was refused and came to nothing."),
    }
    tell(told[ended.outcome or "refused"])
    return _to_proposals()


def _to_proposals() -> Response:
    return redirect(url_for(f"{CONSOLE}.proposals"), 303)
