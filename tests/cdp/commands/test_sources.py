"""`cdp source`: what the API takes records of."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, select

from cdp.commands import main
from cdp.engagement.message import RefusedMessageError
from cdp.engagement.receive_messages import receive_messages
from cdp.engagement.rejected_messages import reject
from cdp.identity.sources import select_sources
from cdp.realtime.ingest import Resolver
from cdp.realtime.online_models import OnlineModels
from cdp.store import read
from cdp.store.schema import audit_entries
from resolution.standardize import SourceSettings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def run_json(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def configured(store: Engine, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A migrated store that the environment names."""
    monkeypatch.setenv("CDP_DATABASE_URL", store_url)
    return store


def audited(engine: Engine) -> list[tuple[str, str, str, Any]]:
    table = audit_entries
    statement = select(table.c.actor, table.c.action, table.c.object_id, table.c.details)
    with read(engine) as connection:
        rows = connection.execute(statement.where(table.c.object_kind == "source").order_by(table.c.audit_id))
        return [(row.actor, row.action, row.object_id, json.loads(row.details)) for row in rows]


def test_a_source_is_created_with_its_habits(configured: Engine) -> None:
    told = run_json(
        "source", "create", "web form", "--default-region", "pt", "--default-area-code", "21", "--date-order", "ymd",
        "--trust", "30", "--own-domain", "Loja.example.com", "--own-domain", "example.com", "--claims",
    )  # fmt: skip

    with read(configured) as connection:
        found = select_sources(connection)["web form"]
    assert found.settings == SourceSettings(
        "PT", "21", "ymd", frozenset({"example.com", "loja.example.com"}), True
    )
    assert found.trust == 30
    assert told["own_domains"] == ["example.com", "loja.example.com"]
    assert audited(configured) == [("command:source", "source.create", "web form", told)]


@pytest.mark.parametrize(("region", "date_order"), [("BR", "dmy"), ("US", "mdy")])
def test_the_region_says_how_dates_are_typed(configured: Engine, region: str, date_order: str) -> None:
    run("source", "create", "crm", "--default-region", region)

    [found] = run_json("source", "list")
    assert (found["date_order"], found["trust"], found["claims"]) == (date_order, 50, False)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["a/b"], 1, "has no slash"),
        ([".."], 1, "more than dots"),
        (["x" * 201], 1, "1 to 200 characters"),
        (["a\tb"], 1, "characters that print"),
        ([" crm"], 1, "no blank at its ends"),
        (["new", "--default-region", "Brazil"], 1, "two capital letters"),
        (["new", "--default-area-code", "x1"], 1, "up to five digits"),
        (["new", "--trust", "101"], 2, "101 is not in the range"),
        (["crm"], 1, "There is a source crm already"),
    ],
    ids=["slash", "dots", "long", "tab", "blank", "region", "area code", "trust", "taken"],
)
def test_what_cannot_be_a_source_is_one_line(
    configured: Engine, arguments: list[str], code: int, told: str
) -> None:
    run_json("source", "create", "crm")

    result = run("source", "create", *arguments)

    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (code, "", 1)
    assert told in result.stderr
    assert len(run_json("source", "list")) == 1
    assert len(audited(configured)) == 1


def test_trust_and_claims_are_changed_and_nothing_else(configured: Engine) -> None:
    before = run_json("source", "create", "crm", "--own-domain", "example.com", "--default-area-code", "11")

    told = run_json("source", "set", "crm", "--trust", "80", "--claims")

    after = {**before, "trust": 80, "claims": True}
    assert told == {"source": after, "changed": True}
    assert run_json("source", "list") == [after]
    assert audited(configured)[1:] == [
        ("command:source", "source.change", "crm", {"before": before, "after": after})
    ]


def test_a_change_that_changes_nothing_leaves_no_trace(configured: Engine) -> None:
    run_json("source", "create", "crm", "--claims")

    assert run_json("source", "set", "crm", "--claims", "--trust", "50")["changed"] is False

    assert len(audited(configured)) == 1
    assert run("source", "set", "crm", "--claims").stdout == "Source crm was so already.\n"


def test_a_change_says_what_it_does_to_what_is_stored(configured: Engine) -> None:
    run_json("source", "create", "crm", "--claims")

    lines = run("source", "set", "crm", "--no-claims", "--trust", "0").stdout.splitlines()

    assert lines[0] == "Source crm is changed."
    assert "Run `cdp resolve`: it makes the golden records anew" in lines[1]
    assert "those in the store stay as they were read" in lines[2]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["set", "shop", "--trust", "10"], 1, "There is no source shop"),
        (["set", "shop"], 2, "Give --trust, --claims or --no-claims."),
    ],
    ids=["unknown", "nothing"],
)
def test_a_change_of_nothing_is_one_line(
    configured: Engine, arguments: list[str], code: int, told: str
) -> None:
    result = run("source", *arguments)

    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (code, "", 1)
    assert told in result.stderr


def test_sources_are_listed_for_people(configured: Engine) -> None:
    empty = run("source", "list").stdout
    run_json("source", "create", "web", "--claims", "--own-domain", "example.com")
    run_json("source", "create", "crm", "--trust", "90", "--default-area-code", "11")

    assert empty.startswith("There is no source yet")
    crm, web = run("source", "list").stdout.splitlines()
    assert crm.split() == ["crm", "trust", "90", "BR", "11", "dmy"]
    assert web.split() == ["web", "trust", "50", "BR", "dmy", "claims", "example.com"]


def test_refused_messages_are_listed_without_what_they_said(configured: Engine) -> None:
    run_json("source", "create", "web")
    refused = {"type": "track", "messageId": "m-1", "traits": {"email": "ana@example.com"}}
    rejection = reject(0, refused, RefusedMessageError("missing", "event is missing", "/event"))
    resolver = Resolver(configured, OnlineModels())
    receive_messages(resolver, [rejection], source="web", author="key:test", now=datetime.now(UTC))

    [told] = run_json("source", "rejected", "web")
    words = run("source", "rejected").stdout
    unknown = run("source", "rejected", "kiosk")

    assert (told["message_id"], told["code"], told["pointer"]) == ("m-1", "missing", "/event")
    assert "m-1  missing  /event: event is missing" in words
    assert "ana@example.com" not in words + str(told)
    assert (unknown.exit_code, "kiosk" in unknown.stderr) == (1, True)
