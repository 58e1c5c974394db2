"""`make audit` says what is known of the packages, and never that nothing is wrong where nothing is known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.audit import CLEAN, UNKNOWN, VULNERABLE, judge_run

SOUND = {"name": "flask", "version": "3.1.3", "vulns": []}
SICK = {
    "name": "jinja2",
    "version": "3.0.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"], "aliases": [], "description": "long"}],
}
UNASKED = {"name": "alembic", "skip_reason": "Dependency not found on PyPI and could not be audited"}


@pytest.mark.parametrize(
    ("packages", "code", "first"),
    [
        ([SOUND, SOUND], CLEAN, "2 packages, none with a known vulnerability."),
        ([SOUND, SICK], VULNERABLE, "jinja2 3.0.0: PYSEC-1, mended in 3.1.6"),
        ([SICK, UNASKED], VULNERABLE, "jinja2 3.0.0: PYSEC-1, mended in 3.1.6"),
        ([SOUND, UNASKED], UNKNOWN, "1 of 2 packages could not be asked about."),
    ],
    ids=["clean", "vulnerable", "vulnerable-and-unknown", "unknown"],
)
def test_the_answer_is_as_good_as_what_is_known(packages: list[Any], code: int, first: str) -> None:
    told = judge_run(json.dumps({"dependencies": packages, "fixes": []}), "No known vulnerabilities found")

    assert told[0] == code
    assert told[1][0].startswith(first)
    assert ("no clean bill" in " ".join(told[1])) is (UNASKED in packages)


def test_a_run_that_answered_nothing_tells_why() -> None:
    code, lines = judge_run("", "Traceback\n  File\nConnectionError: api.osv.dev cannot be resolved\n")

    assert code == UNKNOWN
    assert lines[0] == "ConnectionError: api.osv.dev cannot be resolved"
    assert "no clean bill" in lines[1]
