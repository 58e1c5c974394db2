"""Counts each request against its limit, refuses what is beyond, and tells in each answer what is left."""

from __future__ import annotations

import ipaddress
from typing import NoReturn

from flask import Flask, Response

from api.context import current_notes, current_request
from api.errors import Problem
from api.rate_limits import Count
from api.service import current_service

# Probes come from an address that others share, and a refused probe ends a healthy process.
UNLIMITED_ENDPOINTS = frozenset({"service.livez", "service.readyz"})

POLICY_HEADER, REMAINING_HEADER = "RateLimit-Policy", "RateLimit"
RATE_LIMIT_HEADERS = {
    POLICY_HEADER: {
        "schema": {"type": "string"},
        "description": "Which limit counts, its quota `q` of requests and its window `w` in seconds.",
        "example": '"key";q=6000;w=60',
    },
    REMAINING_HEADER: {
        "schema": {"type": "string"},
        "description": "What remains of it (`r`), and in how many seconds all of it is back (`t`).",
        "example": '"key";r=5999;t=60',
    },
}

# A key up to its secret: cdp_ and its id.
_KEY_ID_LETTERS = 15


def tell_rate_limits(app: Flask) -> None:
    app.after_request(_tell)


def count_caller(key_id: str) -> None:
    """Raises Problem when the key called too often."""
    limits = current_service().rate_limits
    if limits is not None:
        _keep_within(limits.of_keys.count(key_id))


def count_stranger() -> None:
    """For a request that nobody vouches for. Raises Problem when its address sent too many."""
    limits = current_service().rate_limits
    if limits is not None and current_request().endpoint not in UNLIMITED_ENDPOINTS:
        _keep_within(limits.of_addresses.count(_address()))


def refuse_guesses(secret: str) -> None:
    """Raises Problem, whether this secret is right or not, when too many for its key were wrong.

    Those of one key from one address alone: who sends a wrong one again and again shuts out nobody else.
    """
    limits = current_service().rate_limits
    if limits is not None and (count := limits.of_wrong_secrets.look(_address(), secret[:_KEY_ID_LETTERS])):
        _refuse(count)


def count_wrong_secret(secret: str) -> None:
    """Raises Problem when its address sent too many requests."""
    limits = current_service().rate_limits
    if limits is not None:
        limits.of_wrong_secrets.count(_address(), secret[:_KEY_ID_LETTERS])
        count_stranger()


def count_account(user_id: int) -> None:
    """Raises Problem when somebody who is signed in asked for too many pages."""
    limits = current_service().rate_limits
    if limits is not None:
        _keep_within(limits.of_accounts.count(str(user_id)))


def refuse_sign_ins() -> None:
    """Raises Problem, whether the password is right or not, when too many from this address were wrong."""
    limits = current_service().rate_limits
    if limits is not None and (count := limits.of_wrong_sign_ins.look(_address())):
        _refuse(count)


def count_wrong_sign_in() -> None:
    limits = current_service().rate_limits
    if limits is not None:
        limits.of_wrong_sign_ins.count(_address())


def _keep_within(count: Count) -> None:
    if count.is_exceeded:
        _refuse(count)
    current_notes().rate_limit = count


def _refuse(count: Count) -> NoReturn:
    current_notes().rate_limit = count
    detail = (
        f"More than {count.quota.requests} in {count.quota.seconds} seconds: wait for {count.reset_seconds}."
    )
    raise Problem("rate_limited", detail, headers={"Retry-After": str(count.reset_seconds)})


def _tell(response: Response) -> Response:
    count: Count | None = current_notes().get("rate_limit")
    if count is not None:
        response.headers[POLICY_HEADER] = count.policy_header
        response.headers[REMAINING_HEADER] = count.remaining_header
    return response


def _address() -> str:
    """Who has one address of IPv6 has all of its network."""
    address = current_request().remote_addr or ""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address
