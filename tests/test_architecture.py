"""Imports run one way: wsgi -> api -> cdp -> resolution; never back or in a circle, not even for types."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("wsgi", "api", "cdp", "migrations", "resolution")

# What a room may import of our own; whatever is not named is not allowed.
MAY_IMPORT = {
    "wsgi": {"api", "cdp"},
    "api": {"api", "cdp", "resolution"},
    "cdp": {"cdp", "resolution", "migrations"},
    "migrations": {"cdp", "migrations"},
    "resolution": {"resolution"},
}

# Libraries that have no business in a room.
MAY_NOT_IMPORT = {
    "resolution": {
        "flask",
        "marshmallow",
        "flask_smorest",
        "sqlalchemy",
        "alembic",
        "click",
        "rich",
        "psycopg",
    },
    "cdp": {"flask", "flask_smorest", "marshmallow", "splink", "duckdb", "sqlglot"},
    "api": {"sqlalchemy", "splink", "duckdb", "alembic", "psycopg"},
}
DUCKDB_IN_CDP = "cdp.studies"

Import = tuple[str, int, str]


def modules() -> dict[str, Path]:
    """Module name to file, for every module of the rooms."""
    found = {"wsgi": ROOT / "wsgi.py"}
    for room in ROOMS[1:]:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports() -> Iterator[Import]:
    """(module, line, imported module) of every import statement, wherever it stands in the file."""
    names = modules()
    for name, path in names.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield name, node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom) and node.module:
                assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield name, node.lineno, inner if inner in names else node.module


def line_of(module: str, line: int) -> str:
    return f"{modules()[module].relative_to(ROOT)}:{line}"


def test_rooms_import_only_to_the_right() -> None:
    wrong = [
        f"{line_of(module, line)} imports {imported}"
        for module, line, imported in imports()
        if (room := imported.split(".")[0]) in ROOMS and room not in MAY_IMPORT[module.split(".")[0]]
    ]

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", sorted(MAY_NOT_IMPORT))
def test_a_room_leaves_out_the_libraries_of_others(room: str) -> None:
    wrong = [
        f"{line_of(module, line)} imports {imported}"
        for module, line, imported in imports()
        if module.split(".")[0] == room
        and imported.split(".")[0] in MAY_NOT_IMPORT[room]
        and not (imported.startswith("duckdb") and module.startswith(DUCKDB_IN_CDP))
    ]

    assert not wrong, "\n".join(wrong)


# Modules that open connections to other hosts: whoever is told an address by a caller must not be able to follow it.
CALLING_OUT = {
    "urllib3",
    "requests",
    "httpx",
    "http.client",
    "urllib.request",
    "smtplib",
    "ftplib",
    "aiohttp",
}
# The client of this service; and the provider of OpenID Connect, whose address is a setting.
CALLERS_OUT = ("cdp.client", "api.console.identity_provider")


def test_nothing_but_those_listed_calls_out() -> None:
    wrong = [
        f"{line_of(module, line)} imports {imported}"
        for module, line, imported in imports()
        if any(imported == name or imported.startswith(f"{name}.") for name in CALLING_OUT)
        and not module.startswith(CALLERS_OUT)
    ]

    assert not wrong, "\n".join(wrong)


def test_the_client_can_be_taken_alone() -> None:
    wrong = [
        f"{line_of(module, line)} imports {imported}"
        for module, line, imported in imports()
        if module.split(".")[:2] == ["cdp", "client"]
        and imported.split(".")[0] not in sys.stdlib_module_names | {"urllib3"}
        and imported.split(".")[:2] != ["cdp", "client"]
    ]

    assert not wrong, "\n".join(wrong)


# What rules on people without asking whether it takes two: the API and the console go through rule_together and
# decide_together alone. What they may take is said by name.
PAST_A_SECOND_PERSON = {
    "cdp.stewardship.join": set(),
    "cdp.stewardship.split": set(),
    "cdp.stewardship.take_apart": {"WAYS", "RECORDS", "EVIDENCE", "usable_ways"},
    "cdp.stewardship.decide": set(),
    "cdp.stewardship.ruling": {"Order"},
}


def names_imported_by(room: str) -> Iterator[Import]:
    """(module, line, module and name) of what the modules of a room import by name, a whole module as `module.*`."""
    names = modules()
    for name, path in names.items():
        if name.split(".")[0] != room:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((name, node.lineno, f"{alias.name}.*") for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    yield name, node.lineno, f"{inner}.*" if inner in names else inner


def test_views_rule_on_nobody_past_a_second_person() -> None:
    wrong = [
        f"{line_of(module, line)} imports {imported}"
        for module, line, imported in names_imported_by("api")
        for behind, _, name in [imported.rpartition(".")]
        if name not in PAST_A_SECOND_PERSON.get(behind, {name})
    ]

    assert not wrong, "\n".join(wrong)


def test_no_module_imports_itself_by_a_detour() -> None:
    names = modules()
    graph = nx.DiGraph(
        (module, imported) for module, _, imported in imports() if imported in names and imported != module
    )

    circles = [sorted(found) for found in nx.strongly_connected_components(graph) if len(found) > 1]
    assert not circles


def test_the_check_sees_an_import_in_the_wrong_direction(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The check itself can fail: a planted module is found."""
    (tmp_path / "resolution").mkdir()
    (tmp_path / "resolution" / "planted.py").write_text(
        "if True:\n    from cdp.store import schema\n", "utf-8"
    )
    (tmp_path / "wsgi.py").write_text("", "utf-8")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)

    with pytest.raises(AssertionError, match=r"planted\.py:2 imports cdp\.store"):
        test_rooms_import_only_to_the_right()


@pytest.mark.parametrize(
    "planted",
    [
        "from cdp.stewardship.join import join",
        "from cdp.stewardship import take_apart",
        "import cdp.stewardship.decide",
        "from cdp.stewardship.ruling import carry_out",
    ],
)
def test_the_check_sees_a_way_past_a_second_person(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, planted: str
) -> None:
    for room in ("api", "cdp/stewardship"):
        (tmp_path / room).mkdir(parents=True)
    (tmp_path / "api" / "planted.py").write_text(f"{planted}\n", "utf-8")
    for name in PAST_A_SECOND_PERSON:
        (tmp_path / f"{name.replace('.', '/')}.py").write_text("", "utf-8")
    (tmp_path / "wsgi.py").write_text("", "utf-8")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)

    with pytest.raises(AssertionError, match=r"planted\.py:1 imports cdp\.stewardship"):
        test_views_rule_on_nobody_past_a_second_person()


def test_a_server_starts_without_what_resolves_everything(tmp_path: Path) -> None:
    """Each of its processes would take half as long again to start, and 50 MB more."""
    script = "import sys, wsgi\nprint(sorted({'splink', 'duckdb', 'pandas', 'numpy', 'pyarrow'} & set(sys.modules)))"
    environment = {**os.environ, "CDP_HOME": str(tmp_path)}

    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT, env=environment
    )

    assert told.stdout == "[]\n"
