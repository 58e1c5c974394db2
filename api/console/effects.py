"""What else a ruling would change, told before it is made: whether it takes two people, consents, and whom it is news
to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from api.service import current_service
from api.snapshots import snapshot
from cdp.engagement.consent import ConsentChange, consent_changes
from cdp.engagement.profile_engagement import select_consents_of
from cdp.privacy.masking import mask_telling
from cdp.stewardship.announcement import Announcement, announce, records_concerned
from cdp.stewardship.candidates import Candidate
from cdp.stewardship.desk_rules import desk_rules
from cdp.stewardship.four_eyes import why_two_for
from cdp.stewardship.members import select_sources_of
from cdp.stewardship.outcome import Outcome
from cdp.stewardship.proposals import Request
from cdp.stewardship.why_two import why_two


@dataclass(frozen=True)
class Effects:
    """why_two: some of REASONS_FOR_TWO, empty where one person is enough."""

    why_two: Sequence[str]
    consents: Sequence[ConsentChange]
    announcement: Announcement


def effects_of(outcome: Outcome, asked: Request | Candidate | None) -> Effects:
    """Of a preview. Asked: what is ruled, None for what one person may always do."""
    before = {each.profile_id: each.record_ids for each in outcome.before}
    after = {each.profile_id: each.record_ids for each in outcome.after}
    with snapshot() as connection:
        words = select_consents_of(connection, {each for ids in before.values() for each in ids})
        why = () if asked is None else _why_two(connection, asked)
        source_of = select_sources_of(connection, records_concerned(outcome))
    changes = consent_changes(words, before, after)
    consents = [replace(each, category=str(mask_telling(each.category))) for each in changes]
    return Effects(why, consents, announce(outcome, source_of))


def _why_two(connection: Any, asked: Request | Candidate) -> Sequence[str]:
    rules = desk_rules(current_service().settings)
    if isinstance(asked, Candidate):
        return why_two_for(connection, asked, rules)
    return why_two(connection, asked.profile_ids, rules, brings_together=asked.kind == "join")
