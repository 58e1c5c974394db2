"""The tables of `cdp evaluate` in a narrow terminal."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.table import Table

from cdp.commands.evaluate import make_table

PROFILE = "pf_01j8zq5w3k9m7xh2t4v6b8n0pd"


def printed(table: Table) -> str:
    console = Console(width=80, file=StringIO(), record=True)
    console.print(table)
    return console.export_text()


def test_ids_are_whole_and_nothing_is_cut() -> None:
    parts = [f"customer-{number:06} ({number})" for number in range(7)]
    columns = ("profile", "records", "wrong pairs", "entities")

    shown = printed(make_table("Worst", columns, [(PROFILE, 7, 1234, ", ".join(parts))]))

    assert [each for each in (PROFILE, "1,234", *parts) if each not in shown] == []


def test_a_name_longer_than_its_column_goes_on_in_the_next_line() -> None:
    flag = "surname_before_marriage_" * 4
    columns = ("flag", "records", "missed pairs", "share / base", "wrong pairs", "share / base")

    shown = printed(make_table("Errors", columns, [(flag, 1, 2, "12.3% / 4.5%", 3, "12.3% / 4.5%")]))

    cells = [line.split("│")[1].strip() for line in shown.splitlines() if "│" in line]
    assert "".join(cells) == flag
