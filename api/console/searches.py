"""What somebody searched for in the last minutes, sealed in their own cookie: it is in no address, no log and no store.

A page that is the answer to a form cannot be gone back to; one with an address of its own can.
"""

from __future__ import annotations

import base64
import hmac
from datetime import timedelta

import orjson
from cryptography.fernet import Fernet, InvalidToken
from flask import current_app, session

from api.console.states import PageError
from api.service import current_service

_SEARCHES = "searches"
_KEPT_FOR = timedelta(minutes=30)
# Browsers take cookies of 4096 bytes; several windows search beside each other.
_LETTERS_AT_MOST = 2_000


def keep_search(asked: dict[str, str]) -> int:
    """Returns its number; the oldest make room for it. Raises PageError for more than a form takes."""
    kept = session.get(_SEARCHES, [])
    number = kept[-1][0] + 1 if kept else 1
    sealed = _seal().encrypt_at_time(orjson.dumps(asked), _now()).decode()
    if len(sealed) > _LETTERS_AT_MOST:
        raise PageError("invalid")
    kept = [*kept, [number, sealed]]
    while sum(len(each) for _, each in kept) > _LETTERS_AT_MOST:
        kept = kept[1:]
    session[_SEARCHES] = kept
    return number


def kept_search(number: int) -> dict[str, str] | None:
    """None when it is long ago, or other searches came since."""
    sealed = dict(session.get(_SEARCHES, [])).get(number)
    if sealed is None:
        return None
    try:
        opened = _seal().decrypt_at_time(sealed, int(_KEPT_FOR.total_seconds()), _now())
    except InvalidToken:
        return None
    asked: dict[str, str] = orjson.loads(opened)
    return asked


def _seal() -> Fernet:
    """With a key of its own, made from the secret that cookies are signed with."""
    secret = current_app.secret_key
    assert isinstance(secret, str)
    return Fernet(base64.urlsafe_b64encode(hmac.digest(secret.encode(), b"console searches", "sha256")))


def _now() -> int:
    return int(current_service().clock().timestamp())
