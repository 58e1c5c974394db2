"""Passwords: what is long enough, what is kept of one (argon2id), and new ones made up."""

from __future__ import annotations

import secrets
import string
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cdp.staff.errors import WeakPasswordError

SHORTEST, LONGEST = 12, 256
# 19 MiB and two passes: what OWASP asks for, and little enough for all threads of a server at once.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Without those that are read for one another.
_LETTERS = "".join(sorted({*string.ascii_lowercase, *string.digits} - set("l1o0i")))


def require_strong(password: str) -> None:
    """Raises WeakPasswordError."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPasswordError(f"A password has {SHORTEST} to {LONGEST} characters.")


def make_password() -> str:
    """Four groups of five letters and digits: 99 bits."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def is_password(password_hash: str | None, password: str) -> bool:
    """No hash costs the same time, so that it tells nothing."""
    try:
        found = _hasher.verify(password_hash or _hash_of_nobody(), password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return found and password_hash is not None


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash(secrets.token_hex(16))
