"""How pages are laid out: numbers without a sign of nothing and not rounded to all, what scrolls reached by Tab."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.console.catalogues import CONSOLE


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


def test_what_scrolls_sideways_is_reached_by_tab_and_has_a_name() -> None:
    looks = (CONSOLE / "static" / "console.css").read_text("utf-8")
    scrolling = "|".join(re.findall(r"^\.(\w+) \{[^}]*overflow-x: auto", looks, re.MULTILINE))
    opened = re.compile(rf'class="[^"]*\b(?:{scrolling})\b[^"]*"(.{{0,30}})')

    found = {
        (template.name, after)
        for template in CONSOLE.glob("templates/**/*.html")
        for after in opened.findall(template.read_text("utf-8"))
    }

    assert scrolling == "wide|chart"
    assert len(found) > 20
    assert [each for each in found if not re.match(r"\{\{ (parts\.)?scrolls\(", each[1])] == []
