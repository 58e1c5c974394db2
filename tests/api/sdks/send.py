"""A shop's server that uses Segment's Python SDK; nothing of it knows where it sends to but for the host."""

import sys
from datetime import UTC, datetime, timedelta

from segment import analytics

analytics.write_key, analytics.host = sys.argv[1], sys.argv[2]
analytics.gzip = sys.argv[3] == "packed"
analytics.on_error = lambda error, items: sys.exit(f"{error}: {items}")
begun = datetime.now(UTC) - timedelta(hours=1)


def at(minute: int) -> datetime:
    return begun + timedelta(minutes=minute)


keyboard = {"product_id": "p-1", "name": "Keyboard", "price": 250.0, "quantity": 1}
consent = {"consent": {"categoryPreferences": {"Advertising": False}}}

analytics.page(anonymous_id="a-1", name="Home", properties={"path": "/"}, timestamp=at(1), message_id="m-1")
analytics.track(
    anonymous_id="a-1", event="Product Added", properties=keyboard, timestamp=at(2), message_id="m-2"
)
analytics.identify(
    "u-1",
    {"email": "ana@example.com", "name": "Ana Reis", "phone": "+55 11 98765-4321", "plan": "gold"},
    context=consent,
    anonymous_id="a-1",
    timestamp=at(3),
    message_id="m-3",
)
analytics.track(
    "u-1",
    "Order Completed",
    {"order_id": "o-1", "total": 265.0, "currency": "BRL", "products": [keyboard]},
    timestamp=at(4),
    message_id="m-4",
)
analytics.screen("u-1", name="Start", timestamp=at(5), message_id="m-5")
analytics.group("u-1", "g-1", {"name": "Acme"}, timestamp=at(6), message_id="m-6")
analytics.identify("old-1", {"name": "Ana R."}, timestamp=at(7), message_id="m-7")
analytics.alias("old-1", "u-1", timestamp=at(8), message_id="m-8")
analytics.shutdown()
