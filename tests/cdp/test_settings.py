"""Settings come from the environment, once, with defaults that need none."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdp.settings import InvalidSettingError, OidcSettings, RateLimit, Settings, read_settings


def test_without_an_environment_the_store_is_a_file_in_var() -> None:
    assert read_settings({}) == Settings(Path("var"), "sqlite:///var/cdp.db", 5.0)


def test_the_home_moves_the_file() -> None:
    assert read_settings({"CDP_HOME": "/srv/cdp"}).database_url == "sqlite:////srv/cdp/cdp.db"


def test_a_database_of_its_own_is_taken() -> None:
    settings = read_settings({"CDP_DATABASE_URL": "postgresql://db/cdp", "CDP_STORE_TIMEOUT_SECONDS": "0.5"})

    assert settings == Settings(Path("var"), "postgresql://db/cdp", 0.5)


def test_the_server_is_set_by_the_environment() -> None:
    settings = read_settings(
        {
            "HOST": "0.0.0.0",
            "PORT": "9000",
            "CDP_WORKERS": "3",
            "CDP_THREADS": "2",
            "CDP_DEFAULT_REGION": "PT",
            "CDP_BODY_LIMIT_BYTES": "1000",
            "CDP_LOG_LEVEL": "WARNING",
        }
    )

    assert settings.bind == "0.0.0.0:9000"
    assert (settings.worker_count, settings.thread_count) == (3, 2)
    assert (settings.default_region, settings.body_limit_bytes) == ("PT", 1000)
    assert settings.log_level == "warning"


def test_a_batch_takes_the_memory_it_is_given() -> None:
    assert read_settings({}).batch_memory == "3GB"
    assert read_settings({"CDP_BATCH_MEMORY": "512MB"}).batch_memory == "512MB"


def test_answers_are_kept_for_a_day_unless_told_otherwise() -> None:
    assert read_settings({}).idempotency_seconds == 86_400
    assert read_settings({"CDP_IDEMPOTENCY_SECONDS": "600"}).idempotency_seconds == 600


def test_disagreement_is_measured_every_hour_unless_told_otherwise() -> None:
    by_default = read_settings({})
    often = read_settings({"CDP_DISAGREEMENT_SECONDS": "60", "CDP_DISAGREEMENT_SAMPLE": "50"})

    assert (by_default.disagreement_seconds, by_default.disagreement_sample) == (3600, 200)
    assert (often.disagreement_seconds, often.disagreement_sample) == (60, 50)
    assert read_settings({"CDP_DISAGREEMENT_SECONDS": "off"}).disagreement_seconds is None


def test_metrics_are_public_unless_they_are_closed() -> None:
    assert read_settings({}).metrics_are_public
    assert not read_settings({"CDP_METRICS": "key"}).metrics_are_public


def test_requests_are_counted_unless_told_otherwise() -> None:
    by_default = read_settings({})
    given = {"CDP_RATE_LIMIT": "5/second", "CDP_ADDRESS_RATE_LIMIT": "100/hour", "CDP_TRUSTED_PROXIES": "2"}
    set_up = read_settings(given)

    assert (by_default.rate_limit, by_default.address_rate_limit) == (RateLimit(6000, 60), RateLimit(600, 60))
    assert (set_up.rate_limit, set_up.address_rate_limit) == (RateLimit(5, 1), RateLimit(100, 3600))
    assert (by_default.trusted_proxy_count, set_up.trusted_proxy_count) == (0, 2)
    assert read_settings({"CDP_RATE_LIMIT": "off"}).rate_limit is None


def test_slow_requests_are_warned_of_from_a_second_on_unless_told_otherwise() -> None:
    assert read_settings({}).slow_request_ms == 1000
    assert read_settings({"CDP_SLOW_REQUEST_MS": "250"}).slow_request_ms == 250
    assert read_settings({"CDP_SLOW_REQUEST_MS": "off"}).slow_request_ms is None


def test_rules_of_survivorship_are_shipped_or_in_a_file() -> None:
    assert read_settings({"CDP_SURVIVORSHIP_FILE": ""}).survivorship_file is None
    assert read_settings({"CDP_SURVIVORSHIP_FILE": "own.toml"}).survivorship_file == Path("own.toml")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("CDP_WORKERS", "-1"),
        ("CDP_WORKERS", "1.5"),
        ("CDP_THREADS", "0"),
        ("CDP_RATE_LIMIT", "many"),
        ("CDP_RATE_LIMIT", "0/minute"),
        ("CDP_ADDRESS_RATE_LIMIT", "off"),
        ("CDP_TRUSTED_PROXIES", "all"),
        ("CDP_BODY_LIMIT_BYTES", "9" * 30),
        ("CDP_DEFAULT_REGION", "brazil"),
        ("CDP_LOG_LEVEL", "loud"),
        ("CDP_METRICS", "yes"),
        ("CDP_DISAGREEMENT_SECONDS", "0"),
        ("CDP_DISAGREEMENT_SECONDS", "86401"),
        ("CDP_DISAGREEMENT_SAMPLE", "-1"),
        ("CDP_LEASE_SECONDS", "0"),
        ("CDP_SKIP_SECONDS", "forever"),
        ("CDP_REVIEW_DAYS", "soon"),
        ("CDP_REVIEW_DAYS", "0"),
        ("CDP_REVIEW_DAYS", "3651"),
        ("CDP_QUALITY_DECISIONS", "1.1"),
        ("CDP_QUALITY_JOINS", "many"),
        ("CDP_BATCH_MEMORY", "3"),
        ("CDP_BATCH_MEMORY", "0GB"),
        ("CDP_BATCH_MEMORY", "3GB'; SELECT 1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidSettingError, match=name):
        read_settings({name: value})


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan", "inf"])
def test_a_time_that_is_none_is_refused_by_name(value: str) -> None:
    with pytest.raises(InvalidSettingError, match="CDP_STORE_TIMEOUT_SECONDS"):
        read_settings({"CDP_STORE_TIMEOUT_SECONDS": value})


def test_stewards_work_as_the_settings_say() -> None:
    given = {"CDP_LEASE_SECONDS": "60", "CDP_SKIP_SECONDS": "90", "CDP_REVIEW_DAYS": "0.5"}

    read = read_settings(given)

    assert (read.lease_seconds, read.skip_seconds, read.review_days) == (60.0, 90.0, 0.5)
    assert read_settings({}).review_days == 7.0


def test_the_worker_rests_as_long_as_it_is_told() -> None:
    assert read_settings({}).worker_poll_seconds == 1.0
    assert read_settings({"CDP_WORKER_POLL_SECONDS": "0.2"}).worker_poll_seconds == 0.2
    with pytest.raises(InvalidSettingError, match="CDP_WORKER_POLL_SECONDS"):
        read_settings({"CDP_WORKER_POLL_SECONDS": "never"})


PROVIDER = {"CDP_OIDC_ISSUER": "https://id.example.com/realms/x", "CDP_OIDC_CLIENT_ID": "console"}


def test_a_provider_is_named_by_its_host_and_lets_in_who_is_bound() -> None:
    oidc = read_settings(PROVIDER).oidc

    assert oidc == OidcSettings("https://id.example.com/realms/x", "console", None, "id.example.com", None)


def test_a_provider_may_have_all_there_is() -> None:
    more = {"CDP_OIDC_CLIENT_SECRET": "s", "CDP_OIDC_LABEL": "Example", "CDP_OIDC_NEW_USERS": "steward"}
    settings = read_settings(PROVIDER | more | {"CDP_PASSWORD_SIGN_IN": "off"})

    assert settings.oidc == OidcSettings(PROVIDER["CDP_OIDC_ISSUER"], "console", "s", "Example", "steward")
    assert not settings.passwords_sign_in


def test_a_provider_on_this_machine_needs_no_https() -> None:
    given = PROVIDER | {"CDP_OIDC_ISSUER": "http://localhost:9000"}

    assert read_settings(given).oidc is not None


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"CDP_OIDC_ISSUER": "https://id.example.com"}, "CDP_OIDC_CLIENT_ID"),
        ({"CDP_OIDC_CLIENT_ID": "console"}, "CDP_OIDC_ISSUER"),
        (PROVIDER | {"CDP_OIDC_ISSUER": "http://id.example.com"}, "by https"),
        (PROVIDER | {"CDP_OIDC_ISSUER": "http://localhost.example.com"}, "by https"),
        (PROVIDER | {"CDP_OIDC_ISSUER": "https://id.example.com?x=1"}, "by https"),
        (PROVIDER | {"CDP_OIDC_NEW_USERS": "admin"}, "CDP_OIDC_NEW_USERS"),
        (PROVIDER | {"CDP_PASSWORD_SIGN_IN": "no"}, "CDP_PASSWORD_SIGN_IN"),
        ({"CDP_PASSWORD_SIGN_IN": "off"}, "nobody could sign in"),
    ],
)
def test_a_provider_that_is_not_whole_or_not_safe_is_refused(given: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidSettingError, match=named):
        read_settings(given)
