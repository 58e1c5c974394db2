"""Segment's own SDKs, unchanged but for the host, against the service as it runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cdp.identity.verify import verify_store
from cdp.store import schema
from tests.api.server import PATIENCE_SECONDS, Serve, Server
from tests.builders import StoreBuilder

SENDERS = Path(__file__).parent / "sdks"
NODE_SDK = "@segment/analytics-node@3.1.0"

Send = Callable[[str, str], None]


def run(command: Sequence[str], **options: Any) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def send_with_python(write_key: str, host: str) -> None:
    run([sys.executable, str(SENDERS / "send.py"), write_key, host, "plain"])


def send_packed_with_python(write_key: str, host: str) -> None:
    run([sys.executable, str(SENDERS / "send.py"), write_key, host, "packed"])


@pytest.fixture(scope="session")
def node_sdk(pytestconfig: pytest.Config) -> Path:
    """A directory where Node finds the SDK; skips where there is no Node, or the SDK cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node: there is no node or npm here")
    assert pytestconfig.cache is not None
    directory = pytestconfig.cache.mkdir("segment-node-sdk")
    if not (directory / "node_modules" / "@segment" / "analytics-node").is_dir():
        install = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
        try:
            run([*install, "--prefix", str(directory), NODE_SDK], cwd=directory)
        except (AssertionError, subprocess.TimeoutExpired) as reason:
            pytest.skip(f"Node: {NODE_SDK} could not be installed: {str(reason)[:200]}")
    return directory


@pytest.fixture
def send(request: pytest.FixtureRequest) -> Send:
    if request.param != "node":
        return {"python": send_with_python, "python packed": send_packed_with_python}[request.param]
    directory: Path = request.getfixturevalue("node_sdk")

    def send_with_node(write_key: str, host: str) -> None:
        script = shutil.copy(SENDERS / "send.mjs", directory)
        run(["node", str(script), write_key, host], cwd=directory)

    return send_with_node


each_sdk = pytest.mark.parametrize("send", ["python", "python packed", "node"], indirect=True)


def ask(server: Server, secret: str, path: str, body: Any = None) -> Any:
    headers = {
        "Authorization": f"Bearer {secret}",
        "Content-Type": "application/json",
        "CDP-Purpose": "test:1",
    }
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{server.address}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)


def kept(people: StoreBuilder) -> dict[str, list[Any]]:
    """Every row but those about reading."""
    tables = [each for each in schema.metadata.sorted_tables if each.name != "audit_entries"]
    with people.engine.connect() as connection:
        return {table.name: list(connection.execute(select(table)).all()) for table in tables}


@pytest.mark.slow
@each_sdk
def test_what_an_sdk_sends_comes_out_right_and_a_replay_changes_nothing(
    serve: Serve, lite_people: StoreBuilder, send: Send
) -> None:
    lite_people.add_sources("web")
    write_key = lite_people.add_key("segment:write", sources=["web"])
    reader = lite_people.add_key()
    server = serve(workers=2)
    server.wait_until_ready()

    send(write_key, f"http://{server.address}")
    once = kept(lite_people)
    send(write_key, f"http://{server.address}")

    profile = ask(server, reader, "/v1/profiles/lookup", {"type": "email", "value": "ana@example.com"})
    path = f"/v1/profiles/{profile['profile_id']}"
    whole = ask(server, reader, f"{path}?view=agent&unmask=true")
    timeline = ask(server, reader, f"{path}/timeline")["data"]
    records = ask(server, reader, f"{path}/records?unmask=true")["data"]
    assert kept(lite_people) == once
    assert {each["source_record_id"] for each in records} == {"u-1", "old-1", "anonymous:a-1"}
    assert [(each["kind"], each["name"]) for each in timeline] == [
        ("alias", None),
        ("identify", None),
        ("group", None),
        ("screen", "Start"),
        ("track", "Order Completed"),
        ("identify", None),
        ("track", "Product Added"),
        ("page", "Home"),
    ]
    assert whole["golden"]["full_name"]["value"] == "Ana Reis"
    assert whole["golden"]["attributes"]["plan"]["value"] == "gold"
    assert whole["golden"]["attributes"]["company"]["value"] == "Acme"
    assert {each["value"] for each in whole["identifiers"] if each["type"] == "phone"} == {"+5511987654321"}
    assert whole["commerce"]["carts"] == []
    [order] = whole["commerce"]["orders"]
    assert (order["order_id"], order["status"], order["total"]) == ("o-1", "completed", 265.0)
    assert [(each["category"], each["granted"]) for each in whole["consents"]] == [("Advertising", False)]
    assert verify_store(lite_people.engine).breaches == []
