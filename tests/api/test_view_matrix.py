"""Who sees what, masked how: every reading route, with a key for every view, against a table written by hand."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from api import create_app
from api.service import Service
from cdp.identity.verify import verify_store
from cdp.privacy.keys import VIEWS
from cdp.settings import Settings
from cdp.store import open_store, schema
from tests.api.conftest import Caller
from tests.api.test_candidates import CPF
from tests.api.test_stewards import RUI, told
from tests.builders import NOW, StoreBuilder, a_record
from tests.statements import recorded_statements

PURPOSE = {"CDP-Purpose": "ticket:4711"}
# Her key in the source is her e-mail, as with many sources.
ANA = a_record(
    source_record_id="ana@example.com",
    full_name="Ana Maria Reis Júnior",
    social_name="Nana",
    gender="f",
    handles=[{"network": "instagram", "handle": "@ana.reis"}],
    loyalty_ids=[{"program": "clube", "number": "998877665"}],
    device_ids=["device-a1b2c3"],
    address={
        "street": "Rua das Flores, 10",
        "city": "São Paulo",
        "region": "SP",
        "postal_code": "01310-100",
        "country": "BR",
    },
    attributes={"occupation": "dentist"},
    **CPF,
)

# What of the answer | masked | whole | the views that have it. `*` stands for every golden value or identifier, `…` for
# a value that says nothing of the person.
PROFILE = """
golden.display_name.value              | Nana                  | Nana                  | bot pos agent self steward
golden.full_name.value                 | Ana Maria Reis Júnior | Ana Maria Reis Júnior | pos agent self steward
golden.given_name.value                | Ana                   | Ana                   | ivr bot agent steward
golden.family_name.value               | Reis                  | Reis                  | agent steward
golden.social_name.value               | Nana                  | Nana                  | ivr bot agent self steward
golden.agnomen.value                   | junior                | junior                | agent steward
golden.birth_date.value                | 1980-**-**            | 1980-02-29            | agent self steward
golden.gender.value                    | f                     | f                     | agent self steward
golden.address.value.street            | ***                   | Rua das Flores        | agent self steward
golden.address.value.number            | ***                   | 10                    | agent self steward
golden.address.value.postal_code       | 013***                | 01310-100             | agent self steward
golden.address.value.city              | São Paulo             | São Paulo             | agent self steward
golden.address.value.region            | SP                    | SP                    | agent self steward
golden.address.value.country           | BR                    | BR                    | agent self steward
golden.attributes.occupation.value     | d***                  | dentist               | agent self steward
golden.*.rule                          | …                     | …                     | agent steward
golden.*.record_id                     | …                     | …                     | agent steward
golden.*.record_count                  | …                     | …                     | agent steward
golden.*.occurred_at                   | …                     | …                     | agent steward
golden.*.source                        | crm                   | crm                   | agent steward
golden.*.source_record_id              | ***com                | ana@example.com       | agent steward
identifiers.phone.value                | +55***4321            | +5511987654321        | ivr bot pos agent self steward
identifiers.email.value                | a***@example.com      | ana@example.com       | bot agent self steward
identifiers.handle.value               | instagram:a***        | instagram:ana.reis    | bot agent self steward
identifiers.loyalty_id.value           | clube:***665          | clube:998877665       | bot pos agent self steward
identifiers.document.value             | cpf:***705            | cpf:39053344705       | bot pos agent self steward
identifiers.device_id.value            | ***2c3                | device-a1b2c3         | bot agent self steward
identifiers.*.verified                 | …                     | …                     | ivr bot pos agent self steward
identifiers.*.last_seen_at             | …                     | …                     | ivr bot pos agent self steward
identifiers.*.record_ids               | …                     | …                     | steward
profile_id                             | …                     | …                     | ivr bot pos agent self steward
version                                | …                     | …                     | ivr bot pos agent self steward
model_version                          | …                     | …                     | ivr bot pos agent self steward
view                                   | …                     | …                     | ivr bot pos agent self steward
masked                                 | …                     | …                     | ivr bot pos agent self steward
consents.category                      | ***                   | ana@example.com       | ivr bot pos agent self steward
consents.granted                       | …                     | …                     | ivr bot pos agent self steward
consents.asserted_at                   | …                     | …                     | ivr bot pos agent self steward
consents.source                        | crm                   | crm                   | ivr bot pos agent self steward
open_requests                          | …                     | …                     | ivr bot agent self steward
recent_contacts                        | …                     | …                     | bot agent self steward
commerce.carts.cart_id                 | c-1                   | c-1                   | pos agent self steward
commerce.carts.source                  | crm                   | crm                   | pos agent self steward
commerce.carts.item_count              | …                     | …                     | pos agent self steward
commerce.carts.value                   | …                     | …                     | pos agent self steward
commerce.carts.currency                | …                     | …                     | pos agent self steward
commerce.carts.checkout_started_at     | …                     | …                     | pos agent self steward
commerce.carts.last_activity_at        | …                     | …                     | pos agent self steward
commerce.carts.items.product_id        | p-1                   | p-1                   | pos agent self steward
commerce.carts.items.sku               | ***com                | for@example.com       | pos agent self steward
commerce.carts.items.name              | ***                   | Cup 11 98765-4321     | pos agent self steward
commerce.carts.items.variant           | ***                   | ana@example.com       | pos agent self steward
commerce.carts.items.brand             | ***                   | 11987654321           | pos agent self steward
commerce.carts.items.category          | ***                   | 390.533.447-05        | pos agent self steward
commerce.carts.items.price             | 33.3                  | 33.3                  | pos agent self steward
commerce.carts.items.quantity          | …                     | …                     | pos agent self steward
commerce.orders.order_id               | ***321                | 11987654321           | pos agent self steward
commerce.orders.source                 | crm                   | crm                   | pos agent self steward
commerce.orders.status                 | …                     | …                     | pos agent self steward
commerce.orders.placed_at              | …                     | …                     | pos agent self steward
commerce.orders.total                  | 99.9                  | 99.9                  | pos agent self steward
commerce.orders.currency               | …                     | …                     | pos agent self steward
commerce.orders.refunded_total         | …                     | …                     | pos agent self steward
commerce.orders.refunded_at            | …                     | …                     | pos agent self steward
commerce.orders.cancelled_at           | …                     | …                     | pos agent self steward
commerce.orders.items.product_id       | p-1                   | p-1                   | pos agent self steward
commerce.orders.items.sku              | ***com                | for@example.com       | pos agent self steward
commerce.orders.items.name             | ***                   | Cup 11 98765-4321     | pos agent self steward
commerce.orders.items.variant          | ***                   | ana@example.com       | pos agent self steward
commerce.orders.items.brand            | ***                   | 11987654321           | pos agent self steward
commerce.orders.items.category         | ***                   | 390.533.447-05        | pos agent self steward
commerce.orders.items.price            | 33.3                  | 33.3                  | pos agent self steward
commerce.orders.items.quantity         | …                     | …                     | pos agent self steward
commerce.wish_lists.wish_list_id       | w-1                   | w-1                   | agent self steward
commerce.wish_lists.source             | crm                   | crm                   | agent self steward
commerce.wish_lists.name               | ***                   | Ana +5511987654321    | agent self steward
commerce.wish_lists.item_count         | …                     | …                     | agent self steward
commerce.wish_lists.items.product_id   | p-1                   | p-1                   | agent self steward
commerce.wish_lists.items.sku          | ***com                | for@example.com       | agent self steward
commerce.wish_lists.items.name         | ***                   | Cup 11 98765-4321     | agent self steward
commerce.wish_lists.items.variant      | ***                   | ana@example.com       | agent self steward
commerce.wish_lists.items.brand        | ***                   | 11987654321           | agent self steward
commerce.wish_lists.items.category     | ***                   | 390.533.447-05        | agent self steward
commerce.wish_lists.items.price        | 33.3                  | 33.3                  | agent self steward
commerce.wish_lists.items.added_at     | …                     | …                     | agent self steward
commerce.wish_lists                    | …                     | …                     | pos
alerts                                 | …                     | …                     | ivr bot pos agent steward
record_count                           | …                     | …                     | agent steward
state                                  | …                     | …                     | steward
created_at                             | …                     | …                     | steward
updated_at                             | …                     | …                     | steward
"""
# A record of hers, for keys that read inside.
RECORD = """
values.full_name                       | Ana Maria Reis Júnior | Ana Maria Reis Júnior | agent steward
values.given_name                      | Ana                   | Ana                   | agent steward
values.family_name                     | Reis                  | Reis                  | agent steward
values.social_name                     | Nana                  | Nana                  | agent steward
values.agnomen                         | junior                | junior                | agent steward
values.birth_date                      | 1980-**-**            | 1980-02-29            | agent steward
values.gender                          | f                     | f                     | agent steward
values.address.street                  | ***                   | Rua das Flores        | agent steward
values.address.number                  | ***                   | 10                    | agent steward
values.address.postal_code             | 013***                | 01310-100             | agent steward
values.address.city                    | São Paulo             | São Paulo             | agent steward
values.address.region                  | SP                    | SP                    | agent steward
values.address.country                 | BR                    | BR                    | agent steward
values.attributes.occupation           | d***                  | dentist               | agent steward
identifiers.phone.value                | +55***4321            | +5511987654321        | agent steward
identifiers.email.value                | a***@example.com      | ana@example.com       | agent steward
identifiers.handle.value               | instagram:a***        | instagram:ana.reis    | agent steward
identifiers.loyalty_id.value           | clube:***665          | clube:998877665       | agent steward
identifiers.document.value             | cpf:***705            | cpf:39053344705       | agent steward
identifiers.device_id.value            | ***2c3                | device-a1b2c3         | agent steward
identifiers.*.verified                 | …                     | …                     | agent steward
source                                 | crm                   | crm                   | agent steward
source_record_id                       | ***com                | ana@example.com       | agent steward
record_id                              | …                     | …                     | agent steward
occurred_at                            | …                     | …                     | agent steward
received_at                            | …                     | …                     | agent steward
refusals                               | …                     | …                     | agent steward
"""
# What she did, for keys that read inside and for herself; `-` is not there.
TIMELINE = """
type                                   | event                 | event                 | agent self steward
kind                                   | track                 | track                 | agent self steward
name                                   | Order Completed       | Order Completed       | agent self steward
properties.order_id                    | ***321                | 11987654321           | agent self steward
properties.cart_id                     | c-0                   | c-0                   | agent self steward
properties.total                       | 99.9                  | 99.9                  | agent self steward
properties.path                        | ***                   | /11987654321          | agent self steward
properties.query                       | ***                   | 11987654321           | agent self steward
properties.title                       | ['***']               | ['11 98765-4321']     | agent self steward
properties.type                        | ***                   | ana@example.com       | agent self steward
properties.products                    | …                     | …                     | agent self steward
properties.gift_note                   | H***                  | Happy birthday        | agent self steward
properties.email                       | a***                  | ana@example.com       | agent self steward
properties.coupon                      | ***                   | for@example.com       | agent self steward
context.locale                         | pt-BR                 | pt-BR                 | agent self steward
context.campaign.term                  | ***                   | ana@example.com       | agent self steward
context.consent.categoryPreferences.ana@example.com | -        | False                 | agent self steward
context.ip                             | -                     | 203.0.113.7           | agent self steward
source                                 | crm                   | crm                   | agent self steward
event_id                               | …                     | …                     | agent self steward
record_id                              | …                     | …                     | agent self steward
occurred_at                            | …                     | …                     | agent self steward
received_at                            | …                     | …                     | agent self steward
"""
# What a contact with her begins with, for keys that read inside.
CONTEXT = """
profile_id                             | …                     | …                     | agent steward
version                                | …                     | …                     | agent steward
model_version                          | …                     | …                     | agent steward
masked                                 | …                     | …                     | agent steward
display_name                           | Nana                  | Nana                  | agent steward
record_count                           | …                     | …                     | agent steward
carts                                  | …                     | …                     | agent steward
orders                                 | …                     | …                     | agent steward
consents.category                      | ***                   | ana@example.com       | agent steward
consents.granted                       | …                     | …                     | agent steward
consents.asserted_at                   | …                     | …                     | agent steward
consents.source                        | crm                   | crm                   | agent steward
recent_events                          | …                     | …                     | agent steward
open_candidate_count                   | …                     | …                     | agent steward
alerts                                 | …                     | …                     | agent steward
"""
PRODUCT = {
    "product_id": "p-1",
    "sku": "for@example.com",
    "name": "Cup 11 98765-4321",
    "variant": "ana@example.com",
    "brand": "11987654321",
    "category": "390.533.447-05",
    "price": 33.3,
}
ORDER = {
    "userId": "ana@example.com",
    "messageId": "m-1",
    "event": "Order Completed",
    "properties": {
        "order_id": "11987654321",
        "cart_id": "c-0",
        "total": 99.9,
        "path": "/11987654321",
        "query": 11987654321,
        "title": ["11 98765-4321"],
        "type": "ana@example.com",
        "gift_note": "Happy birthday",
        "email": "ana@example.com",
        "coupon": "for@example.com",
        "products": [PRODUCT],
    },
    "context": {
        "locale": "pt-BR",
        "ip": "203.0.113.7",
        "campaign": {"term": "ana@example.com"},
        "consent": {"categoryPreferences": {"ana@example.com": False}},
    },
}
# Later than the order; the timeline tells of both before it.
STILL_WANTED = [
    {"event": "Product Added", "messageId": "m-2", "properties": {"cart_id": "c-1", **PRODUCT}},
    {
        "event": "Product Added to Wishlist",
        "messageId": "m-3",
        "properties": {"wishlist_id": "w-1", "wishlist_name": "Ana +5511987654321", **PRODUCT},
    },
]
# Reads that tell of people without their values, whoever may call them.
VALUELESS = ["/history", "/explanation"]


@dataclass(frozen=True)
class Row:
    path: str
    masked: str
    whole: str
    views: frozenset[str]


def rows(table: str) -> list[Row]:
    cells = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [Row(path, masked, whole, frozenset(views.split())) for path, masked, whole, views in cells]


def expected(table: str, view: str, *, unmask: bool) -> dict[str, str]:
    shown = {each.path: each.whole if unmask else each.masked for each in rows(table) if view in each.views}
    return {path: value for path, value in shown.items() if value != "-"}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path and value of everything in an answer; identifiers stand under their type."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif path.startswith(("commerce", "consents")) and isinstance(value, list) and value:
        for each in value:
            yield from leaves(each, path)
    elif path == "identifiers":
        for each in value:
            yield from leaves({**each, "type": None}, f"{path}.{each['type']}")
    else:
        yield path, value


def seen(document: dict[str, Any]) -> dict[str, str]:
    """The answer in the words of the tables."""
    telling = {
        each.path
        for table in (PROFILE, RECORD, TIMELINE, CONTEXT)
        for each in rows(table)
        if each.masked != "…"
    }
    found: dict[str, set[str]] = defaultdict(set)
    for path, value in leaves(document):
        if path.endswith(".type") and path.startswith("identifiers."):
            continue
        parts = path.split(".")
        shared = ".".join([parts[0], "*", parts[-1]])
        is_shared = parts[0] in ("golden", "identifiers") and "value" not in parts
        name = shared if is_shared else path
        found[name].add(str(value) if name in telling else "…")
    return {name: " / ".join(sorted(values)) for name, values in found.items()}


@dataclass(frozen=True)
class World:
    people: StoreBuilder
    admin: Caller
    profile_id: str
    candidate_id: int

    def caller(self, *scopes: str, **bounds: Any) -> Caller:
        return Caller(self.admin.client, self.people.add_key(*scopes, **bounds))


@pytest.fixture(scope="module")
def world(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Ana, and Rui with her document; nothing here changes them."""
    home = tmp_path_factory.mktemp("matrix")
    url = f"sqlite:///{shutil.copyfile(migrated_file, home / 'cdp.db')}"
    people = StoreBuilder(open_store(url))
    people.add_sources("crm", "whatsapp")
    app = create_app(Settings(home, url, 1.0), clock=lambda: NOW)
    service: Service = app.extensions["cdp"]
    writer = Caller(app.test_client(), people.add_key())
    profile_id = told(writer.write(ANA), 201)["profile_id"]
    told(writer.write(RUI | CPF), 201)
    sender = Caller(writer.client, people.add_key("segment:write", sources=["crm"]))
    for message in (ORDER, *STILL_WANTED):
        told(sender.post("/v1/track", {"userId": ORDER["userId"], **message}))
    [candidate] = told(writer.get("/v1/candidates"))["data"]
    yield World(people, writer, profile_id, candidate["candidate_id"])
    service.read_audit.close()
    service.store.close()
    assert verify_store(people.engine, partition=False).breaches == []
    people.engine.dispose()


each_view = pytest.mark.parametrize("view", VIEWS)
each_mask = pytest.mark.parametrize("unmask", [False, True], ids=["masked", "whole"])


@each_view
@each_mask
def test_a_view_shows_what_the_table_says(world: World, view: str, unmask: bool) -> None:
    reader = world.caller(f"profiles:read:{view}", "profiles:lookup", *(["pii:unmask"] if unmask else []))
    query = f"?view={view}&unmask={str(unmask).lower()}"

    read = reader.get(f"/v1/profiles/{world.profile_id}{query}", headers=PURPOSE)
    asked = {"type": "email", "value": "ana@example.com"}
    looked_up = reader.post(f"/v1/profiles/lookup{query}", asked, headers=PURPOSE)

    assert seen(told(read)) == seen(told(looked_up)) == expected(PROFILE, view, unmask=unmask)


@each_view
@each_mask
def test_records_show_what_the_table_says(world: World, view: str, unmask: bool) -> None:
    reader = world.caller(f"profiles:read:{view}", *(["pii:unmask"] if unmask else []))

    answer = reader.get(
        f"/v1/profiles/{world.profile_id}/records?unmask={str(unmask).lower()}", headers=PURPOSE
    )

    if view not in ("agent", "steward"):
        assert answer.status_code == 404
    else:
        [record] = told(answer)["data"]
        assert seen(record) == expected(RECORD, view, unmask=unmask)


@each_view
@each_mask
def test_the_timeline_shows_what_the_table_says(world: World, view: str, unmask: bool) -> None:
    reader = world.caller(f"profiles:read:{view}", *(["pii:unmask"] if unmask else []))

    answer = reader.get(
        f"/v1/profiles/{world.profile_id}/timeline?unmask={str(unmask).lower()}", headers=PURPOSE
    )

    if view not in ("agent", "steward", "self"):
        assert answer.status_code == 404
    else:
        *_, event = told(answer)["data"]
        assert seen(event) == expected(TIMELINE, view, unmask=unmask)


@each_view
@each_mask
def test_the_context_shows_what_the_table_says(world: World, view: str, unmask: bool) -> None:
    reader = world.caller(f"profiles:read:{view}", *(["pii:unmask"] if unmask else []))

    answer = reader.get(
        f"/v1/profiles/{world.profile_id}/context?unmask={str(unmask).lower()}", headers=PURPOSE
    )

    if view not in ("agent", "steward"):
        assert answer.status_code == 404
    else:
        assert seen(told(answer)) == expected(CONTEXT, view, unmask=unmask)


@each_mask
def test_a_candidate_shows_both_people_as_the_steward_sees_them(world: World, unmask: bool) -> None:
    reader = world.caller("candidates:read", *(["pii:unmask"] if unmask else []))

    answer = reader.get(f"/v1/candidates/{world.candidate_id}?unmask={str(unmask).lower()}", headers=PURPOSE)

    [ana] = [each for each in told(answer)["profiles"] if each["profile_id"] == world.profile_id]
    inside = {"golden": ana["golden"], "identifiers": ana["identifiers"]}
    of_view = expected(PROFILE, "steward", unmask=unmask)
    assert seen(inside) == {
        path: value for path, value in of_view.items() if path.startswith(("golden.", "identifiers."))
    }


@pytest.mark.parametrize("asked", VIEWS)
@each_view
def test_a_key_reads_its_own_view_and_no_other(world: World, view: str, asked: str) -> None:
    reader = world.caller(f"profiles:read:{view}", "profiles:lookup")
    bound = world.caller("admin", views=[view])

    answers = [
        caller.get(f"/v1/profiles/{world.profile_id}?view={asked}").status_code for caller in (reader, bound)
    ]

    assert answers == [200 if asked == view else 404] * 2


@each_view
def test_nothing_else_shows_a_value_of_a_person(world: World, view: str) -> None:
    reader = world.caller(
        f"profiles:read:{view}", "profiles:search", "candidates:read", "profiles:join", "profiles:lookup"
    )
    answers = [
        *(reader.get(f"/v1/profiles/{world.profile_id}{path}") for path in VALUELESS),
        reader.get("/v1/candidates"),
        reader.get("/v1/actions"),
        reader.search({"emails": ["ana@example.com"]}),
        reader.post(
            "/v1/profiles/lookup",
            {
                "identifiers": [
                    {"type": "email", "value": each} for each in ("ana@example.com", "rui@example.com")
                ]
            },
        ),
    ]

    text = "".join(answer.get_data(as_text=True) for answer in answers)

    expected_statuses = [200 if view in ("agent", "steward") else 404] * 2 + [200, 200, 200, 409]
    timeline = reader.get(f"/v1/profiles/{world.profile_id}/timeline")
    assert timeline.status_code == (200 if view in ("agent", "self", "steward") else 404)
    assert [answer.status_code for answer in answers] == expected_statuses
    assert [each for each in personal_values() if each in text] == []


def personal_values() -> Sequence[str]:
    """Values of the tables that would tell who it is, masked or whole."""
    values = {value for each in rows(PROFILE) for value in (each.masked, each.whole)}
    return sorted(value for value in values if len(value) > 4)


READS_WITH_MASK = [
    "/v1/profiles/{profile}",
    "/v1/profiles/{profile}/records",
    "/v1/profiles/{profile}/timeline",
    "/v1/profiles/{profile}/context",
    "/v1/candidates/{candidate}",
]


@pytest.mark.parametrize("path", READS_WITH_MASK)
def test_whole_values_need_the_right_and_a_purpose_and_are_audited(world: World, path: str) -> None:
    address = path.format(profile=world.profile_id, candidate=world.candidate_id) + "?unmask=true"
    without, with_right = (
        world.caller("profiles:read:steward", "candidates:read", *more) for more in ([], ["pii:unmask"])
    )

    answers = [
        without.get(address, headers=PURPOSE),
        with_right.get(address),
        with_right.get(address, headers={"CDP-Purpose": "a nice sentence"}),
        with_right.get(address, headers=PURPOSE),
    ]

    codes = [(answer.status_code, (answer.json or {}).get("code")) for answer in answers]
    assert codes == [
        (403, "scope_missing"),
        (422, "purpose_required"),
        (422, "validation_failed"),
        (200, None),
    ]
    assert ("ticket:4711", True) in audited(world)


def audited(world: World) -> set[tuple[str, bool]]:
    """Purpose, and whether it was unmasked, of all reads."""
    service: Service = world.admin.client.application.extensions["cdp"]
    service.read_audit.flush()
    with world.people.engine.connect() as connection:
        entries = list(connection.scalars(select(schema.audit_entries.c.details)))
    details = [json.loads(each) for each in entries]
    return {(each["purpose"], each["unmasked"]) for each in details if "unmasked" in each}


NOBODY = "pf_00000000000000000000000000"
FORBIDDEN = {
    "profile": ("/v1/profiles/{profile}?view=agent", {"profile": NOBODY}),
    "records": ("/v1/profiles/{profile}/records", {"profile": NOBODY}),
    "history": ("/v1/profiles/{profile}/history", {"profile": NOBODY}),
    "explanation": ("/v1/profiles/{profile}/explanation", {"profile": NOBODY}),
    "context": ("/v1/profiles/{profile}/context", {"profile": NOBODY}),
    "candidate": ("/v1/candidates/{candidate}", {"candidate": 999}),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_one_may_not_see_costs_and_says_what_nothing_does(world: World, name: str) -> None:
    """A key of another source: answer, headers and statements are those about what there is not."""
    path, nothing = FORBIDDEN[name]
    known = {"profile": world.profile_id, "candidate": world.candidate_id}
    stranger = world.caller("admin", sources=["whatsapp"])
    stranger.get(path.format(**known))
    found = []
    for names in (known, known | nothing):
        with recorded_statements(Engine) as statements:
            answer = stranger.get(path.format(**names))
        document = {**(answer.json or {}), "request_id": "", "detail": ""}
        found.append((answer.status_code, document, sorted(answer.headers.keys()), len(statements)))

    (*forbidden, work), (*unknown, least_work) = found
    assert forbidden == unknown
    assert work - least_work <= 1
