"""Text functions on every character."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from resolution.compile.runtime import texts

# Beyond these no character has case or is a blank.
CHARACTERS = [chr(code) for code in range(1, 0x20000) if not 0xD800 <= code < 0xE000]


def test_case_and_blanks_of_every_character_are_those_of_duckdb() -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("characters", pa.table({"c": CHARACTERS}))
        rows = connection.execute("SELECT c, lower(c), upper(c), trim(c) FROM characters").fetchall()

    wrong = [c for c, *given in rows if [texts.lower(c), texts.upper(c), texts.trim(c)] != given]
    assert wrong == []


def test_the_last_letter_of_a_word_has_no_case_of_its_own() -> None:
    assert texts.lower("ΟΔΟΣ") == "οδοσ"
