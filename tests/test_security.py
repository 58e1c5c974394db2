"""The page about security names tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda part: part)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text("utf-8"))

    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_of_the_ten_risks_has_a_test() -> None:
    rows = re.findall(r"^\| (API\d+) .*", PAGE, re.MULTILINE)
    lines = [line for line in PAGE.splitlines() if line.startswith("| API")]

    assert rows == [f"API{number}" for number in range(1, 11)]
    assert [line for line in lines if "::test_" not in line] == []
