"""Imports: all that is good or nothing, once or again the same, every refusal told."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, select

from cdp.errors import CdpError
from cdp.identity.import_records import NothingImportedError
from cdp.identity.sources import NewSource, insert_sources, select_sources
from cdp.intake.errors import InputFileError, MappingError
from cdp.privacy.audit import find_breach
from cdp.store import read, schema, write
from resolution.standardize import SourceSettings
from tests.cdp.identity.importing import NOW, a_record, dump, run_import, stored_records, write_lines


def test_records_arrive_raw_and_standardized(store: Engine, tmp_path: Path) -> None:
    record = a_record(emails=["ANA@example.com"], documents=[{"type": "cpf", "number": "390.533.447-05"}])

    report = run_import(store, write_lines(tmp_path / "a.jsonl", record))

    assert report.totals() == {
        "read": 1,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "superseded": 0,
        "rejected": 0,
    }
    (stored,) = stored_records(store).values()
    assert stored["raw"] == record
    assert stored["identifiers"] == [
        "document=cpf:39053344705",
        "email=ana@example.com",
        "phone=+5511987654321",
    ]


def test_the_same_file_again_changes_nothing(store: Engine, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", a_record(), a_record(source_record_id="2", occurred_at=None))
    run_import(store, path)
    before = dump(store)

    report = run_import(store, path)

    after = dump(store)
    assert report.totals()["unchanged"] == 2
    assert [name for name in before if before[name] != after[name]] == ["audit_entries", "imports"]


def test_a_later_version_replaces_values_and_identifiers(store: Engine, tmp_path: Path) -> None:
    run_import(store, write_lines(tmp_path / "a.jsonl", a_record(emails=["old@example.com"])))

    report = run_import(
        store,
        write_lines(tmp_path / "b.jsonl", a_record(occurred_at="2026-02-01", emails=["new@example.com"])),
    )

    (stored,) = stored_records(store).values()
    assert report.totals()["updated"] == 1
    assert stored["identifiers"] == ["email=new@example.com", "phone=+5511987654321"]


def test_an_earlier_version_changes_nothing(store: Engine, tmp_path: Path) -> None:
    run_import(store, write_lines(tmp_path / "a.jsonl", a_record()))
    before = stored_records(store)

    report = run_import(
        store, write_lines(tmp_path / "b.jsonl", a_record(occurred_at="2025-01-01", phones=["x"]))
    )

    assert report.totals()["superseded"] == 1
    assert stored_records(store) == before


def test_files_are_imported_as_one_and_counted_apart(store: Engine, tmp_path: Path) -> None:
    first = write_lines(tmp_path / "a.jsonl", a_record(), "broken")
    second = write_lines(
        tmp_path / "b.jsonl", a_record(occurred_at="2026-02-01"), a_record(source_record_id="2")
    )

    report = run_import(store, first, second)

    assert [each.counts() for each in report.files] == [
        {"read": 2, "created": 0, "updated": 0, "unchanged": 0, "superseded": 1, "rejected": 1},
        {"read": 2, "created": 2, "updated": 0, "unchanged": 0, "superseded": 0, "rejected": 0},
    ]
    with read(store) as connection:
        assert connection.scalars(select(schema.imports.c.file_name)).all() == ["a.jsonl", "b.jsonl"]


def test_an_import_ends_when_it_ends(store: Engine, tmp_path: Path) -> None:
    moments = iter((NOW, NOW + timedelta(minutes=5)))

    run_import(store, write_lines(tmp_path / "a.jsonl", a_record()), clock=lambda: next(moments))

    traces = dump(store)
    [imported] = imports_of(store)
    assert (imported.started_at, imported.finished_at) == (NOW, NOW + timedelta(minutes=5))
    assert NOW in traces["source_records"][0]
    assert NOW + timedelta(minutes=5) in traces["audit_entries"][0]
    assert NOW + timedelta(minutes=5) in traces["outbox_events"][0]


def test_a_clock_that_is_set_back_ends_no_import_before_it_began(store: Engine, tmp_path: Path) -> None:
    moments = iter((NOW, NOW - timedelta(hours=1)))

    run_import(store, write_lines(tmp_path / "a.jsonl", a_record()), clock=lambda: next(moments))

    [imported] = imports_of(store)
    assert imported.finished_at == NOW


def test_rejected_rows_are_told_and_the_rest_goes_through(store: Engine, tmp_path: Path) -> None:
    lines = [
        a_record(),
        '{"a": NaN}',
        a_record(source_record_id=None),
        a_record(source_record_id="3", colour="red"),
    ]

    report = run_import(store, write_lines(tmp_path / "a.jsonl", *lines))

    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text("utf-8").splitlines()]
    assert [(each["line"], each["reason"], each["pointer"]) for each in rejects] == [
        (2, "not_json", ""),
        (3, "missing", "/source_record_id"),
        (4, "unknown_field", "/colour"),
    ]
    assert report.reject_reasons == {"not_json": 1, "missing": 1, "unknown_field": 1}
    assert report.rejects_file == str(tmp_path / "rejects.jsonl")
    assert report.totals()["created"] == 1


def test_refused_values_are_counted_and_keep_no_record_out(store: Engine, tmp_path: Path) -> None:
    record = a_record(phones=["5,51E+12", "11 98765-4321"], emails=["nao@tem.com"])

    report = run_import(store, write_lines(tmp_path / "a.jsonl", record))

    assert report.totals()["created"] == 1
    assert sum(report.refused_values.values()) == 2
    assert {name.split(":")[0] for name in report.refused_values} == {"phones", "emails"}


BAD_FILES = {
    "cut_gzip": ("b.jsonl.gz", gzip.compress(random.Random(1).randbytes(5000).hex().encode())[:-100]),
    "binary": ("b.jsonl", bytes(range(256)) * 10),
    "broken_parquet": ("b.parquet", b"PAR1" + bytes(200) + b"PAR1"),
    "empty": ("b.csv", b""),
    "unknown_columns": ("b.csv", b"id,what\n1,2\n"),
    "no_key": ("b.csv", b"nome,fone\nAna,1\n"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_one_bad_file_keeps_all_files_out(name: str, store: Engine, tmp_path: Path) -> None:
    file_name, content = BAD_FILES[name]
    good = write_lines(tmp_path / "a.jsonl", a_record())
    bad = tmp_path / file_name
    bad.write_bytes(content)
    before = dump(store)

    with pytest.raises((InputFileError, MappingError), match=str(bad)):
        run_import(store, good, bad, source="crm")

    assert dump(store) == before


def test_a_file_of_refused_rows_only_is_an_error(store: Engine, tmp_path: Path) -> None:
    before = dump(store)

    with pytest.raises(NothingImportedError, match=r"all 2 rows were refused \(not_json 2\)"):
        run_import(store, write_lines(tmp_path / "a.jsonl", "[", "id;nome"))

    assert dump(store) == before
    assert (tmp_path / "rejects.jsonl").exists()


def test_a_header_without_rows_imports_nothing(store: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;nome\n")
    before = dump(store)

    with pytest.raises(InputFileError, match="has a header and no rows"):
        run_import(store, path, source="crm")

    assert dump(store) == before


def test_a_dry_run_tells_everything_and_writes_nothing(store: Engine, tmp_path: Path) -> None:
    run_import(store, write_lines(tmp_path / "a.jsonl", a_record(), a_record(source_record_id="2")))
    before = dump(store)
    lines = [
        a_record(),
        a_record(source_record_id="2", occurred_at="2027-01-01"),
        a_record(source="new"),
        "x",
    ]

    report = run_import(store, write_lines(tmp_path / "b.jsonl", *lines), dry_run=True)

    assert report.totals() == {
        "read": 4,
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "superseded": 0,
        "rejected": 1,
    }
    assert dump(store) == before


def test_an_import_leaves_its_audit_entry_and_its_event(store: Engine, tmp_path: Path) -> None:
    run_import(store, write_lines(tmp_path / "a.jsonl", a_record()))

    with read(store) as connection:
        audit = connection.execute(select(schema.audit_entries)).one()
        event = connection.execute(select(schema.outbox_events)).one()
        imported = connection.execute(select(schema.imports)).one()
        assert find_breach(connection) is None
    assert (audit.action, audit.object_id) == ("records.import", str(imported.import_id))
    assert (event.kind, event.subject_id) == ("records.imported", str(imported.import_id))
    assert json.loads(audit.details)["created"] == 1
    assert json.loads(imported.counts)["created"] == 1
    assert json.loads(imported.sources) == ["crm"]
    assert "Ana" not in audit.details + event.payload


def test_a_failure_while_storing_leaves_nothing(store: Engine, tmp_path: Path) -> None:
    before = dump(store)
    path = write_lines(tmp_path / "a.jsonl", a_record())

    def interrupt(phase: str, done: int, total: int) -> None:
        if phase == "Storing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_import(store, path, progress=interrupt)

    assert dump(store) == before
    assert list((tmp_path / "tmp").iterdir()) == []


KILLED_WHILE_STORING = """
import os, signal, sys
from pathlib import Path
from cdp.store import open_store
from tests.cdp.identity.importing import run_import

def kill(phase, done, total):
    if phase == "Storing":
        os.kill(os.getpid(), signal.SIGKILL)

run_import(open_store(sys.argv[1]), Path(sys.argv[2]), progress=kill)
"""


def test_a_kill_while_storing_leaves_nothing(store: Engine, store_url: str, tmp_path: Path) -> None:
    before = dump(store)
    path = write_lines(
        tmp_path / "a.jsonl", *(a_record(source_record_id=str(number)) for number in range(2500))
    )

    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_STORING, store_url, str(path)], check=False)

    assert killed.returncode == -9
    assert dump(store) == before
    assert list((tmp_path / "tmp").iterdir()) == []
    assert run_import(store, path).totals()["created"] == 2500


def test_a_new_source_takes_the_settings_of_the_mapping(store: Engine, tmp_path: Path) -> None:
    toml = """
        [source]
        default_region = "PT"
        default_area_code = "21"
        trust = 80
        own_domains = ["Loja.example.com"]
        claims = true
    """

    run_import(store, write_lines(tmp_path / "a.jsonl", a_record(phones=["912 345 678"])), toml=toml)

    with read(store) as connection:
        source = select_sources(connection)["crm"]
    assert source.settings == SourceSettings("PT", "21", "dmy", frozenset({"loja.example.com"}), claims=True)
    assert source.trust == 80
    assert stored_records(store)["crm", "1"]["identifiers"] == ["phone=+351912345678"]


@pytest.mark.parametrize(("region", "date_order"), [(None, "dmy"), ("US", "mdy"), ("PT", "dmy")])
def test_the_region_of_a_new_source_decides_its_order_of_dates(
    region: str | None, date_order: str, store: Engine, tmp_path: Path
) -> None:
    run_import(store, write_lines(tmp_path / "a.jsonl", a_record()), default_region=region)

    with read(store) as connection:
        settings = select_sources(connection)["crm"].settings
    assert (settings.default_region, settings.date_order) == (region or "BR", date_order)


def test_a_known_source_keeps_its_settings_and_the_report_says_so(store: Engine, tmp_path: Path) -> None:
    with write(store) as connection:
        insert_sources(connection, [NewSource("crm", SourceSettings(default_region="PT"))], now=NOW)

    path = write_lines(tmp_path / "a.jsonl", a_record(phones=["912 345 678"]))
    report = run_import(store, path, default_region="BR")

    assert stored_records(store)["crm", "1"]["identifiers"] == ["phone=+351912345678"]
    assert any("crm" in note for note in report.notes)


def test_undated_records_are_told(store: Engine, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", a_record(occurred_at=None))

    assert "1 records carry no occurred_at" in run_import(store, path).notes[0]
    assert run_import(store, path, occurred_at=NOW).totals()["updated"] == 1


def test_a_spreadsheet_comes_through_its_mapping(store: Engine, tmp_path: Path) -> None:
    path = tmp_path / "clientes.csv"
    text = (
        "sep=;\r\nCód;Nome;Fones;Nasc;CPF;Gasto;Obs\r\n"
        '="007";JOÃO DA SILVA;11 98765-4321/(11) 3333-4444;29280;39053344705;1.234,56;"fala\r\nmuito"\r\n'
        "008;Zé;5,51E+12;#N/D;;;\r\n"
    )
    path.write_bytes(text.encode("cp1252"))
    toml = """
        unmapped = "attributes"
        [record]
        source = "till"
        source_record_id = "loja1-{Cód}"
        full_name = "{Nome}"
        phones = ["{Fones}"]
        birth_date = "{Nasc}"
        documents = [{ type = "cpf", number = "{CPF}" }]
        [columns]
        Fones = { split = "/" }
        Nasc = "excel_date"
        Gasto = "decimal_comma"
    """

    report = run_import(store, path, toml=toml)

    stored = stored_records(store)
    assert report.totals()["created"] == 2
    assert stored["till", "loja1-007"]["raw"] == {
        "source": "till",
        "source_record_id": "loja1-007",
        "full_name": "JOÃO DA SILVA",
        "phones": ["11 98765-4321", "(11) 3333-4444"],
        "birth_date": "1980-02-29",
        "documents": [{"type": "cpf", "number": "39053344705"}],
        "attributes": {"Gasto": "1234.56", "Obs": "fala\r\nmuito"},
    }
    assert stored["till", "loja1-007"]["identifiers"] == [
        "document=cpf:39053344705",
        "phone=+551133334444",
        "phone=+5511987654321",
    ]
    assert stored["till", "loja1-008"]["identifiers"] == []


def test_csv_parquet_and_json_lines_give_the_same_record(store: Engine, tmp_path: Path) -> None:
    record = a_record(address={"city": "Lisboa"}, documents=[{"type": "nif", "number": "503504564"}])
    lines = write_lines(tmp_path / "a.jsonl", record)
    csv = tmp_path / "a.csv"
    csv.write_text(
        "source,source_record_id,occurred_at,full_name,phone,address.city,documents.nif\n"
        "crm,1,2026-01-01T00:00:00Z,Ana Reis,11 98765-4321,Lisboa,503504564\n"
    )
    pq.write_table(pa.Table.from_pylist([record]), tmp_path / "a.parquet")

    report = run_import(store, lines, csv, tmp_path / "a.parquet")

    assert report.totals()["created"] == 1
    assert report.totals()["unchanged"] == 2


def test_keys_that_no_row_has_are_named(store: Engine, tmp_path: Path) -> None:
    toml = '[record]\nsource_record_id = "{id}"\nfull_name = "{nmae}"'

    with pytest.raises(MappingError, match="names keys that no row has: nmae"):
        run_import(
            store, write_lines(tmp_path / "a.jsonl", {"id": "1"}, {"id": "2"}), toml=toml, source="crm"
        )


def test_rows_without_a_source_need_one_to_be_given(store: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,nome\n1,Ana\n")

    with pytest.raises(CdpError, match="give --source NAME"):
        run_import(store, path)

    assert run_import(store, path, source="crm").totals()["created"] == 1


def test_text_beyond_the_basic_plane_and_right_to_left_is_kept(store: Engine, tmp_path: Path) -> None:
    record = a_record(full_name="Ana 😀 \u202eReis", attributes={"nota": "tab\tlinha\nfim"})

    run_import(store, write_lines(tmp_path / "a.jsonl", record))

    assert stored_records(store)["crm", "1"]["raw"] == record


def imports_of(store: Engine) -> Sequence[Any]:
    with read(store) as connection:
        return connection.execute(select(schema.imports)).all()
