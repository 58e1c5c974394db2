"""How numbers stand on pages: no sign of nothing, and nothing rounded to all."""

from __future__ import annotations

import pytest
from flask import Flask


@pytest.mark.parametrize(
    ("form", "value", "shown"),
    [
        ("weight", 0.04, "0.0"),
        ("weight", -0.04, "0.0"),
        ("weight", -0.06, "−0.1"),
        ("weight", 9.96, "+10.0"),
        ("weight", None, "–"),
        ("percent", 0.99999, "> 99.9%"),
        ("percent", 1.0, "100%"),
        ("percent", 1 - 1e-12, "100%"),
        ("percent", 0.999, "99.9%"),
        ("percent", 0.5, "50.0%"),
        ("percent", 0.0001, "< 0.1%"),
        ("percent", 0.0, "0%"),
        ("percent", None, "–"),
    ],
)
def test_a_number_tells_no_more_than_it_is(app: Flask, form: str, value: float | None, shown: str) -> None:
    with app.test_request_context("/console/"):
        assert app.jinja_env.filters[form](value) == shown
