"""Preparing chunks: the same in this process and in others, in order, and safe when a worker dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import resolution
from cdp.intake.errors import InputFileError
from cdp.intake.files import open_input
from cdp.intake.mapper import plan_mapping
from cdp.intake.mapping import ImportMapping, parse_mapping
from cdp.intake.preparation import PreparationPlan, PreparedChunk
from cdp.intake.prepare import prepare_chunks
from cdp.intake.rows import BadRow, Row
from cdp.intake.spool import Spool, pack, unpack
from resolution.standardize import SourceSettings


def a_plan(mapping: ImportMapping | None = None) -> PreparationPlan:
    return PreparationPlan(
        mapping=plan_mapping(mapping or ImportMapping(), None),
        default_source="crm",
        default_occurred_at=None,
        time_zone="UTC",
        source_settings={"pt": SourceSettings(default_region="PT")},
        new_source_settings=SourceSettings(default_area_code="11"),
    )


def prepare_lines(lines: list[str], tmp_path: Path, *, worker_count: int = 0) -> list[PreparedChunk]:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    return list(prepare_chunks(open_input(path).chunks(), a_plan(), worker_count=worker_count))


def test_workers_give_what_this_process_gives_in_the_same_order(tmp_path: Path) -> None:
    lines = [
        json.dumps(
            {
                "source_record_id": str(number),
                "full_name": f"Ana {number} Reis",
                "phones": [f"98765-{number:04}"],
            }
        )
        for number in range(3000)
    ]
    lines[1234] = "broken"

    alone = prepare_lines(lines, tmp_path)
    together = prepare_lines(lines, tmp_path, worker_count=2)

    assert together == alone
    assert [key[1] for chunk in together for key in unpack(chunk.keys)][1233:1235] == ["1233", "1235"]


def test_a_record_is_spooled_raw_and_standardized(tmp_path: Path) -> None:
    (chunk,) = prepare_lines(
        ['{"source_record_id": 7, "full_name": "ANA REIS", "phones": ["98765-4321", "x"]}'], tmp_path
    )

    ((source, source_record_id, occurred_at, raw_hash),) = unpack(chunk.keys)
    ((raw, standardized, identifiers, linkage_hash),) = unpack(chunk.records)
    assert (source, source_record_id, occurred_at, len(raw_hash)) == ("crm", "7", "1970-01-01T00:00:00Z", 32)
    assert raw == (
        '{"full_name":"ANA REIS","phones":["98765-4321","x"],"source":"crm","source_record_id":"7"}'
    )
    assert json.loads(standardized)["values"]["full_name"] == "Ana Reis"
    assert json.loads(standardized)["refusals"] == [{"field": "/phones/1", "reason": "junk"}]
    assert linkage_hash == resolution.linkage_hash(json.loads(standardized)["linkage"])
    assert identifiers == [("phone", "+5511987654321", "551187654321", False)]
    assert chunk.refused_values == {"phones: junk": 1}
    assert chunk.undated_count == 1


def test_a_source_has_its_own_settings(tmp_path: Path) -> None:
    line = '{"source": "%s", "source_record_id": "1", "phones": ["912 345 678"]}'

    (chunk,) = prepare_lines([line % "pt", line % "crm"], tmp_path)

    values = [[identifier[1] for identifier in record[2]] for record in unpack(chunk.records)]
    assert values[0] == ["+351912345678"]
    assert values[1] != values[0]


def test_a_refused_row_shows_where_and_how_it_begins(tmp_path: Path) -> None:
    (chunk,) = prepare_lines(["{}", '{"source_record_id": "1", "fone": "9"}'], tmp_path)

    assert chunk.record_count == 0
    assert chunk.bad_rows[0] == BadRow(1, "missing", "source_record_id is missing", "/source_record_id", "{}")
    assert (chunk.bad_rows[1].pointer, chunk.bad_rows[1].raw) == (
        "/fone",
        '{"source_record_id":"1","fone":"9"}',
    )


def test_misfits_and_seen_keys_come_with_the_chunk(tmp_path: Path) -> None:
    mapping = parse_mapping(
        '[record]\nsource_record_id = "{id}"\nbirth_date = "{b}"\n[columns]\nb = { date = "%Y" }'
    )
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1, "b": "soon"}')

    (chunk,) = prepare_chunks(open_input(path).chunks(), a_plan(mapping), worker_count=0)

    assert chunk.misfits == {"b: date": 1}
    assert chunk.seen_columns == {"id", "b"}


class DeadlyChunk:
    """A chunk that ends its worker, as the kernel does when memory is short."""

    def rows(self) -> Iterator[Row | BadRow]:
        os.kill(os.getpid(), signal.SIGKILL)
        yield BadRow(1, "", "")


def test_a_worker_that_dies_ends_the_import_with_one_line() -> None:
    with pytest.raises(InputFileError, match="worker process was ended"):
        list(prepare_chunks([DeadlyChunk()] * 3, a_plan(), worker_count=1))


WAITS_WITH_A_WORKER = """
import os, sys
from tests.cdp.intake.test_prepare import SlowChunk, a_plan
from cdp.intake.prepare import prepare_chunks

if __name__ == "__main__":
    for chunk in prepare_chunks([SlowChunk()] * 2, a_plan(), worker_count=1):
        print(next(iter(chunk.sources)), flush=True)
"""


class SlowChunk:
    """Tells the id of its worker as a source; the second one in a worker takes for ever."""

    def rows(self) -> Iterator[Row | BadRow]:
        yield Row(1, {"source": str(os.getpid()), "source_record_id": "1"})
        if os.environ.get("SECOND"):
            time.sleep(600)
        os.environ["SECOND"] = "yes"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "waits.py"
    script.write_text(WAITS_WITH_A_WORKER)
    parent = subprocess.Popen(
        [sys.executable, script], env={**os.environ, "PYTHONPATH": os.getcwd()}, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    worker_id = int(parent.stdout.readline())

    parent.kill()
    parent.communicate()

    assert ends_soon(worker_id)


def ends_soon(process_id: int) -> bool:
    for _ in range(200):
        stat = Path(f"/proc/{process_id}/stat")
        if not stat.exists() or ") Z " in stat.read_text():
            return True
        time.sleep(0.05)
    return False


def test_a_spool_gives_back_its_items_as_often_as_asked(tmp_path: Path) -> None:
    with Spool(tmp_path / "tmp") as spool:
        spool.add(pack([1, "á"]))
        spool.add(pack([]))
        spool.add(pack([[2, None]]))

        assert list(spool.items()) == [1, "á", [2, None]]
        assert list(spool.items()) == [1, "á", [2, None]]
        assert list((tmp_path / "tmp").iterdir()) == []


def test_a_spool_without_a_place_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InputFileError, match="no room for temporary files"):
        Spool(tmp_path / "file" / "tmp")
