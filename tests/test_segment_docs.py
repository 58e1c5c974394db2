"""What docs/segment.md says of Segment's names is what the table says that the service reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cdp.engagement.message import PLACEHOLDERS
from cdp.engagement.traits import mapping

DOCUMENT = Path(__file__).parent.parent / "docs" / "segment.md"


def table(heading: str) -> dict[str, str]:
    """First to second column of the table that begins with the heading."""
    _, _, rest = DOCUMENT.read_text("utf-8").partition(f"| {heading} |")
    body = rest.partition("\n\n")[0]
    return dict(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", body, re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("trait", "traits"),
        ("part of `address`", "address"),
        ("type in `context.externalIds`", "external_ids"),
    ],
)
def test_the_document_shows_the_mapping(heading: str, name: str) -> None:
    assert table(heading) == getattr(mapping(), name)


def test_every_reason_to_refuse_a_message_is_told() -> None:
    source = (Path(__file__).parent.parent / "cdp" / "engagement" / "message.py").read_text("utf-8")
    raised = set(re.findall(r'RefusedMessageError\(\s*"(\w+)"', source)) | {"malformed"}

    _, _, rest = DOCUMENT.read_text("utf-8").partition("| code | |")
    told = set(re.findall(r"^\| `(\w+)` \|", rest.partition("\n\n")[0], re.MULTILINE))

    assert told == raised


def test_the_ids_that_name_nobody_are_those_that_are_documented() -> None:
    [row] = [
        line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `placeholder` |")
    ]

    assert set(re.findall(r"`([^`]+)`", row)) - {"placeholder"} == PLACEHOLDERS
