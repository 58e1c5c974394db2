"""The four files of a demo, written side by side and put in place only when all are complete."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import orjson

COMPRESSION = 3
RECORDS, TRUTH = "records.jsonl.gz", "truth.csv"
CONTACTS, CONTACTS_TRUTH = "interactions.jsonl.gz", "interactions_truth.csv.gz"


@dataclass(frozen=True)
class DemoFiles:
    """Open files; each takes whole lines."""

    records: IO[bytes]
    truth: IO[bytes]
    contacts: IO[bytes]
    contacts_truth: IO[bytes]


@contextmanager
def open_demo_files(directory: Path) -> Iterator[DemoFiles]:
    """Create the directory and the files; on an error what was there before stays as it was."""
    directory.mkdir(parents=True, exist_ok=True)
    names = (RECORDS, TRUTH, CONTACTS, CONTACTS_TRUTH)
    parts = {name: directory / f".{name}.part" for name in names}
    try:
        with ExitStack() as stack:
            files = DemoFiles(*(open_part(parts[name], stack) for name in names))
            files.truth.write(b"source,source_record_id,entity_id,flags\n")
            files.contacts_truth.write(b"interaction_id,entity_id,request_id,subject,borrowed_phone\n")
            yield files
        for name, part in parts.items():
            part.replace(directory / name)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def open_part(part: Path, stack: ExitStack) -> IO[bytes]:
    """The same bytes on every run: the gzip header carries neither a name nor a time."""
    file = stack.enter_context(part.open("wb"))
    if ".gz" not in part.suffixes:
        return file
    packed: IO[bytes] = gzip.GzipFile(  # type: ignore[assignment]
        filename="", mode="wb", compresslevel=COMPRESSION, fileobj=file, mtime=0
    )
    return stack.enter_context(packed)


def json_lines(rows: list[dict[str, object]]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def instants(moments: list[int]) -> list[str]:
    """Epoch seconds as 2026-10-31T23:59:59Z."""
    texts = np.datetime_as_string(np.array(moments, dtype="datetime64[s]"))
    return [f"{text}Z" for text in texts.tolist()]
