"""NUL in a query or a form of the console: its own page says so, on both databases."""

from __future__ import annotations

import pytest

from tests.console.conftest import Visitor


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """On both databases: what a text may hold is another thing on each."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.mark.parametrize(
    ("address", "status"),
    [("queue?source=%00", 422), ("queue?a%00=1", 422), ("search?q=%00", 422), ("profiles/%00", 404)],
)
def test_nul_in_an_address_is_a_page_that_says_so(steward: Visitor, address: str, status: int) -> None:
    answer = steward.get(f"/console/{address}")

    assert (answer.status_code, answer.mimetype) == (status, "text/html")


def test_nul_in_a_name_is_no_sign_in(visitor: Visitor) -> None:
    answer = visitor.sign_in("a\0b", "whatever it is")

    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert "Something in the form is missing or out of bounds." in answer.get_data(as_text=True)


def test_nul_in_the_place_to_go_back_to_leads_nowhere(visitor: Visitor) -> None:
    assert visitor.get("/console/sign-in?next=/console/%00").status_code == 422


@pytest.mark.parametrize("name", ["%00", "nothing.css"])
def test_a_file_that_there_is_not_is_a_page_that_says_so(steward: Visitor, name: str) -> None:
    assert steward.get(f"/console/static/{name}").status_code == 404
