"""What the environment says about this installation, read once by whoever starts the program."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cdp.errors import CdpError

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
LOG_LEVELS = ("debug", "info", "warning", "error")


class InvalidSettingError(CdpError):
    reason = "invalid_setting"


@dataclass(frozen=True)
class RateLimit:
    """So many requests in so many seconds."""

    requests: int
    seconds: int


@dataclass(frozen=True)
class OidcSettings:
    """A provider of OpenID Connect that users of the console may sign in with.

    client_secret: None for a client without one. label: its name on the button. new_role: which role somebody gets whom
    the provider knows and no administrator has bound; None: they are refused.
    """

    issuer: str
    client_id: str
    client_secret: str | None
    label: str
    new_role: str | None = None


@dataclass(frozen=True)
class Settings:
    home: Path
    database_url: str
    store_timeout_seconds: float
    # The region in which a lookup reads a number without a country code.
    default_region: str = "BR"
    body_limit_bytes: int = 4 * 1024 * 1024
    bind: str = "127.0.0.1:8000"
    # None: as many as there are processors, 2 at least and 4 at most.
    worker_count: int | None = None
    thread_count: int = 8
    # How long `cdp worker` rests when nothing waits.
    worker_poll_seconds: float = 1.0
    log_level: str = "info"
    # How long the answer to an Idempotency-Key is kept, to be given again.
    idempotency_seconds: float = 86_400.0
    # Whether /metrics answers without a key.
    metrics_are_public: bool = True
    # How often `cdp worker` measures disagreement, and by how many records; None: never.
    disagreement_seconds: float | None = 3600.0
    disagreement_sample: int = 200
    # What DuckDB may take before it writes to the temporary directory.
    batch_memory: str = "3GB"
    # Where browsers reach the service, when not at `bind`; None: there.
    public_url: str | None = None
    # In which the console tells times.
    time_zone: str = "UTC"
    # None: the rules that are shipped.
    survivorship_file: Path | None = None
    # How long a steward's claim of a merge candidate holds, and how long one that was skipped is not shown to them.
    lease_seconds: float = 900.0
    skip_seconds: float = 28_800.0
    # When a merge candidate is due, from the day it was opened.
    review_days: float = 7.0
    # A join of so many records needs a second steward.
    four_eyes_records: int = 50
    # Which share of decisions, and of automatic joins, is read again by somebody else.
    quality_decision_share: float = 0.05
    quality_join_share: float = 0.01
    # Requests that take longer are warned of; None: none is.
    slow_request_ms: float | None = 1000.0
    # Of one key; None: nobody's requests are counted.
    rate_limit: RateLimit | None = RateLimit(6_000, 60)
    # Of one address without a key that is right.
    address_rate_limit: RateLimit = RateLimit(600, 60)
    # How many proxies stand before the service and add to X-Forwarded-For.
    trusted_proxy_count: int = 0
    # None: people sign in with passwords alone.
    oidc: OidcSettings | None = None
    passwords_sign_in: bool = True

    @property
    def is_reached_by_https(self) -> bool:
        """Whether cookies may ask for it: only a service on the machine of its browser does without."""
        if self.public_url is not None:
            return self.public_url.startswith("https://")
        return self.bind.rpartition(":")[0] not in ("127.0.0.1", "localhost", "[::1]")


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises InvalidSettingError, naming the variable."""
    given = os.environ if environment is None else environment
    home = Path(given.get("CDP_HOME") or "var")
    oidc = _oidc(given)
    return Settings(
        home=home,
        database_url=given.get("CDP_DATABASE_URL") or f"sqlite:///{quote(str(home / 'cdp.db'))}",
        store_timeout_seconds=_positive_number(given, "CDP_STORE_TIMEOUT_SECONDS", 5.0),
        default_region=_region(given),
        body_limit_bytes=_count(given, "CDP_BODY_LIMIT_BYTES", Settings.body_limit_bytes),
        bind=f"{given.get('HOST') or '127.0.0.1'}:{_count(given, 'PORT', 8000)}",
        worker_count=_count(given, "CDP_WORKERS", 0) or None,
        thread_count=_count(given, "CDP_THREADS", Settings.thread_count),
        worker_poll_seconds=_positive_number(given, "CDP_WORKER_POLL_SECONDS", Settings.worker_poll_seconds),
        log_level=_log_level(given),
        idempotency_seconds=_positive_number(given, "CDP_IDEMPOTENCY_SECONDS", Settings.idempotency_seconds),
        metrics_are_public=_metrics_are_public(given),
        disagreement_seconds=None
        if given.get("CDP_DISAGREEMENT_SECONDS") == "off"
        else _positive_number(given, "CDP_DISAGREEMENT_SECONDS", 3600.0),
        disagreement_sample=_count(given, "CDP_DISAGREEMENT_SAMPLE", Settings.disagreement_sample),
        batch_memory=_batch_memory(given),
        public_url=_public_url(given),
        time_zone=_time_zone(given),
        survivorship_file=Path(rules) if (rules := given.get("CDP_SURVIVORSHIP_FILE")) else None,
        lease_seconds=_positive_number(given, "CDP_LEASE_SECONDS", Settings.lease_seconds),
        skip_seconds=_positive_number(given, "CDP_SKIP_SECONDS", Settings.skip_seconds),
        review_days=_days(given, "CDP_REVIEW_DAYS", Settings.review_days),
        four_eyes_records=_count(given, "CDP_FOUR_EYES_RECORDS", Settings.four_eyes_records),
        quality_decision_share=_share(given, "CDP_QUALITY_DECISIONS", Settings.quality_decision_share),
        quality_join_share=_share(given, "CDP_QUALITY_JOINS", Settings.quality_join_share),
        slow_request_ms=None
        if given.get("CDP_SLOW_REQUEST_MS") == "off"
        else float(_count(given, "CDP_SLOW_REQUEST_MS", 1000)),
        rate_limit=None
        if given.get("CDP_RATE_LIMIT") == "off"
        else _rate_limit(given, "CDP_RATE_LIMIT", RateLimit(6_000, 60)),
        address_rate_limit=_rate_limit(given, "CDP_ADDRESS_RATE_LIMIT", Settings.address_rate_limit),
        trusted_proxy_count=_count(given, "CDP_TRUSTED_PROXIES", 0),
        oidc=oidc,
        passwords_sign_in=_passwords_sign_in(given, oidc),
    )


def _oidc(given: Mapping[str, str]) -> OidcSettings | None:
    issuer, client_id = given.get("CDP_OIDC_ISSUER"), given.get("CDP_OIDC_CLIENT_ID")
    if not issuer and not client_id:
        return None
    if not (issuer and client_id):
        raise InvalidSettingError("Give CDP_OIDC_ISSUER and CDP_OIDC_CLIENT_ID together.")
    # What it says of people is believed: by http only from the machine itself.
    found = re.fullmatch(
        r"(https|http(?=://(?:127\.0\.0\.1|localhost|\[::1\])(?:[:/]|$)))://([^/?#\s]+)[^?#\s]*", issuer
    )
    if found is None:
        raise InvalidSettingError(
            f"CDP_OIDC_ISSUER is {issuer!r}: give the provider's address as its own tokens name it, by https."
        )
    new_role = given.get("CDP_OIDC_NEW_USERS") or "off"
    if new_role not in ("off", "steward", "lead"):
        raise InvalidSettingError(f"CDP_OIDC_NEW_USERS is {new_role!r}: give off, steward or lead.")
    return OidcSettings(
        issuer=issuer,
        client_id=client_id,
        client_secret=given.get("CDP_OIDC_CLIENT_SECRET") or None,
        label=given.get("CDP_OIDC_LABEL") or found[2],
        new_role=None if new_role == "off" else new_role,
    )


def _passwords_sign_in(given: Mapping[str, str], oidc: OidcSettings | None) -> bool:
    choice = given.get("CDP_PASSWORD_SIGN_IN") or "on"
    if choice not in ("on", "off"):
        raise InvalidSettingError(f"CDP_PASSWORD_SIGN_IN is {choice!r}: give on or off.")
    if choice == "off" and oidc is None:
        raise InvalidSettingError(
            "CDP_PASSWORD_SIGN_IN is off and CDP_OIDC_ISSUER is not set: nobody could sign in."
        )
    return choice == "on"


def _region(given: Mapping[str, str]) -> str:
    region = given.get("CDP_DEFAULT_REGION") or Settings.default_region
    if not (len(region) == 2 and region.isascii() and region.isupper()):
        raise InvalidSettingError(f"CDP_DEFAULT_REGION is {region!r}: give two capital letters, such as BR.")
    return region


def _public_url(given: Mapping[str, str]) -> str | None:
    url = given.get("CDP_PUBLIC_URL")
    if not url:
        return None
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+/?", url):
        raise InvalidSettingError(
            f"CDP_PUBLIC_URL is {url!r}: give scheme and host, such as https://cdp.example.com."
        )
    return url.rstrip("/")


def _time_zone(given: Mapping[str, str]) -> str:
    name = given.get("CDP_TIME_ZONE") or Settings.time_zone
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidSettingError(
            f"CDP_TIME_ZONE is {name!r}: give a name such as America/Sao_Paulo."
        ) from error
    return name


def _log_level(given: Mapping[str, str]) -> str:
    level = (given.get("CDP_LOG_LEVEL") or Settings.log_level).lower()
    if level not in LOG_LEVELS:
        raise InvalidSettingError(f"CDP_LOG_LEVEL is {level!r}: give one of {', '.join(LOG_LEVELS)}.")
    return level


def _metrics_are_public(given: Mapping[str, str]) -> bool:
    access = given.get("CDP_METRICS") or "public"
    if access not in ("public", "key"):
        raise InvalidSettingError(f"CDP_METRICS is {access!r}: give public or key.")
    return access == "public"


def _batch_memory(given: Mapping[str, str]) -> str:
    size = given.get("CDP_BATCH_MEMORY") or Settings.batch_memory
    if not re.fullmatch(r"[1-9][0-9]{0,5}(MB|GB|MiB|GiB)", size):
        raise InvalidSettingError(f"CDP_BATCH_MEMORY is {size!r}: give a size such as 3GB or 512MB.")
    return size


def _rate_limit(given: Mapping[str, str], name: str, default: RateLimit) -> RateLimit:
    text = given.get(name)
    if not text:
        return default
    found = re.fullmatch(r"([1-9][0-9]{0,8})/(second|minute|hour|day)", text)
    if found is None:
        raise InvalidSettingError(f"{name} is {text!r}: give a limit such as 100/second or 6000/minute.")
    return RateLimit(int(found[1]), _SECONDS[found[2]])


def _count(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:10]) < 2**31):
        raise InvalidSettingError(f"{name} is {text!r}: give a whole number above 0.")
    return int(text)


def _share(given: Mapping[str, str], name: str, default: float) -> float:
    text = given.get(name)
    if not text:
        return default
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InvalidSettingError(f"{name} is {text!r}: give a share from 0 to 1.")
    return share


def _days(given: Mapping[str, str], name: str, default: float) -> float:
    text = given.get(name)
    if not text:
        return default
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days <= 3650:
        raise InvalidSettingError(f"{name} is {text!r}: give a number of days above 0, ten years at most.")
    return days


def _positive_number(given: Mapping[str, str], name: str, default: float) -> float:
    text = given.get(name)
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 86_400:
        raise InvalidSettingError(f"{name} is {text!r}: give a number of seconds above 0, a day at most.")
    return number
