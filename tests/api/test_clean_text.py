"""NUL and half a character in an address, a query or a form: refused at the edge, on both databases."""

from __future__ import annotations

import pytest
from flask import Flask, Request
from werkzeug.test import EnvironBuilder

from api.auth import CONSOLE
from api.clean_text import find_unclean
from tests.api.conftest import Caller
from tests.api.test_stewards import told

QUERIES = [
    "candidates?source=a%00",
    "candidates?claimed_by=%00",
    "candidates?assignee=key:%00",
    "candidates?cursor=%00",
    "actions?limit=1%00",
    "candidates?a%00=1",
]


@pytest.mark.parametrize("asked", QUERIES)
def test_nul_in_a_query_is_a_problem_that_names_it(writer: Caller, asked: str) -> None:
    [error] = told(writer.get(f"/v1/{asked}"), 422)["errors"]

    assert error["pointer"] == "/query/" + asked.partition("?")[2].partition("=")[0].replace("%00", "\ufffd")
    assert "NUL" in error["detail"]


@pytest.mark.parametrize("path", ["records/crm/c-1%00", "records/c%00rm/c-1"])
def test_nul_in_a_path_is_nothing_that_there_is(writer: Caller, path: str) -> None:
    assert told(writer.delete(f"/v1/{path}"), 404)["code"] == "not_found"


def test_without_a_key_it_is_not_even_looked_at(writer: Caller) -> None:
    assert writer.client.get("/v1/candidates?source=a%00").status_code == 401


def test_a_number_of_a_path_and_clean_texts_pass(lite_app: Flask) -> None:
    request = Request(EnvironBuilder("/", query_string={"name": "Ana \U0001f600 \ufffd"}).get_environ())
    request.view_args = {"action_id": 3, "source": "crm"}

    assert find_unclean(request) is None


@pytest.mark.parametrize("text", ["\x00", "a\ud800", "\udfffb"])
def test_half_a_character_is_found_wherever_it_stands(lite_app: Flask, text: str) -> None:
    request = Request(EnvironBuilder("/").get_environ())
    request.view_args = {"source": text}

    assert find_unclean(request) == ("path", "source")


@pytest.mark.parametrize("is_console", [True, False])
def test_forms_are_of_the_console_alone(lite_app: Flask, is_console: bool) -> None:
    """The API's bodies are read by their views, once they are known to be small enough."""
    endpoint = f"{CONSOLE}.sign_in" if is_console else "records.write_record"
    rule = next(lite_app.url_map.iter_rules(endpoint))
    request = Request(EnvironBuilder("/", method="POST", data={"name": "a\x00b"}).get_environ())
    request.url_rule = rule

    assert find_unclean(request) == (("form", "name") if is_console else None)
