"""A client of the HTTP API: typed answers, problems as exceptions, retries that have no second effect.

It needs urllib3 and nothing else of this package, so that it can be taken alone.
"""

from cdp.client.answers import (
    Action,
    Candidate,
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
    Ruling,
    SourceRecord,
    TimelineEvent,
    WrittenRecord,
)
from cdp.client.calls import Client
from cdp.client.errors import ClientError, ProblemError, SeveralProfilesError, UnreachableError
from cdp.client.transport import Patience

__all__ = [
    "Action",
    "Candidate",
    "Client",
    "ClientError",
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
    "Ruling",
    "SeveralProfilesError",
    "SourceRecord",
    "TimelineEvent",
    "UnreachableError",
    "WrittenRecord",
]
