"""What people buy, ask and complain about: purchases and requests, each with its contacts over the channels.

A request is one need; its contacts may wander from the phone to the chat and back until one settles it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from cdp.demo.chance import Choices, between, pick
from cdp.demo.contact_identifiers import Known, identify
from cdp.demo.numbers import Numbers
from cdp.demo.people import Person
from cdp.demo.phrases import Matter, comment, greet, invent_price, load_products, load_subjects, note, say
from cdp.demo.record_identifiers import Surroundings

HISTORY_SECONDS = 3 * 365 * 86400
PURCHASES = Choices((0, 43.0), (1, 33.0), (2, 15.0), (3, 6.0), (5, 2.0), (8, 1.0))
REQUESTS = Choices((0, 36.0), (1, 35.0), (2, 18.0), (3, 8.0), (5, 3.0))
TALKS = Choices(("voice", 28.0), ("whatsapp", 27.0), ("chat", 17.0), ("email", 15.0), ("social", 13.0))
PURCHASE = "compra"
CODED_SHARE, WRONGLY_CODED_SHARE = 0.85, 0.08


@dataclass(slots=True)
class Contact:
    """One interaction and the truth about it; `fields` are what the channel saw, without its id and time."""

    when: int
    fields: dict[str, object]
    entity_id: str
    request_id: str
    subject: str
    borrowed_phone: bool


@dataclass(frozen=True)
class ContactMaker:
    """What the contacts of one demo are made with; `until` is the last moment there is."""

    numbers: Numbers
    request_numbers: "count[int]"
    around: Surroundings
    until: int


class Storyteller:
    """Tells what one person did in the last three years, request by request; remembers the orders."""

    def __init__(self, person: Person, known: Known, maker: ContactMaker, random: Random) -> None:
        self.person, self.known, self.maker, self.random = person, known, maker, random
        self.orders: list[tuple[int, str]] = []
        first_record = min(records[0][0] for records in known.values())
        self.since = max(first_record, maker.until - HISTORY_SECONDS)

    def tell(self) -> Iterator[Contact]:
        """All contacts that lie before the last moment; a request may still be open then."""
        for _ in range(PURCHASES.draw(self.random)):
            yield from self.until_now(self.buy(self.some_moment(), self.next_request()))
        for _ in range(REQUESTS.draw(self.random)):
            yield from self.until_now(self.ask(self.some_moment(), self.next_request()))

    def until_now(self, contacts: Iterator[Contact]) -> Iterator[Contact]:
        return (contact for contact in contacts if contact.when <= self.maker.until)

    def some_moment(self) -> int:
        return waking(self.since + int(self.random.random() * (self.maker.until - self.since)))

    def next_request(self) -> str:
        return f"C{next(self.maker.request_numbers):08d}"

    def buy(self, when: int, request_id: str) -> Iterator[Contact]:
        """A cart, an order, a question how it went; some carts are left, some orders come from the till."""
        random = self.random
        product = pick(load_products(), random)
        amount = invent_price(product, random)
        basket = {"amount": amount, "items": [{"name": product.name, "quantity": 1, "amount": amount}]}
        at_till = random.random() < (0.5 if "pos_loyalty" in self.known else 0.2)
        if not at_till and random.random() < 0.42:
            yield self.contact(when, "cart", dict(basket), request_id, PURCHASE)
            if random.random() < 0.45:
                return
            when += between(60, 7200, random)
        order_id = self.maker.numbers.order()
        self.orders.append((when, order_id))
        place = "till" if at_till else "order"
        yield self.contact(when, place, {"order_id": order_id, **basket}, request_id, PURCHASE)
        if random.random() < 0.2:
            yield self.survey(when, order_id, request_id, PURCHASE, between(5, 10, random))

    def ask(self, when: int, request_id: str) -> Iterator[Contact]:
        """A request: its first contact, more while it is not settled, and perhaps a survey."""
        random, again = self.random, False
        matter = self.invent_matter(when)
        while True:
            yield self.talk(when, matter, request_id, again=again)
            if random.random() >= matter.subject.insistence:
                break
            when, again = waking(when + 1800 + int(random.random() ** 2 * 5 * 86400)), True
        if random.random() < 0.3:
            rating = between(0, 6, random) if again else between(3, 10, random)
            yield self.survey(when, matter.order_id, request_id, matter.subject.name, rating)

    def invent_matter(self, when: int) -> Matter:
        random, subject = self.random, load_subjects().draw(self.random)
        earlier = [order_id for ordered_at, order_id in self.orders if ordered_at < when]
        order_id = earlier[-1] if earlier else self.maker.numbers.order()
        product = pick(load_products(), random)
        return Matter(
            subject=subject,
            order_id=order_id if random.random() < subject.about_order else None,
            product=product,
            amount=invent_price(product, random),
            days=between(2, 25, random),
            female=self.person.female,
        )

    def talk(self, when: int, matter: Matter, request_id: str, *, again: bool) -> Contact:
        """One contact about a request, in a channel the person can use."""
        random, kind = self.random, self.choose_kind()
        fields: dict[str, object] = {"direction": "inbound"}
        if kind == "voice":
            fields |= {"handled_by": "agent", "duration_seconds": 60 + int(random.random() ** 2 * 1400)}
            fields["text"] = note(matter, again=again, random=random)
        else:
            bot = kind in ("chat", "whatsapp") and random.random() < 0.45
            text = say(matter, again=again, random=random)
            fields["handled_by"] = "bot" if bot else "agent"
            fields["text"] = text if kind == "social" else greet(text, formal=kind == "email", random=random)
        if matter.order_id and random.random() < 0.55:
            fields["order_id"] = matter.order_id
        if random.random() < CODED_SHARE:
            wrong = random.random() < WRONGLY_CODED_SHARE
            fields["subject_coded"] = load_subjects().draw(random).name if wrong else matter.subject.name
        return self.contact(when, kind, fields, request_id, matter.subject.name)

    def choose_kind(self) -> str:
        kind = TALKS.draw(self.random)
        person = self.person
        if (kind == "email" and not person.emails) or (kind == "social" and not person.handles):
            return "voice"
        return "chat" if kind == "whatsapp" and not person.phones else kind

    def survey(self, when: int, order_id: str | None, request_id: str, subject: str, rating: int) -> Contact:
        fields: dict[str, object] = {"direction": "outbound", "rating": rating}
        if order_id and self.random.random() < 0.45:
            fields["order_id"] = order_id
        if self.random.random() < 0.5:
            fields["text"] = comment(rating, self.random)
        return self.contact(
            when + between(600, 2 * 86400, self.random), "survey", fields, request_id, subject
        )

    def contact(
        self, when: int, place: str, fields: dict[str, object], request_id: str, subject: str
    ) -> Contact:
        shown, borrowed = identify(self.person, place, when, self.known, self.maker.around, self.random)
        kind = "order" if place == "till" else place
        return Contact(
            when, {"kind": kind, **shown, **fields}, self.person.entity_id, request_id, subject, borrowed
        )


def waking(when: int) -> int:
    """The moment, or one in the day if it lay between 23 and 8 o'clock in Brasília (2 and 11 UTC)."""
    return when + 9 * 3600 if 2 <= when % 86400 // 3600 < 11 else when
