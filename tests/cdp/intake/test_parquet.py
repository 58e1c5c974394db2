"""Parquet: flat and nested columns, every type as a JSON value."""

from __future__ import annotations

import decimal
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp.intake.files import open_input, read_rows
from cdp.intake.rows import BadRow, Row


def write(tmp_path: Path, columns: dict[str, Any], **options: Any) -> Path:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_nested_columns_keep_their_shape(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {
            "source_record_id": ["1"],
            "phones": [["+55 11 98765-4321", None]],
            "documents": [[{"type": "cpf", "number": "390.533.447-05"}]],
            "address": [{"city": "Lisboa", "region": None}],
        },
    )

    assert list(read_rows(path)) == [
        Row(
            1,
            {
                "source_record_id": "1",
                "phones": ["+55 11 98765-4321", None],
                "documents": [{"type": "cpf", "number": "390.533.447-05"}],
                "address": {"city": "Lisboa"},
            },
        )
    ]
    assert open_input(path).nested_columns == {"phones", "documents", "address"}


@pytest.mark.parametrize(
    ("array", "value"),
    [
        pytest.param(pa.array([5.5]), 5.5, id="float"),
        pytest.param(pa.array([5511987654321.0]), 5511987654321, id="whole_float"),
        pytest.param(pa.array([float("nan")]), None, id="nan"),
        pytest.param(pa.array([None], pa.string()), None, id="null"),
        pytest.param(pa.array([True]), True, id="boolean"),
        pytest.param(pa.array([date(1980, 2, 29)]), "1980-02-29", id="date"),
        pytest.param(pa.array([datetime(2026, 1, 2, 3, 4)]), "2026-01-02T03:04:00", id="local_time"),  # noqa: DTZ001
        pytest.param(
            pa.array([datetime(2026, 1, 2, tzinfo=UTC)], pa.timestamp("ns", "UTC")),
            "2026-01-02T00:00:00+00:00",
            id="instant_in_nanoseconds",
        ),
        pytest.param(pa.array([decimal.Decimal("10.50")]), "10.5", id="decimal"),
        pytest.param(pa.array(["São Paulo".encode()]), "São Paulo", id="bytes_of_text"),
        pytest.param(pa.array([b"\xff\x00"]), "/wA=", id="bytes"),
        pytest.param(pa.array(["a"]).dictionary_encode(), "a", id="dictionary"),
        pytest.param(pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), {"a": 1}, id="map"),
    ],
)
def test_every_type_becomes_a_json_value(array: pa.Array, value: object, tmp_path: Path) -> None:
    path = write(tmp_path, {"x": array})

    assert list(read_rows(path)) == [Row(1, {"x": value})]


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        pytest.param(pa.array([float("inf"), 1.5]), "wrong_type", id="infinity"),
        pytest.param(pa.array(["x" * 1_100_000, "a"]), "too_large", id="million_characters"),
        pytest.param(
            pa.Array.from_buffers(
                pa.string(),
                2,
                [None, pa.py_buffer(bytes([0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0])), pa.py_buffer(b"\xffa")],
            ),
            "encoding",
            id="bytes_that_are_no_text",
        ),
    ],
)
def test_a_poisoned_row_is_refused_alone(array: pa.Array, reason: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"x": array})

    rows = list(read_rows(path))

    assert isinstance(rows[0], BadRow)
    assert (rows[0].line, rows[0].reason) == (1, reason)
    assert isinstance(rows[1], Row)


def test_rows_come_in_small_batches_over_row_groups(tmp_path: Path) -> None:
    path = write(tmp_path, {"x": list(range(3000))}, row_group_size=700)
    file = open_input(path)

    chunks = [list(chunk.rows()) for chunk in file.chunks()]

    assert max(map(len, chunks)) <= 500
    assert [row.line for chunk in chunks for row in chunk] == list(range(1, 3001))
    assert file.position == file.size


def test_a_table_without_rows_has_no_rows(tmp_path: Path) -> None:
    path = write(tmp_path, {"x": pa.array([], pa.string())})

    assert list(read_rows(path)) == []
