"""Why a ruling is refused. Each error names the ids concerned and says what to do instead."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cdp.errors import CdpError


class RulingRefusedError(CdpError):
    """The root of these; action_ids: the rulings to undo first, where that would help."""

    @property
    def action_ids(self) -> list[str | int]:
        return []


class RuledOtherwiseError(RulingRefusedError):
    """Other rulings stand in the way: `ids` names their actions."""

    @property
    def action_ids(self) -> list[str | int]:
        return list(self.ids)


class UnknownCandidateError(RulingRefusedError):
    """There is no such candidate, or the caller may not know of it: the two look the same."""

    reason = "candidate_not_found"


class StaleCandidateError(RulingRefusedError):
    """The candidate or one of its profiles is not what the steward saw."""

    reason = "candidate_changed"


class ClosedCandidateError(RulingRefusedError):
    reason = "candidate_closed"


class CandidateClaimedError(RulingRefusedError):
    """Somebody else works on it: held_by, until held_until."""

    reason = "candidate_claimed"

    def __init__(self, message: str, *, ids: Iterable[str | int], held_by: str, held_until: datetime) -> None:
        super().__init__(message, ids=ids)
        self.held_by = held_by
        self.held_until = held_until


class ClaimMissingError(RulingRefusedError):
    """Who decides or goes on has no live claim; it may have run out."""

    reason = "claim_missing"


class ReadBeforeError(RulingRefusedError):
    """Who could not tell does not read it again: somebody else does."""

    reason = "second_reader_needed"


class SecondPersonNeededError(RulingRefusedError):
    """Who ruled first does not confirm: somebody else does."""

    reason = "second_person_needed"


class UnknownConfirmationError(RulingRefusedError):
    """No decision of this person waits for a second one."""

    reason = "confirmation_not_found"


class UnknownProposalError(RulingRefusedError):
    reason = "proposal_not_found"


class EndedProposalError(RulingRefusedError):
    """It was confirmed, refused or withdrawn already."""

    reason = "proposal_ended"


class StaleProposalError(RulingRefusedError):
    """The profiles are not what the first person saw."""

    reason = "proposal_changed"


class AlreadyFrozenError(RuledOtherwiseError):
    reason = "already_frozen"


class NotFrozenError(RulingRefusedError):
    reason = "not_frozen"


class UnknownSampleError(RulingRefusedError):
    """There is no such sample that waits to be read."""

    reason = "sample_not_found"


class UnknownActionError(RulingRefusedError):
    reason = "action_not_found"


class UnknownEntryError(RulingRefusedError):
    reason = "ledger_entry_not_found"


class AlreadyUndoneError(RuledOtherwiseError):
    reason = "already_undone"


class RuledOnSinceError(RuledOtherwiseError):
    """A later ruling that still stands builds on this one."""

    reason = "ruled_on_since"


class NothingToUndoError(RulingRefusedError):
    """The entry brought no records together and parted none."""

    reason = "nothing_to_undo"


class ConstraintConflictError(RuledOtherwiseError):
    """Rulings in force would hold two records together and apart."""

    reason = "constraint_conflict"


class OneProfileError(RulingRefusedError):
    """Fewer than two profiles were named, absorbed ids counted as their survivors."""

    reason = "profiles_are_one"


class UnusableSplitError(RulingRefusedError):
    """No record would go, or none would stay, or a record is not the profile's."""

    reason = "split_unusable"


class UnusablePinError(RulingRefusedError):
    """The record is not the profile's, or says nothing of the attribute."""

    reason = "pin_unusable"


class TooManyPairsError(RulingRefusedError):
    reason = "too_many_pairs"
