"""What customers do in the demo's shop, as the messages that its site sends: visits, orders, carts, wishes, consents.

Each customer has a chance of their own, so that the same seed gives the same messages whoever else is told of.
Source of the events and their properties: Segment's public e-commerce specification, version 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from cdp.demo.chance import Choices, between, pick
from cdp.demo.shop import (
    Article,
    Line,
    choose_line,
    habit,
    habits,
    load_articles,
    to_amount,
    to_cents,
)

DAY = 86_400
# How far back the shop knows of visits, and how long before the last day orders end and carts are left.
SINCE_DAYS, ORDERED_BEFORE_DAYS, LEFT_WITHIN_DAYS = 540, 12, 9

ORDER_COUNTS = Choices((0, 22.0), (1, 36.0), (2, 24.0), (3, 12.0), (5, 6.0))
LINE_COUNTS = Choices((1, 50.0), (2, 30.0), (3, 20.0))
# What people are asked, and how many say yes.
CONSENTS = {"Analytics": 0.8, "Email marketing": 0.65, "WhatsApp": 0.5}
LEAVES_CART, CHECKS_OUT, WISHES, ANSWERS, WITHDRAWS = 0.5, 0.4, 0.4, 0.85, 0.15
USES_COUPON, RETURNS = 0.2, 0.12
COUPON, COUPON_PERCENT = "BEMVINDO10", 10

# When a message was sent, in epoch seconds, and the message without its id and time.
Told = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Shopper:
    """A customer with an account: their user id is the id of the account's record, written at `since`."""

    user_id: str
    country: str
    since: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What an order comes to, in cents."""

    subtotal: int
    discount: int
    shipping: int
    shipping_method: str

    def properties(self, country: str) -> dict[str, object]:
        goods = self.subtotal - self.discount
        coupon = {"coupon": COUPON, "discount": to_amount(self.discount)} if self.discount else {}
        return {
            "currency": habit(country, "currency"),
            "subtotal": to_amount(self.subtotal),
            "shipping": to_amount(self.shipping),
            "shipping_method": self.shipping_method,
            "revenue": to_amount(goods),
            "total": to_amount(goods + self.shipping),
            **coupon,
        }

    def paid_for(self, line: Line) -> int:
        return line.cents * (self.subtotal - self.discount) // self.subtotal


def tell_shopping(shopper: Shopper, *, seed: int, until: int) -> list[Told]:
    """Everything that one customer did until then, in order of time."""
    return Shopping(shopper, Random(f"shopping:{seed}:{shopper.user_id}"), until).tell()


class Shopping:
    """One customer's doings as they come about; `when` goes on with each message."""

    def __init__(self, shopper: Shopper, random: Random, until: int) -> None:
        self.shopper, self.random, self.until = shopper, random, until
        self.number = shopper.user_id.partition("-")[2]
        self.when = 0
        self.told: list[Told] = []

    def tell(self) -> list[Told]:
        first = max(self.shopper.since + DAY, self.until - SINCE_DAYS * DAY)
        last = self.until - ORDERED_BEFORE_DAYS * DAY
        if first < last:
            self._come_between(first, last)
            self._log_in()
            count = ORDER_COUNTS.draw(self.random)
            for order_number in range(1, count + 1):
                self._come_between(max(first, self.when), last)
                self._order(order_number)
            if self._happens(WISHES):
                self._come_between(first, self.until - 2 * DAY)
                self._wish()
        if self._happens(LEAVES_CART) and first < self.until - LEFT_WITHIN_DAYS * DAY:
            self._come_between(self.until - LEFT_WITHIN_DAYS * DAY, self.until - DAY)
            self._leave_cart()
        return sorted((each for each in self.told if each[0] <= self.until), key=lambda each: each[0])

    def _log_in(self) -> None:
        self._say({"type": "identify", "traits": {}})
        if not self._happens(ANSWERS):
            return
        answers = {category: self._happens(share) for category, share in CONSENTS.items()}
        self._answer(answers)
        if answers["Email marketing"] and self._happens(WITHDRAWS):
            came = self.when
            self._come_between(came + DAY, self.until - DAY)
            self._answer({**answers, "Email marketing": False})
            self.when = came

    def _answer(self, answers: dict[str, bool]) -> None:
        answered = {"type": "track", "event": "Segment Consent Preference Updated", "properties": {}}
        self._say(answered, consent={"categoryPreferences": answers})

    def _order(self, order_number: int) -> None:
        cart_id, order_id = f"C-{self.number}-{order_number}", f"{self.number}-{order_number}"
        lines = self._fill_cart(cart_id)
        self._check_out(cart_id, lines)
        bill = self._bill(lines)
        paid = {
            **bill.properties(self.shopper.country),
            "affiliation": self._habit("affiliation"),
            "payment_method": pick(self._habits("payment_methods"), self.random),
        }
        self._track("Order Completed", order_id=order_id, cart_id=cart_id, products=_told(lines), **paid)
        if self._happens(RETURNS):
            self.when += between(3, 9, self.random) * DAY
            back = {"products": _told(lines[:1]), "total": to_amount(bill.paid_for(lines[0]))}
            self._track("Order Refunded", order_id=order_id, currency=paid["currency"], **back)

    def _leave_cart(self) -> None:
        cart_id = f"C-{self.number}-0"
        lines = self._fill_cart(cart_id)
        if self._happens(CHECKS_OUT):
            self._check_out(cart_id, lines)

    def _fill_cart(self, cart_id: str) -> list[Line]:
        """What is in the cart then."""
        lines = self._choose_lines()
        currency = self._habit("currency")
        for line in lines:
            self._look_at(line.article)
            self._track("Product Added", cart_id=cart_id, currency=currency, **line.properties)
        self._track("Cart Viewed", cart_id=cart_id, products=_told(lines), currency=currency)
        return lines

    def _check_out(self, cart_id: str, lines: list[Line]) -> None:
        value, currency = to_amount(sum(line.cents for line in lines)), self._habit("currency")
        self._track(
            "Checkout Started", cart_id=cart_id, products=_told(lines), value=value, currency=currency
        )

    def _wish(self) -> None:
        wish_list = {
            "wishlist_id": f"W-{self.number}",
            "wishlist_name": pick(self._habits("wish_lists"), self.random),
        }
        for line in self._choose_lines():
            self._look_at(line.article)
            self._track("Product Added to Wishlist", **wish_list, **line.properties)

    def _choose_lines(self) -> list[Line]:
        articles = self.random.sample(load_articles(), LINE_COUNTS.draw(self.random))
        return [choose_line(article, self.shopper.country, self.random) for article in articles]

    def _look_at(self, article: Article) -> None:
        properties = {"path": f"/p/{article.product_id}", "title": article.names[self.shopper.country]}
        self._say({"type": "page", "name": "Produto", "properties": properties})

    def _bill(self, lines: list[Line]) -> Bill:
        subtotal, way = sum(line.cents for line in lines), between(0, 2, self.random)
        discount = subtotal * COUPON_PERCENT // 100 if self._happens(USES_COUPON) else 0
        shipping = to_cents(self._habits("shipping")[way])
        return Bill(subtotal, discount, shipping, self._habits("shipping_methods")[way])

    def _habit(self, name: str) -> str:
        return habit(self.shopper.country, name)

    def _habits(self, name: str) -> tuple[str, ...]:
        return habits(self.shopper.country, name)

    def _come_between(self, first: int, last: int) -> None:
        """A visit by day; shops are busy in the evening of both countries."""
        day = between(first, max(first, last), self.random) // DAY
        self.when = max(day * DAY + between(12 * 3600, 23 * 3600, self.random), first)

    def _happens(self, share: float) -> bool:
        return self.random.random() < share

    def _track(self, event: str, **properties: object) -> None:
        self._say({"type": "track", "event": event, "properties": properties})

    def _say(self, message: dict[str, Any], *, consent: dict[str, Any] | None = None) -> None:
        self.when += between(20, 150, self.random)
        context: dict[str, Any] = {"locale": self._habit("locale"), "timezone": self._habit("timezone")}
        if consent is not None:
            context["consent"] = consent
        self.told.append((self.when, {"userId": self.shopper.user_id, "context": context, **message}))


def _told(lines: list[Line]) -> list[dict[str, object]]:
    return [line.properties for line in lines]
