"""Which documents two profiles differ in, and which they share."""

from __future__ import annotations

import pytest

from cdp.stewardship.reason_telling import Documents, compare_documents


@pytest.mark.parametrize(
    ("left", "right", "differ", "shared"),
    [
        ({}, {}, [], []),
        ({"cpf": {"1"}}, {}, [], []),
        ({"cpf": {"1"}}, {"nif": {"1"}}, [], []),
        ({"cpf": {"1"}}, {"cpf": {"1"}}, [], ["cpf"]),
        ({"cpf": {"1"}}, {"cpf": {"2"}}, ["cpf"], []),
        ({"cpf": {"1"}}, {"cpf": {"1", "2"}}, ["cpf"], ["cpf"]),
        ({"cpf": {"1"}, "nif": {"3"}}, {"cpf": {"2"}, "nif": {"3"}}, ["cpf"], ["nif"]),
    ],
)
def test_documents_of_two_profiles(
    left: Documents, right: Documents, differ: list[str], shared: list[str]
) -> None:
    assert compare_documents(left, right) == (differ, shared)
