"""The closed list of transforms, one row a case."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from cdp.intake.transforms import PLAIN, WITH_ARGUMENT, build_transform, check_transform

CASES: list[tuple[str, object, str, object]] = [
    ("strip", None, "  a ", "a"),
    ("squeeze", None, " a   b\n c ", "a b c"),
    ("lower", None, "JOÃO", "joão"),
    ("upper", None, "joão", "JOÃO"),
    ("title", None, "MARIA DA SILVA E SOUZA", "Maria da Silva e Souza"),
    ("digits", None, "(11) 98765-4321", "11987654321"),
    ("decimal_comma", None, "1.234,56", "1234.56"),
    ("decimal_comma", None, "-7,5", "-7.5"),
    ("decimal_comma", None, "12", "12"),
    ("excel_date", None, "29280", "1980-02-29"),
    ("excel_date", None, "45000,5", "2023-03-15T12:00:00"),
    ("boolean", None, "Sim", "true"),
    ("boolean", None, "NÃO", "false"),
    ("epoch_seconds", None, "1700000000", "2023-11-14T22:13:20+00:00"),
    ("epoch_milliseconds", None, "1700000000500", "2023-11-14T22:13:20.500000+00:00"),
    ("date", "%d/%m/%Y", "29/02/1980", "1980-02-29"),
    ("date", ["%Y%m%d", "%d.%m.%Y %H:%M"], "29.02.1980 13:05", "1980-02-29T13:05:00"),
    ("split", ";", "a; b;;c", ["a", "b", "c"]),
    ("split", ["/", " ou "], "a ou b/c", ["a", "b", "c"]),
    ("extract", r"(\d+)$", "BR-0042", "0042"),
    ("extract", r"\d+", "BR-0042-7", "0042"),
    ("replace", ["x", ""], "1x2x", "12"),
    ("blank", ["-", "N/A"], "n/a", ""),
    ("blank", "-", "a-b", "a-b"),
    ("words", {"M": "m", "Masc.": "m", "F": "f"}, "masc.", "m"),
    ("pad", 11, "1234567890", "01234567890"),
    ("pad", 11, "12a", "12a"),
]


@pytest.mark.parametrize(("name", "argument", "text", "expected"), CASES, ids=lambda each: str(each)[:20])
def test_a_transform_gives(name: str, argument: object, text: str, expected: object) -> None:
    transform = build_transform(check_transform(name, argument))

    assert transform(text) == expected


@pytest.mark.parametrize(
    ("name", "argument", "text"),
    [
        ("decimal_comma", None, "1.23,4"),
        ("excel_date", None, "yesterday"),
        ("excel_date", None, "0"),
        ("excel_date", None, "nan"),
        ("boolean", None, "maybe"),
        ("epoch_seconds", None, "1e300"),
        ("epoch_seconds", None, "nan"),
        ("date", "%d/%m/%Y", "31/02/1980"),
        ("extract", r"\d", "a"),
        ("words", {"M": "m"}, "X"),
    ],
)
def test_a_transform_that_does_not_fit_says_so(name: str, argument: object, text: str) -> None:
    transform = build_transform(check_transform(name, argument))

    with pytest.raises(ValueError):  # noqa: PT011  The message is the text itself.
        transform(text)


@pytest.mark.parametrize(
    ("name", "argument", "complaint"),
    [
        ("stripe", None, "there is no transform 'stripe'; there are blank, boolean"),
        ("strip", 1, "takes no argument"),
        ("split", None, "needs an argument"),
        ("split", "", "separates nothing"),
        ("split", 5, "a text or a list of texts"),
        ("date", [], "a text or a list of texts"),
        ("extract", "(", "the argument of extract is wrong"),
        ("extract", ["a", "b"], "one regular expression"),
        ("replace", ["a"], "two texts"),
        ("pad", "11", "width"),
        ("pad", True, "width"),
        ("words", ["a"], "table of texts"),
    ],
)
def test_a_wrong_transform_is_explained(name: str, argument: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        check_transform(name, argument)


def test_specs_can_be_sent_to_a_worker() -> None:
    spec = check_transform("words", {"M": "m"})

    assert build_transform(pickle.loads(pickle.dumps(spec)))("m") == "m"


@pytest.mark.parametrize("name", sorted({*PLAIN, *WITH_ARGUMENT}))
def test_every_transform_is_documented(name: str) -> None:
    assert f"| `{name}` |" in Path("docs/import.md").read_text("utf-8")
