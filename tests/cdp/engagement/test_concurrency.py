"""Senders side by side, who send the same and about the same people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cdp.store import schema
from tests.cdp.engagement.posting import Post, identify, track, visit


def batch(sender: int) -> list[dict[str, Any]]:
    """Of everybody the same messages, in an order of their own."""
    messages = [
        visit("m-1", "a-1"),
        identify("m-2", "u-1", email="ana@example.com") | {"anonymousId": "a-1"},
        track("m-3", "u-1", "Product Added", product_id="p-1"),
        track("m-4", "u-1", "Order Completed", order_id="o-1"),
        visit("m-5", "a-1", "u-2"),
    ]
    return messages[sender:] + messages[:sender]


def test_what_several_send_at_once_is_kept_once(post: Post) -> None:
    post.send(visit("m-0", "a-0"))

    with ThreadPoolExecutor(4) as senders:
        received = list(senders.map(lambda sender: post.send(*batch(sender)), range(4)))

    assert sum(each.event_count for each in received) == 5
    assert sum(each.repeated_count for each in received) == 15
    assert post.count(schema.events) == 6
    assert post.desk.groups() == [["anonymous:a-0"], ["anonymous:a-1"], ["u-1"], ["u-2"]]
