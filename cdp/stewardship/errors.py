"""Why a ruling is refused. Each error names the ids concerned and says what to do instead."""

from __future__ import annotations

from cdp.errors import CdpError


class UnknownCandidateError(CdpError):
    """There is no such candidate, or the caller may not know of it: the two look the same."""

    reason = "candidate_not_found"


class StaleCandidateError(CdpError):
    """The candidate or one of its profiles is not what the steward saw."""

    reason = "candidate_changed"


class ClosedCandidateError(CdpError):
    reason = "candidate_closed"


class UnknownActionError(CdpError):
    reason = "action_not_found"


class UnknownEntryError(CdpError):
    reason = "ledger_entry_not_found"


class AlreadyUndoneError(CdpError):
    reason = "already_undone"


class RuledOnSinceError(CdpError):
    """A later ruling that still stands builds on this one."""

    reason = "ruled_on_since"


class NothingToUndoError(CdpError):
    """The entry brought no records together and parted none."""

    reason = "nothing_to_undo"


class ConstraintConflictError(CdpError):
    """Rulings in force would hold two records together and apart."""

    reason = "constraint_conflict"


class OneProfileError(CdpError):
    """Fewer than two profiles were named, absorbed ids counted as their survivors."""

    reason = "profiles_are_one"


class UnusableSplitError(CdpError):
    """No record would go, or none would stay, or a record is not the profile's."""

    reason = "split_unusable"


class TooManyPairsError(CdpError):
    reason = "too_many_pairs"
