"""The step that long work is at, on standard error: moving for a terminal, else a line a step."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextmanager
def step_display(title: str, *, is_brief: bool = False) -> Iterator[Callable[[str], None]]:
    """Gives a function that is told each step as it begins. Brief: many short steps, for who watches alone."""
    if not sys.stderr.isatty():
        if is_brief:
            yield lambda step: None
            return
        yield lambda step: click.echo(f"{title}: {step} ...", err=True)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda step: progress.update(task, description=f"{title}: {step}")
