"""What spreadsheets do to values, and how much of it can be taken back."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

# A number shown with an exponent: digits are gone, nothing brings them back. Spreadsheets always write E+.
DESTROYED_NUMBER = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+\d{1,3}")
CELL_ERRORS = frozenset(
    {
        "#N/A",
        "#N/D",
        "#REF!",
        "#VALUE!",
        "#VALOR!",
        "#NAME?",
        "#NOME?",
        "#DIV/0!",
        "#NULL!",
        "#NULO!",
        "#NUM!",
    }
)
DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  Serial 60 is the day that never was, so counting starts here.
LAST_SERIAL = 2_958_465  # 9999-12-31


def is_destroyed_number(text: str) -> bool:
    """True for `5,51E+12`, which was a telephone once."""
    return DESTROYED_NUMBER.fullmatch(text.strip()) is not None


def clean_cell(cell: str) -> str:
    """Undo the marks that keep a cell text (`="00123"`, `'00123`); a formula error is an empty cell."""
    if not cell or cell[0] not in "='#":
        return cell
    if cell[0] == "=" and len(cell) > 3 and cell[1] == '"' and cell[-1] == '"':
        return cell[2:-1].replace('""', '"')
    if cell[0] == "'" and len(cell) > 1 and (cell[1].isdigit() or cell[1] == "+"):
        return cell[1:]
    return "" if cell.upper() in CELL_ERRORS else cell


def serial_to_iso(text: str) -> str:
    """A date serial as an ISO date, or as a local time when it has a fraction. Raises ValueError."""
    serial = float(text.replace(",", "."))
    if not 1 <= serial <= LAST_SERIAL:
        raise ValueError(text)
    moment = DAY_ZERO + timedelta(seconds=round(serial * 86_400))
    return moment.date().isoformat() if serial.is_integer() else moment.isoformat()
