"""POST /v1/profiles/lookup: the profile, nobody, or the candidates; nothing a caller should not learn."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask, Response, g
from flask.testing import FlaskClient
from sqlalchemy import event

from cdp.store.schema import IDENTIFIER_KINDS
from tests.api.conftest import Caller, admin
from tests.builders import StoreBuilder, a_record
from tests.statements import recorded_statements

RUI = a_record(source_record_id="c-2", full_name="Rui Reis", emails=["rui@example.com"])


class WatchedBody(io.BytesIO):
    """A body that notes whether the request holds a snapshot when it is read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.snapshots: set[bool] = set()

    def read(self, size: int | None = -1) -> bytes:
        self.snapshots.add("snapshot" in g)
        return super().read(size)

    def readinto(self, buffer: Any) -> int:
        self.snapshots.add("snapshot" in g)
        return super().readinto(buffer)


def test_a_phone_as_typed_finds_the_view(client: FlaskClient, people: StoreBuilder) -> None:
    ana = people.add_profile(a_record())

    answer = admin(client, people).look_up("phone", "11 98765-4321")

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["profile_id"] == ana.profile_id
    assert answer.json["view"] == "agent"
    assert answer.json["golden"]["full_name"]["value"] == "Ana Reis"
    assert answer.headers["Content-Location"] == f"/v1/profiles/{ana.profile_id}"


@pytest.mark.parametrize("root", ["", "/caf\u00e9 & co"])
def test_headers_need_nothing_that_werkzeug_would_mend(
    lite_client: FlaskClient, lite_people: StoreBuilder, root: str
) -> None:
    lite_people.add_profile(a_record())
    headers = {"Authorization": f"Bearer {admin(lite_client, lite_people).secret}"}
    asked = {"type": "email", "value": "ana@example.com"}
    app = lite_client.application

    with app.test_request_context(
        "/v1/profiles/lookup", f"http://x{root}", method="POST", json=asked, headers=headers
    ):
        answer = app.full_dispatch_request()

    assert answer.status_code == 200
    assert answer.get_wsgi_headers({}) == Response.get_wsgi_headers(answer, {})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "ANA@example.com"),
        ("handle", "instagram:@ana.reis"),
        ("handle", {"network": "instagram", "handle": "ana.reis"}),
        ("instagram", "@ana.reis"),
        ("document", "cpf:390.533.447-05"),
        ("cpf", "390.533.447-05"),
        ("loyalty_id", "clube:998877"),
        ("device_id", "device-a1b2"),
    ],
    ids=["email", "handle", "parts", "network", "document", "cpf", "loyalty", "device"],
)
def test_every_kind_finds(lite_client: FlaskClient, lite_people: StoreBuilder, kind: str, value: Any) -> None:
    ana = lite_people.add_profile(
        a_record(
            handles=[{"network": "instagram", "handle": "@ana.reis"}],
            loyalty_ids=[{"program": "clube", "number": "998877"}],
            documents=[{"type": "cpf", "number": "390.533.447-05"}],
            device_ids=["device-a1b2"],
        )
    )

    answer = admin(lite_client, lite_people).look_up(kind, value)

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["profile_id"] == ana.profile_id


def test_unknown_generic_and_foreign_answer_the_same(client: FlaskClient, people: StoreBuilder) -> None:
    people.add_profile(a_record())
    people.share("phone", "+5511987654321", "generic")
    caller = admin(client, people)
    bound = Caller(client, people.add_key("profiles:lookup", "profiles:read:agent", sources=["shop"]))

    answers = [
        caller.look_up("email", "nobody@example.com"),
        caller.look_up("phone", "11 98765-4321"),
        bound.look_up("email", "ana@example.com"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({_without_request_id(answer.json) for answer in answers}) == 1


def test_identifiers_of_several_answer_with_the_candidates(client: FlaskClient, people: StoreBuilder) -> None:
    ana = people.add_profile(a_record(phones=None))
    rui = people.add_profile({**RUI, "phones": ["11 3333-4444"]})
    body = {
        "identifiers": [
            {"type": "email", "value": "ana@example.com"},
            {"type": "phone", "value": "11 3333-4444"},
        ]
    }

    answer = admin(client, people).post("/v1/profiles/lookup", body)

    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["code"] == "several_profiles"
    assert answer.json["candidates"] == [
        {"profile_id": ana.profile_id, "identifiers": [{"type": "email", "pointer": "/identifiers/0"}]},
        {"profile_id": rui.profile_id, "identifiers": [{"type": "phone", "pointer": "/identifiers/1"}]},
    ]


def test_a_shared_value_of_several_is_a_question(client: FlaskClient, people: StoreBuilder) -> None:
    people.add_profile(a_record())
    people.add_profile(RUI)
    people.share("phone", "+5511987654321", "shared")
    caller = admin(client, people)

    several = caller.look_up("phone", "11 98765-4321")
    one = caller.post(
        "/v1/profiles/lookup",
        {
            "identifiers": [
                {"type": "phone", "value": "11 98765-4321"},
                {"type": "email", "value": "rui@example.com"},
            ]
        },
    )

    assert several.status_code == 409
    assert one.status_code == 200


def test_the_answer_says_where_it_lives(client: FlaskClient, people: StoreBuilder) -> None:
    ana = people.add_profile(a_record())

    answer = admin(client, people).look_up("email", "ana@example.com", query_string={"view": "ivr"})

    assert answer.json is not None
    assert answer.json["profile_id"] == ana.profile_id
    assert answer.headers["Content-Location"] == f"/v1/profiles/{ana.profile_id}?view=ivr"


def test_a_key_that_reads_no_view_gets_the_reference(
    lite_client: FlaskClient, lite_people: StoreBuilder
) -> None:
    ana = lite_people.add_profile(a_record())
    caller = Caller(lite_client, lite_people.add_key("profiles:lookup"))

    answer = caller.look_up("email", "ana@example.com")

    assert answer.json == {"profile_id": ana.profile_id, "version": 1, "model_version": 0}


def test_lookup_needs_its_scope(lite_client: FlaskClient, lite_people: StoreBuilder) -> None:
    caller = Caller(lite_client, lite_people.add_key("profiles:read:agent"))

    answer = caller.look_up("email", "ana@example.com")

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["code"] == "scope_missing"


def test_the_region_of_the_request_comes_before_the_setting(
    lite_client: FlaskClient, lite_people: StoreBuilder
) -> None:
    lite_people.add_profile(a_record(phones=["+351 912 345 678"]))
    caller = admin(lite_client, lite_people)
    body = {"type": "phone", "value": "912 345 678"}

    assert caller.post("/v1/profiles/lookup", {**body, "region": "PT"}).status_code == 200
    assert caller.post("/v1/profiles/lookup", body).status_code in (404, 422)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/type"]),
        ({"type": "phone"}, ["/value"]),
        ({"type": "phone", "value": ""}, ["/value"]),
        ({"type": "phone", "value": 11987654321}, ["/value"]),
        ({"type": "phone", "value": "1" * 321}, ["/value"]),
        ({"type": "x" * 41, "value": "1"}, ["/type"]),
        ({"type": "phone", "value": "1", "colour": "red"}, ["/colour"]),
        ({"type": "phone", "value": "1", "region": "brazil"}, ["/region"]),
        ({"identifiers": []}, ["/identifiers"]),
        ({"identifiers": [{"type": "phone"}]}, ["/identifiers/0/value"]),
        ({"identifiers": [{"type": "phone", "value": "1"}] * 21}, ["/identifiers"]),
        ({"identifiers": [{"type": "phone", "value": "1"}], "type": "phone"}, ["/identifiers"]),
        ([], [""]),
        ("phone", [""]),
    ],
    ids=str,
)
def test_wrong_shapes_say_where(
    lite_client: FlaskClient, lite_people: StoreBuilder, body: Any, pointers: list[str]
) -> None:
    answer = admin(lite_client, lite_people).post("/v1/profiles/lookup", body)

    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["code"] == "validation_failed"
    assert [each["pointer"] for each in answer.json["errors"]] == pointers


def test_a_kind_that_there_is_not_is_told_with_those_that_there_are(
    lite_client: FlaskClient, lite_people: StoreBuilder
) -> None:
    answer = admin(lite_client, lite_people).look_up("shoe", "42")

    assert answer.json is not None
    [error] = answer.json["errors"]
    assert error["pointer"] == "/type"
    for kind in IDENTIFIER_KINDS:
        assert kind in error["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"type": "phone", "value": "000"}, "/value"),
        ({"type": "shoe", "value": "42"}, "/type"),
        ({"type": "email", "value": "nao@tem"}, "/value"),
        ({"identifiers": [{"type": "shoe", "value": "42"}]}, "/identifiers/0/type"),
    ],
    ids=str,
)
def test_what_can_be_no_identifier_is_refused(
    lite_client: FlaskClient, lite_people: StoreBuilder, body: Any, pointer: str
) -> None:
    answer = admin(lite_client, lite_people).post("/v1/profiles/lookup", body)

    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["code"] == "identifier_invalid"
    assert answer.json["errors"][0]["pointer"] == pointer


def test_an_unusable_identifier_does_not_spoil_the_others(
    lite_client: FlaskClient, lite_people: StoreBuilder
) -> None:
    lite_people.add_profile(a_record())
    body = {"identifiers": [{"type": "phone", "value": "000"}, {"type": "email", "value": "ana@example.com"}]}

    assert admin(lite_client, lite_people).post("/v1/profiles/lookup", body).status_code == 200


def test_every_lookup_is_audited_without_values(
    app: Flask, client: FlaskClient, people: StoreBuilder
) -> None:
    ana = people.add_profile(a_record())
    rui = people.add_profile(RUI)
    caller = admin(client, people)

    caller.look_up("email", "ana@example.com", headers={"CDP-Purpose": "ticket:4711"})
    caller.look_up("email", "nobody@example.com")
    caller.look_up("phone", "11 98765-4321")
    app.extensions["cdp"].read_audit.flush()

    found, nobody, several = people.audited()
    assert (found["action"], found["object_id"]) == ("profile.read", ana.profile_id)
    assert found["details"]["purpose"] == "ticket:4711"
    assert found["actor"].startswith("key:")
    assert (nobody["action"], nobody["object_id"]) == ("profile.lookup_none", "none")
    assert several["details"]["profile_ids"] == [ana.profile_id, rui.profile_id]
    assert "example.com" not in str([found, nobody, several])
    assert "987654321" not in str([found, nobody, several])


def test_a_lookup_takes_three_statements(
    lite_app: Flask, lite_client: FlaskClient, lite_people: StoreBuilder
) -> None:
    lite_people.add_profile(a_record())
    caller = admin(lite_client, lite_people)

    with recorded_statements(lite_app.extensions["cdp"].store.engine()) as statements:
        caller.look_up("phone", "11 98765-4321")

    assert len(statements) == 3, statements


def test_a_lookup_and_its_caller_are_read_in_one_snapshot(
    lite_app: Flask, lite_client: FlaskClient, lite_people: StoreBuilder
) -> None:
    lite_people.add_profile(a_record())
    caller = admin(lite_client, lite_people)
    ran: list[str] = []
    engine = lite_app.extensions["cdp"].store.engine()
    event.listen(engine, "connect", lambda driver, _: driver.set_trace_callback(ran.append))
    engine.dispose()

    found = caller.look_up("phone", "11 98765-4321").status_code
    nobody = caller.look_up("phone", "11 98765-0000").status_code

    assert (found, nobody) == (200, 404)
    assert ran.count("BEGIN") == 2, ran


@pytest.mark.parametrize("length", [31, 100_000], ids=["small", "large"])
def test_a_body_is_waited_for_without_a_snapshot(
    lite_client: FlaskClient, lite_people: StoreBuilder, length: int
) -> None:
    lite_people.add_profile(a_record())
    caller = admin(lite_client, lite_people)
    body = WatchedBody(b'{"type": "email", "value": "a"}'.ljust(length))

    answer = lite_client.post(
        "/v1/profiles/lookup",
        input_stream=body,
        headers={"Authorization": f"Bearer {caller.secret}"},
        content_type="application/json",
        content_length=length,
    )

    assert answer.status_code == 422, answer.text
    assert body.snapshots == {False}


def _without_request_id(document: Any) -> str:
    return str({name: value for name, value in document.items() if name != "request_id"})
