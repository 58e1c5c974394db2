"""What the README tells a newcomer to type is there to be typed, and what it links to exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from cdp.commands import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
# Without the remark at the end of the line.
COMMANDS = [
    shlex.split(line, comments=True)[1:] for line in re.findall(r"^    (cdp .+)$", README, re.MULTILINE)
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_its_commands_take_these_options(arguments: list[str]) -> None:
    command: click.Command = main
    typed = list(arguments)
    with click.Context(main) as context:
        while isinstance(command, click.Group):
            found = command.get_command(context, typed.pop(0))
            assert found is not None
            command = found

        with command.make_context(command.name, typed, parent=context) as ready:
            assert ready.args == []


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:`|^ +)make ([\w-]+)", README, re.MULTILINE))))
def test_its_targets_are_in_the_makefile(target: str) -> None:
    assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("place", sorted(set(re.findall(r"\]\(([^)#]+)", README))))
def test_its_links_lead_somewhere(place: str) -> None:
    assert (ROOT / place).exists()


def test_it_fits_on_a_screen_or_so() -> None:
    assert len(README.splitlines()) < 60
