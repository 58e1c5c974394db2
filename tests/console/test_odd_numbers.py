"""Numbers and reasons that no store could hold, in addresses and forms: pages that say so, never a failure."""

from __future__ import annotations

import pytest

from tests.console.conftest import Visitor
from tests.console.test_review import page

BEYOND = "99999999999999999999"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"review/{BEYOND}", 404),
        (f"review/{BEYOND}/effect", 404),
        (f"actions/{BEYOND}/undo", 404),
        (f"ledger/{BEYOND}/undo", 404),
        (f"proposals/{BEYOND}", 404),
        (f"proposals?after={BEYOND}", 422),
        ("proposals?after=x", 422),
        (f"actions?before={BEYOND}", 422),
        (f"models/{BEYOND}", 404),
        (f"review/{BEYOND}/audit", 404),
    ],
)
def test_an_address_with_a_number_beyond_the_store_says_so(lead: Visitor, address: str, status: int) -> None:
    answer = lead.get(f"/console/{address}")

    assert (answer.status_code, answer.mimetype) == (status, "text/html")


def test_a_reason_of_a_refusal_or_an_undo_has_its_limit_too(steward: Visitor) -> None:
    steward.get("/console/queue")

    answers = [
        steward.post(f"/console/{address}", reason="x" * 1001)
        for address in ("actions/1/undo", "proposals/1/refuse")
    ]

    assert ["longer than 1,000" in page(each) or "longer than 1000" in page(each) for each in answers] == [
        True,
        True,
    ]


@pytest.mark.parametrize("number", [BEYOND, "٣", "²"])
def test_a_form_with_a_number_beyond_the_store_says_so(steward: Visitor, number: str) -> None:
    steward.get("/console/queue")

    answers = [
        steward.post("/console/queue/bulk", candidate_id=number, decision="same", reason="x"),
        steward.post("/console/profiles/pf_00000000000000000000000000/split", record_id=number, reason="x"),
        steward.post(f"/console/review/{BEYOND}/claim"),
        steward.post(f"/console/proposals/{BEYOND}/refuse"),
    ]

    assert {each.status_code for each in answers} <= {404, 422}
