"""What a page says when it cannot show what was asked: what happened, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString


@dataclass(frozen=True)
class State:
    """One way in which a page fails: its HTTP status, what happened, what to do."""

    status: int
    title: LazyString
    advice: LazyString


_ = lazy_gettext

STATES: dict[str, State] = {
    "forbidden": State(
        403,
        _("Your role does not include this."),
        _("Ask a lead or an administrator, or go on with the queue."),
    ),
    "not_found": State(404, _("There is nothing at this address."), _("Check the address, or search.")),
    "profile_not_found": State(
        404, _("There is no such profile."), _("Check the id, or search for the person.")
    ),
    "profile_erased": State(
        410,
        _("This profile was erased."),
        _("Its values are gone for good, at the wish of the person. Nothing is left to decide."),
    ),
    "candidate_not_found": State(404, _("There is no such item in the queue."), _("Go back to the queue.")),
    "candidate_closed": State(
        409,
        _("Somebody decided this item already."),
        _("Nothing of what you entered was kept. Look at the decision, or go on with the next item."),
    ),
    "candidate_withdrawn": State(
        409,
        _("This item is not asked any more."),
        _(
            "Nothing was decided: records changed, and the service knows the answer now. Go on with the next item."
        ),
    ),
    "candidate_changed": State(
        412,
        _("This item changed while you looked at it."),
        _("Nothing was decided. Look at it again: a new record may have come or a profile changed."),
    ),
    "candidate_claimed": State(
        409,
        _("Somebody else works on this item."),
        _("Nothing was decided. Go on with the next item, or come back later."),
    ),
    "claim_missing": State(
        409,
        _("Your claim of this item ran out."),
        _("Nothing was decided. Take the item again, look at it, and decide."),
    ),
    "second_reader_needed": State(
        409,
        _("You left this item as unsure."),
        _("Somebody else decides it. To decide it yourself, take your answer back first."),
    ),
    "second_person_needed": State(
        409,
        _("Your answer waits for a second person."),
        _("Somebody else has to decide this item too; until then nothing is joined."),
    ),
    "proposal_not_found": State(
        404, _("There is no such ruling that waits."), _("Go back to what waits for a second person.")
    ),
    "proposal_ended": State(
        409,
        _("This ruling does not wait any more."),
        _("Somebody confirmed, refused or withdrew it already. Nothing was changed now."),
    ),
    "proposal_changed": State(
        409,
        _("The profiles changed since this was asked for."),
        _("Nothing was changed. Look at the profiles as they are now, and ask for it anew."),
    ),
    "already_frozen": State(
        409, _("This profile is frozen."), _("Take the freeze back first, or leave it as it is.")
    ),
    "not_frozen": State(409, _("This profile is not frozen."), _("There is nothing to take back.")),
    "confirmation_not_found": State(
        409, _("No answer of yours waits here."), _("It was confirmed, overruled or taken back already.")
    ),
    "sample_not_found": State(
        409,
        _("This pair is not there for you to read."),
        _("Somebody else read it already, or you decided it yourself. Take the next one."),
    ),
    "pin_unusable": State(
        422,
        _("This value cannot be pinned."),
        _("Choose a record of the profile that gives a value for the attribute."),
    ),
    "comment_unusable": State(
        422, _("The comment is empty or too long."), _("Write up to 2,000 characters and send it again.")
    ),
    "ruling_refused": State(
        409, _("The service refused this decision."), _("Nothing was changed. Look at the item again.")
    ),
    "constraint_conflict": State(
        409,
        _("A decision in force says the opposite."),
        _("Take that decision back first, then decide again."),
    ),
    "already_undone": State(409, _("This was taken back already."), _("Nothing is left to undo.")),
    "ruled_on_since": State(
        409,
        _("A later decision builds on this one."),
        _("Take the later decision back first."),
    ),
    "nothing_to_undo": State(
        409, _("There is nothing to undo here."), _("This entry brought nobody together and parted nobody.")
    ),
    "profiles_are_one": State(
        409, _("These are one profile already."), _("Nothing is left to decide: go on with the next item.")
    ),
    "split_unusable": State(
        422,
        _("These records cannot be taken out."),
        _("Choose some of the profile's records and leave some, then try again."),
    ),
    "not_apart": State(
        422,
        _("This profile does not come apart this way."),
        _(
            "No decision holds its records together, its evidence does: take it apart into its records, or some out."
        ),
    ),
    "too_many_pairs": State(
        422,
        _("This is about too many records at once."),
        _("Choose fewer records and go step by step."),
    ),
    "invalid": State(
        422,
        _("Something in the form is missing or out of bounds."),
        _("Go back, correct it and send it again."),
    ),
    "form_expired": State(
        400,
        _("This form is not valid any more."),
        _(
            "Nothing was changed. Reload the page and try again. If it happens again, your browser may be "
            "refusing the cookie of this service."
        ),
    ),
    "passwords_off": State(
        403,
        _("Nobody signs in here with a password."),
        _("Go back and sign in with your organization's account."),
    ),
    "sign_in_mismatch": State(
        400,
        _("This sign-in was not begun in this browser."),
        _(
            "Nobody was signed in. Begin again from the sign-in page, in one window. If it happens again, your "
            "browser may be refusing the cookie of this service."
        ),
    ),
    "sign_in_stale": State(
        400, _("This sign-in is too old or was used already."), _("Begin again from the sign-in page.")
    ),
    "sign_in_declined": State(
        403,
        _("The sign-in was not allowed."),
        _("You or your organization said no. Begin again, or ask who manages your organization's accounts."),
    ),
    "identity_unverified": State(
        403,
        _("What the sign-in service said of you could not be verified."),
        _("Nobody was signed in. Begin again; if it lasts, give the number below to an administrator."),
    ),
    "identity_unknown": State(
        403,
        _("You are known there, and no account here is yours."),
        _("Ask an administrator to make one, and tell them the line below."),
    ),
    "account_closed": State(
        403, _("Your account is closed."), _("Ask an administrator if you should have one again.")
    ),
    "provider_refused": State(
        502,
        _("The sign-in service refused this console."),
        _("Give the number below to an administrator: its settings there or here are wrong."),
    ),
    "provider_unreachable": State(
        503,
        _("The sign-in service cannot be reached."),
        _("Try again in a minute. If you have a password here, sign in with it."),
    ),
    "too_many": State(
        429,
        _("Too many requests came from you or your network."),
        _("Nothing was done. Wait a little, then go on where you were."),
    ),
    "refused": State(400, _("The request was refused."), _("Go back and try again.")),
    "too_large": State(
        409,
        _("This takes too long to wait for in a browser."),
        _("So many records are resolved by the command `cdp model activate`, with --dry-run first."),
    ),
    "busy": State(503, _("The store is busy."), _("Nothing was changed. Try again in a few seconds.")),
    "unavailable": State(
        503,
        _("The service cannot answer now."),
        _("Nothing was changed. Try again in a moment; if it lasts, tell an administrator."),
    ),
    "not_resolved": State(
        503,
        _("The profiles are being prepared."),
        _("An administrator has to run `cdp resolve` first."),
    ),
    "not_shown": State(
        500,
        _("Something went wrong in the service."),
        _(
            "Nothing was changed. Try again in a moment; if it lasts, give the number below to an administrator."
        ),
    ),
    "failed": State(
        500,
        _("Something went wrong in the service."),
        _("It may not have been done. Look before you try again; give the number below to an administrator."),
    ),
}


class PageError(Exception):
    """Raised by views; detail: what happened this time, in the reader's words."""

    def __init__(self, state: str, detail: str | None = None) -> None:
        super().__init__(state)
        self.state = state
        self.detail = detail
