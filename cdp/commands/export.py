"""`cdp export memberships`, `profiles`, `candidates`, `labels`: what resolution made, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
from sqlalchemy import Connection

from cdp.commands.configured import configured_store
from cdp.commands.output import json_option, show
from cdp.commands.progress import progress_bar
from cdp.commands.tables import open_table
from cdp.identity import export as exports
from cdp.stewardship.labels import LABEL_COLUMNS, stream_labels
from cdp.store import read

# Every other column is text.
NUMBERS = {
    "record_id": pa.int64(),
    "record_id_l": pa.int64(),
    "record_id_r": pa.int64(),
    "candidate_id": pa.int64(),
    "model_version_id": pa.int64(),
    "version": pa.int64(),
    "record_count": pa.int64(),
    "match_weight": pa.float64(),
    "match_probability": pa.float64(),
    "clerical_match_score": pa.float64(),
}
out_option = click.option(
    "--out",
    "path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, .csv or .parquet.",
)


@click.group()
def export() -> None:
    """Write memberships, profiles, merge candidates or labels to a file."""


@export.command("memberships")
@out_option
@json_option
def memberships(*, path: Path, as_json: bool) -> None:
    """Write which profile every source record belongs to now."""
    write_table(path, exports.MEMBERSHIP_COLUMNS, exports.stream_memberships, "memberships", as_json=as_json)


@export.command("profiles")
@out_option
@json_option
def profiles(*, path: Path, as_json: bool) -> None:
    """Write the golden record of every live profile."""
    write_table(path, exports.PROFILE_COLUMNS, exports.stream_profiles, "profiles", as_json=as_json)


@export.command("candidates")
@out_option
@json_option
def candidates(*, path: Path, as_json: bool) -> None:
    """Write every merge candidate with its weight and state."""
    write_table(path, exports.CANDIDATE_COLUMNS, exports.stream_candidates, "candidates", as_json=as_json)


@export.command("labels")
@out_option
@json_option
def labels(*, path: Path, as_json: bool) -> None:
    """Write what stewards decided about pairs of records, as Splink reads clerical labels."""
    write_table(path, LABEL_COLUMNS, stream_labels, "labels", as_json=as_json)


def write_table(
    path: Path,
    names: Sequence[str],
    stream: Callable[[Connection], Iterator[list[tuple[Any, ...]]]],
    what: str,
    *,
    as_json: bool,
) -> None:
    columns = [(name, NUMBERS.get(name, pa.string())) for name in names]
    written = 0
    with (
        configured_store() as engine,
        open_table(path, columns) as write_rows,
        progress_bar(what, None) as on_progress,
        read(engine) as connection,
    ):
        for rows in stream(connection):
            write_rows(rows)
            written += len(rows)
            on_progress(written)
    show({"file": str(path), what: written}, f"{written} {what} in {path}.", as_json=as_json)
