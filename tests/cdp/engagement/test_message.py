"""What makes a message, and when what it tells of happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cdp.engagement.message import (
    PLACEHOLDERS,
    Delivery,
    RefusedMessageError,
    message_hash,
    parse_sent_at,
    read_message,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PAGE = {"type": "page", "userId": "u-1"}
BEHIND = NOW - timedelta(days=3650)


def test_ids_may_be_numbers_and_blanks_around_them_go() -> None:
    message = read_message({"type": "page", "userId": 481, "anonymousId": " a-1 "}, Delivery(NOW))

    assert (message.user_id, message.anonymous_id, message.record_key) == ("481", "a-1", "481")


@pytest.mark.parametrize(
    ("stated", "sent_at", "is_historical", "occurred_at"),
    [
        (None, None, False, NOW),
        ("2026-11-21T12:00:00Z", None, False, datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("2026-11-21T12:00:00", None, False, datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ("2026-11-21T09:00:00-03:00", None, False, datetime(2026, 11, 21, 12, tzinfo=UTC)),
        ((BEHIND - timedelta(minutes=5)).isoformat(), BEHIND, False, NOW - timedelta(minutes=5)),
        ((BEHIND - timedelta(minutes=5)).isoformat(), BEHIND, True, BEHIND - timedelta(minutes=5)),
        (None, BEHIND, False, NOW),
    ],
    ids=["not said", "as said", "in UTC", "with a zone", "a slow clock", "history", "sent and not said"],
)
def test_times_are_by_our_clock(
    stated: str | None, sent_at: datetime | None, is_historical: bool, occurred_at: datetime
) -> None:
    message = read_message({**PAGE, "timestamp": stated}, Delivery(NOW, sent_at, is_historical))

    assert message.occurred_at == occurred_at


def test_a_message_that_says_when_it_was_sent_needs_no_batch_to_say_so() -> None:
    said = {**PAGE, "timestamp": (BEHIND - timedelta(minutes=5)).isoformat(), "sentAt": BEHIND.isoformat()}

    alone, in_batch, historical = (
        read_message(said, each).occurred_at
        for each in (Delivery(NOW), Delivery(NOW, BEHIND + timedelta(minutes=1)), Delivery(NOW, None, True))
    )

    assert (alone, in_batch) == (NOW - timedelta(minutes=5), NOW - timedelta(minutes=6))
    assert historical == BEHIND - timedelta(minutes=5)


def test_a_time_that_was_given_before_another_name_counts() -> None:
    message = read_message({**PAGE, "originalTimestamp": "2026-11-21T12:00:00Z"}, Delivery(NOW))

    assert message.occurred_at == datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("sent_at", [None, 5, "yesterday", "", {"$date": 1}])
def test_a_sender_that_does_not_say_when_it_sent_is_believed(sent_at: object) -> None:
    assert parse_sent_at(sent_at) is None


def test_a_clock_that_is_off_by_more_than_all_times_is_refused() -> None:
    delivery = Delivery(NOW, datetime(1900, 1, 1, tzinfo=UTC))

    with pytest.raises(RefusedMessageError) as refused:
        read_message({**PAGE, "timestamp": "9999-12-31T23:59:59Z"}, delivery)

    assert refused.value.code == "timestamp"


def test_two_deliveries_of_a_message_are_one_by_what_it_says() -> None:
    said = {**PAGE, "properties": {"a": 1}}

    one, other = (message_hash({**said, "sentAt": each, "writeKey": each}) for each in ("1", "2"))

    assert one == other != message_hash({**said, "properties": {"a": 2}})


@pytest.mark.parametrize(
    ("message", "properties"),
    [
        ({**PAGE, "category": "Docs", "properties": {"path": "/"}}, {"category": "Docs", "path": "/"}),
        ({**PAGE, "type": "identify", "traits": {"a": 1}}, {"a": 1}),
        ({**PAGE, "type": "group", "groupId": 7, "traits": {"a": 1}}, {"groupId": "7", "traits": {"a": 1}}),
        ({**PAGE, "type": "alias", "previousId": "u-0"}, {"previousId": "u-0"}),
    ],
)
def test_what_is_kept_of_each_kind(message: Any, properties: Any) -> None:
    assert read_message(message, Delivery(NOW)).properties == properties


@pytest.mark.parametrize("field", ["userId", "anonymousId", "previousId"])
@pytest.mark.parametrize("placeholder", [*sorted(PLACEHOLDERS), "Null", " undefined ", 0])
def test_an_id_that_names_nobody_is_refused(field: str, placeholder: object) -> None:
    ids = {"userId": "u-1", "anonymousId": "a-1", "previousId": "u-0", field: placeholder}

    with pytest.raises(RefusedMessageError) as refused:
        read_message({"type": "alias", **ids}, Delivery(NOW))

    assert (refused.value.code, refused.value.pointer) == ("placeholder", f"/{field}")
