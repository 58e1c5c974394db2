"""How often a caller may call: how many requests of whom are counted, and what the answers tell of it.

They tell it as draft-ietf-httpapi-ratelimit-headers-10 does: the policy, what is left of it, and for how long.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItemPerSecond
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from cdp.settings import RateLimit

# Of one address, whatever the names: an account rests by itself, so that what is left is one password for many.
WRONG_SIGN_INS = RateLimit(20, 60)
# Of one key from one address: each wrong secret costs a look at the store, and no program mends it by trying on.
WRONG_SECRETS = RateLimit(20, 60)


@dataclass(frozen=True)
class Count:
    """After a request: what is left, and in how many seconds all of it is back."""

    policy: str
    quota: RateLimit
    is_exceeded: bool
    remaining: int
    reset_seconds: int

    @property
    def policy_header(self) -> str:
        return f'"{self.policy}";q={self.quota.requests};w={self.quota.seconds}'

    @property
    def remaining_header(self) -> str:
        return f'"{self.policy}";r={self.remaining};t={self.reset_seconds}'


class Quota:
    """One policy: so many requests in a window that begins with the first of them, for each whose."""

    def __init__(self, policy: str, quota: RateLimit, storage: Storage, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._quota = quota
        self._clock = clock
        self._limiter = FixedWindowRateLimiter(storage)
        self._item = RateLimitItemPerSecond(quota.requests, quota.seconds, namespace=policy)

    def count(self, *whose: str) -> Count:
        """With this request."""
        is_within = self._limiter.hit(self._item, *whose)
        return self._told(whose, is_exceeded=not is_within)

    def look(self, *whose: str) -> Count | None:
        """Without another request; None while one more is within the quota."""
        if self._limiter.test(self._item, *whose):
            return None
        return self._told(whose, is_exceeded=True)

    def _told(self, whose: tuple[str, ...], *, is_exceeded: bool) -> Count:
        reset_at, remaining = self._limiter.get_window_stats(self._item, *whose)
        reset_seconds = max(1, math.ceil(reset_at - self._clock()))
        return Count(self._policy, self._quota, is_exceeded, remaining, reset_seconds)


@dataclass(frozen=True)
class RateLimits:
    """Of a key; of an address that presents none, or a wrong one; of wrong secrets for one key. In the console: of the
    pages of an account; of wrong passwords from an address."""

    of_keys: Quota
    of_addresses: Quota
    of_wrong_secrets: Quota
    of_accounts: Quota
    of_wrong_sign_ins: Quota


def make_rate_limits(
    keys: RateLimit, addresses: RateLimit, storage: Storage, clock: Callable[[], float]
) -> RateLimits:
    return RateLimits(
        Quota("key", keys, storage, clock),
        Quota("address", addresses, storage, clock),
        Quota("secret", WRONG_SECRETS, storage, clock),
        Quota("account", keys, storage, clock),
        Quota("sign-in", WRONG_SIGN_INS, storage, clock),
    )
