"""What stewards write about candidates and profiles.

Grain: one row per comment; nothing is changed or taken away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select

from cdp.idempotency import Once, carry_out_once
from cdp.privacy.audit import AuditEntry, append_audit
from cdp.stewardship.candidates import require_candidate
from cdp.stewardship.errors import RulingRefusedError
from cdp.stewardship.members import require_living
from cdp.store import retry_write
from cdp.store.schema import comments

LENGTH = 2000


class UnusableCommentError(RulingRefusedError):
    reason = "comment_unusable"


@dataclass(frozen=True)
class Comment:
    comment_id: int
    author: str
    body: str
    written_at: datetime
    candidate_id: int | None = None
    profile_id: str | None = None


_COLUMNS = tuple(comments.c[name] for name in Comment.__dataclass_fields__)


def comment_on_candidate(
    engine: Engine,
    candidate_id: int,
    body: str,
    *,
    author: str,
    now: datetime,
    once: Once[Comment] | None = None,
) -> Comment:
    """Once: the call that must not write it twice. Raises UnknownCandidateError, UnusableCommentError, and
    AnsweredBeforeError and KeyReusedError by the call."""

    def work(connection: Connection) -> Comment:
        require_candidate(connection, candidate_id)
        comment = _insert(connection, body, author=author, now=now, candidate_id=candidate_id)
        _record(connection, "candidate", str(candidate_id), comment)
        return comment

    return retry_write(engine, lambda connection: carry_out_once(connection, once, work))


def comment_on_profile(engine: Engine, profile_id: str, body: str, *, author: str, now: datetime) -> Comment:
    """Of an absorbed one, on its survivor. Raises UnknownProfileError, ErasedProfileError, UnusableCommentError."""

    def work(connection: Connection) -> Comment:
        living = require_living(connection, profile_id)
        comment = _insert(connection, body, author=author, now=now, profile_id=living)
        _record(connection, "profile", living, comment)
        return comment

    return retry_write(engine, work)


def select_comments(
    connection: Connection, *, candidate_id: int | None = None, profile_id: str | None = None
) -> list[Comment]:
    """About one of the two, the oldest first."""
    about = (
        comments.c.profile_id == profile_id
        if candidate_id is None
        else comments.c.candidate_id == candidate_id
    )
    rows = connection.execute(select(*_COLUMNS).where(about).order_by(comments.c.comment_id))
    return [Comment(**row._mapping) for row in rows]


def _insert(
    connection: Connection,
    body: str,
    *,
    author: str,
    now: datetime,
    candidate_id: int | None = None,
    profile_id: str | None = None,
) -> Comment:
    text = body.strip()
    if not 0 < len(text) <= LENGTH:
        raise UnusableCommentError(f"A comment has 1 to {LENGTH} characters, not {len(text)}: shorten it.")
    values = {
        "author": author,
        "body": text,
        "written_at": now,
        "candidate_id": candidate_id,
        "profile_id": profile_id,
    }
    inserted = connection.scalars(insert(comments).returning(comments.c.comment_id), values)
    return Comment(comment_id=inserted.one(), **values)  # type: ignore[arg-type]


def _record(connection: Connection, kind: str, about: str, comment: Comment) -> None:
    details = {"comment_id": comment.comment_id}
    entry = AuditEntry(comment.author, "stewardship.comment", kind, about, comment.written_at, details)
    append_audit(connection, [entry])
