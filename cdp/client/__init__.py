"""A client of the HTTP API: typed answers, problems as exceptions, retries that have no second effect.

It needs urllib3 and nothing else of this package, so that it can be taken alone.
"""

from cdp.client.answers import (
    Action,
    BulkResult,
    Candidate,
    Claim,
    Comment,
    Deletion,
    Explanation,
    FoundProfile,
    GoldenValue,
    HeldIdentifier,
    IdentifierReport,
    LedgerEntry,
    Page,
    PendingDecision,
    Profile,
    ProfileContext,
    Proposal,
    Release,
    Ruling,
    Skip,
    SourceRecord,
    TimelineEvent,
    WrittenRecord,
)
from cdp.client.calls import Client
from cdp.client.errors import ClientError, ProblemError, SeveralProfilesError, UnreachableError
from cdp.client.transport import Patience

__all__ = [
    "Action",
    "BulkResult",
    "Candidate",
    "Claim",
    "Client",
    "ClientError",
    "Comment",
    "Deletion",
    "Explanation",
    "FoundProfile",
    "GoldenValue",
    "HeldIdentifier",
    "IdentifierReport",
    "LedgerEntry",
    "Page",
    "Patience",
    "PendingDecision",
    "ProblemError",
    "Profile",
    "ProfileContext",
    "Proposal",
    "Release",
    "Ruling",
    "SeveralProfilesError",
    "Skip",
    "SourceRecord",
    "TimelineEvent",
    "UnreachableError",
    "WrittenRecord",
]
