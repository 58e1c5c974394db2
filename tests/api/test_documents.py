"""The description of the API is valid and complete, and its page needs nobody else's server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from api import create_app
from api.auth import CONSOLE
from api.errors import PROBLEMS
from cdp.identity.profile_ids import profile_ids
from cdp.settings import Settings

METHODS = {"get", "post", "put", "patch", "delete"}
OWN_PAGES = {"/openapi.json", "/docs", "/docs/{file_name}"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application without a store: its description needs none."""
    home = tmp_path_factory.mktemp("home")
    return create_app(Settings(home, f"sqlite:///{home / 'none.db'}", 1.0))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def description(client: FlaskClient) -> Any:
    return client.get("/openapi.json").json


def operations(description: Any) -> Iterator[tuple[str, Any]]:
    for path, item in description["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method} {path}", item[method]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def examples_of(node: Any) -> Iterator[tuple[Any, Any]]:
    """(schema, example) of everything in the description that has one: bodies, parameters, properties."""
    if isinstance(node, dict):
        examples = node.get("examples", [])
        if "schema" in node:
            listed = [node["example"]] if "example" in node else []
            listed += [each["value"] for each in (examples.values() if examples else ())]
            yield from ((node["schema"], example) for example in listed)
        elif isinstance(examples, list):
            yield from ((node, example) for example in examples)
        for value in node.values():
            yield from examples_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from examples_of(value)


def named(node: Any, name: str) -> Iterator[Any]:
    """The schemas of all properties of this name."""
    for schema in node["components"]["schemas"].values():
        if name in schema.get("properties", {}):
            yield schema["properties"][name]


def is_like(description: Any, schema: Any, example: Any) -> bool:
    """Whether an example is what its schema says, references and all."""
    validator = Draft202012Validator({**schema, "components": description["components"]})
    return validator.is_valid(example)


def test_it_is_openapi_3_1(description: Any) -> None:
    assert description["openapi"] == "3.1.0"
    assert description["info"]["title"] == "cdp"
    assert set(description["components"]["securitySchemes"]) == {"bearer", "basic"}


def test_it_is_valid_by_the_schema_of_openapi_3_1(description: Any) -> None:
    assert [
        f"{list(each.instance_path)}: {each}" for each in OPENAPI_31_VALIDATOR.iter_errors(description)
    ] == []


def test_a_description_that_is_not_valid_would_be_noticed(description: Any) -> None:
    description["paths"]["/livez"]["get"]["responses"]["200"].pop("description")

    assert list(OPENAPI_31_VALIDATOR.iter_errors(description))


def test_every_body_and_every_answer_has_an_example(description: Any) -> None:
    without = []
    for name, operation in operations(description):
        told = {"body": operation.get("requestBody", {}), **operation["responses"]}
        for part, each in told.items():
            contents = each.get("content", {}).values()
            without += [
                f"{name} {part}" for content in contents if not {"example", "examples"} & content.keys()
            ]

    assert without == []


def test_examples_of_problems_are_those_of_the_catalogue(description: Any) -> None:
    shown = [
        content["example"]
        for _, operation in operations(description)
        for response in operation["responses"].values()
        for media_type, content in response.get("content", {}).items()
        if media_type == "application/problem+json"
    ]

    assert len({each["code"] for each in shown}) > 15
    for each in shown:
        assert (each["title"], each["status"]) == (
            PROBLEMS[each["code"]].title,
            PROBLEMS[each["code"]].status,
        )


def test_links_lead_to_calls_with_what_the_answer_holds(description: Any) -> None:
    by_id = {operation["operationId"]: (name, operation) for name, operation in operations(description)}
    links = [
        (response, link)
        for _, operation in operations(description)
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]

    assert len(links) > 15
    for response, link in links:
        name, target = by_id[link["operationId"]]
        path = description["paths"][name.partition(" ")[2]]
        known = {each["name"] for each in [*target.get("parameters", []), *path.get("parameters", [])]}
        assert link["parameters"].keys() <= known, link
        for expression in link["parameters"].values():
            assert is_held(response, expression), (link, expression)


def is_held(response: Any, expression: str) -> bool:
    """Whether the example of the answer, or its headers, hold what a link takes."""
    where, _, pointer = expression.partition("#/")
    if where.startswith("$response.header."):
        return where.rpartition(".")[2] in response["headers"]
    if where.startswith("$request."):
        return True
    content = response["content"]["application/json"]
    value = content.get("example") or next(iter(content["examples"].values()))["value"]
    for step in pointer.split("/"):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value is not None


def test_every_route_is_described(app: Flask, description: Any) -> None:
    routes = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith(f"{CONSOLE}.")
    }

    assert set(description["paths"]) == routes - OWN_PAGES


def test_every_group_has_an_operation(description: Any) -> None:
    groups = [each["name"] for each in description["tags"]]

    used = {tag for _, operation in operations(description) for tag in operation["tags"]}
    assert sorted(groups) == sorted(used)


def test_every_reference_leads_somewhere(description: Any) -> None:
    for reference in references(description):
        node = description
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_every_operation_has_name_words_rights_and_problems(description: Any) -> None:
    names = [operation["operationId"] for _, operation in operations(description)]

    assert len(names) == len(set(names))
    for name, operation in operations(description):
        assert operation["summary"], name
        assert "security" in operation, name
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/PROBLEM"}, name
    assert list(description["components"]["responses"]["PROBLEM"]["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("are_public", [True, False])
def test_the_metrics_are_described_as_public_where_they_are(tmp_path: Path, are_public: bool) -> None:
    app = create_app(
        Settings(tmp_path, f"sqlite:///{tmp_path / 'no.db'}", 1.0, metrics_are_public=are_public)
    )

    described: Any = app.test_client().get("/openapi.json").json

    assert (described["paths"]["/metrics"]["get"]["security"] == []) is are_public


def test_headers_that_are_described_leave_the_query_as_it_is(description: Any) -> None:
    def told(method: str, path: str) -> set[str]:
        return {each["name"] for each in description["paths"][path][method]["parameters"]}

    assert told("get", "/v1/profiles/{profile_id}") == {"view", "unmask", "If-None-Match", "CDP-Purpose"}
    assert told("post", "/v1/profiles/join") == {"dry_run", "unmask", "Idempotency-Key", "CDP-Purpose"}


def test_whoever_reads_people_may_say_what_for(description: Any) -> None:
    telling = [
        name
        for name, operation in operations(description)
        if "CDP-Purpose" in [each["name"] for each in operation.get("parameters", [])]
    ]
    unmasking = [
        name
        for name, operation in operations(description)
        if "unmask" in [each["name"] for each in operation.get("parameters", [])]
    ]

    assert len(unmasking) >= 9
    assert set(telling) > set(unmasking)
    assert len(telling) == len(set(telling))


def test_no_operation_names_a_parameter_twice(description: Any) -> None:
    for name, operation in operations(description):
        named_so = [(each["in"], each["name"]) for each in operation.get("parameters", [])]
        assert len(named_so) == len(set(named_so)), name


def test_problems_are_never_described_as_plain_json(description: Any) -> None:
    for name, operation in operations(description):
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")) and "content" in response:
                assert list(response["content"]) == ["application/problem+json"], f"{name} {status}"


def test_examples_are_there(description: Any) -> None:
    lookup = description["paths"]["/v1/profiles/lookup"]["post"]

    assert lookup["requestBody"]["content"]["application/json"]["examples"]["one"]["value"]
    assert lookup["responses"]["200"]["content"]["application/json"]["example"]["golden"]


def test_examples_are_what_their_schemas_say(description: Any) -> None:
    examples = list(examples_of(description))

    assert len(examples) > 30
    assert [each for schema, each in examples if not is_like(description, schema, each)] == []


@pytest.mark.parametrize("change", [{"version": "three"}, {"view": "none"}, {"shoe_size": 41}], ids=str)
def test_a_wrong_example_would_be_noticed(description: Any, change: dict[str, Any]) -> None:
    answer = description["paths"]["/v1/profiles/lookup"]["post"]["responses"]["200"]
    [(schema, example)] = examples_of(answer)

    assert not is_like(description, schema, {**example, **change})


def test_profile_ids_in_examples_are_such_as_the_service_makes(description: Any) -> None:
    shape = re.compile("pf_[0-9a-z]{26}")
    made = profile_ids(datetime(2026, 11, 22, tzinfo=UTC))()

    of_properties = [each for schema in named(description, "profile_id") for each in schema["examples"]]
    of_bodies = re.findall(r"'profile_id': '([^']*)'", str([each for _, each in examples_of(description)]))

    assert (len(of_properties) > 5, len(of_bodies) > 20) == (True, True)
    assert all(shape.fullmatch(each) for each in [made, *of_properties, *of_bodies])


def test_the_page_loads_only_from_here(client: FlaskClient) -> None:
    page = client.get("/docs")

    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True))
    assert addresses
    for address in addresses:
        assert address.startswith("/")
        assert client.get(address).status_code == 200
    assert "<title>cdp: API</title>" in page.get_data(as_text=True)
    assert "<style" not in page.get_data(as_text=True)
    assert re.search(r"<script(?! src=)", page.get_data(as_text=True)) is None


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js"])
def test_the_page_may_run_nothing_inline(client: FlaskClient, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_renderer_knows_openapi_3_1(client: FlaskClient) -> None:
    bundle = client.get("/docs/swagger-ui-bundle.js").get_data(as_text=True)

    assert "openapi-3-1" in bundle or "OpenAPI 3.1" in bundle or "oas31" in bundle


@pytest.mark.parametrize("name", ["index.html", "swagger-ui.css.map", "..%2f__init__.py", "%00"])
def test_no_other_file_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404


def test_a_file_that_the_reader_has_is_not_sent_again(client: FlaskClient) -> None:
    etag = client.get("/docs/swagger-ui.css").headers["ETag"]

    assert client.get("/docs/swagger-ui.css", headers={"If-None-Match": etag}).status_code == 304


def test_the_description_of_views_is_json(description: Any) -> None:
    assert len(json.dumps(description["components"]["schemas"]["AgentView"])) > 100
