"""Loads: whatever the order of arrival, the latest version of each record stands."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select, update

from cdp.identity.record_loads import Load, VersionContent, VersionKey, load_versions
from cdp.identity.sources import NewSource, insert_sources, select_sources
from cdp.store import schema, write
from resolution.standardize import SourceSettings

NOW = datetime(2026, 11, 22, tzinfo=UTC)
records = schema.source_records

Version = tuple[str, int, int]  # Key, day, content: two versions of one day and content are the same version.


class UndoError(Exception):
    """Takes back what one example stored."""


@contextmanager
def undone_write(store: Engine) -> Iterator[Connection]:
    with suppress(UndoError), write(store) as connection:
        yield connection
        raise UndoError


def key_of(version: Version, source_id: int) -> VersionKey:
    key, day, content = version
    return VersionKey(source_id, key, NOW + timedelta(days=day), f"{day:016}{content:016}")


def content_of(version: Version) -> VersionContent:
    key, day, content = version
    identifiers = [
        ("email", f"{key}{content}@example.com", None, False),
        ("phone", f"+{day}", f"{day}", True),
    ]
    return VersionContent(f'{{"v":"{key} {day} {content}"}}', "{}", identifiers, day)


def load(
    connection: Connection, versions: Sequence[Version], *, all_new: bool = False, **options: Any
) -> dict[str, int]:
    source_id = select_sources(connection)["crm"].source_id
    whole = Load(
        keys=lambda: (key_of(version, source_id) for version in versions),
        contents=lambda: map(content_of, versions),
        part_sizes=[len(versions)],
        standardizer_version=1,
        all_new=all_new,
    )
    (counts,) = load_versions(connection, whole, now=NOW, **options)
    return dict(counts)


def state(connection: Connection) -> list[tuple[Any, ...]]:
    identifiers = schema.identifiers
    joined = select(records.c.source_record_id, records.c.raw, identifiers.c.kind, identifiers.c.value).join(
        identifiers, identifiers.c.record_id == records.c.record_id
    )
    return sorted(tuple(row) for row in connection.execute(joined))


@pytest.fixture
def crm(store: Engine) -> Engine:
    """A store that knows the source crm."""
    with write(store) as connection:
        insert_sources(connection, [NewSource("crm", SourceSettings())], now=NOW)
    return store


version_lists = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=8
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=version_lists, cuts=st.lists(st.integers(0, 8), max_size=3), seed=st.randoms())
def test_any_order_and_any_parting_of_versions_ends_the_same(
    crm: Engine, versions: list[Version], cuts: list[int], seed: Any
) -> None:
    latest = {key: max(each for each in versions if each[0] == key) for key, _, _ in versions}
    expected = sorted(
        (key, content_of(version).raw, kind, value)
        for key, version in latest.items()
        for kind, value, _, _ in content_of(version).identifiers
    )
    seed.shuffle(versions)
    places = [0, *sorted(cuts), len(versions)]

    with undone_write(crm) as connection:
        for start, end in itertools.pairwise(places):
            load(connection, versions[start:end])
        reached = state(connection)
        again = load(connection, list(latest.values()))

    assert reached == expected
    assert again == {"unchanged": len(latest)}


def stored_versions(connection: Connection) -> list[tuple[Any, ...]]:
    """Every column of the records but their ids, which PostgreSQL does not give out again."""
    columns = [column for column in records.c if column is not records.c.record_id]
    return [tuple(row) for row in connection.execute(select(*columns).order_by(records.c.record_id))]


def test_what_is_known_to_be_new_ends_as_if_it_were_compared(crm: Engine) -> None:
    versions = [("b", 1, 0), ("a", 1, 0), ("c", 0, 1)]
    with undone_write(crm) as connection:
        compared = load(connection, versions), stored_versions(connection), state(connection)

    with undone_write(crm) as connection:
        outcomes = load(connection, versions, all_new=True)
        taken_as_new = outcomes, stored_versions(connection), state(connection)

    assert taken_as_new == compared


def test_a_dry_run_stores_nothing_of_what_is_new(crm: Engine) -> None:
    with write(crm) as connection:
        outcomes = load(connection, [("a", 1, 0)], all_new=True, dry_run=True)

        assert outcomes == {"created": 1}
        assert state(connection) == []


def test_outcomes_are_told_apart(crm: Engine) -> None:
    with write(crm) as connection:
        load(connection, [("a", 1, 0), ("b", 1, 0), ("c", 1, 0), ("d", 1, 1)])

        outcomes = load(
            connection,
            [
                ("a", 1, 0),
                ("b", 2, 0),
                ("c", 0, 0),
                ("d", 1, 2),
                ("e", 0, 0),
                ("e", 0, 0),
                ("e", 1, 0),
                ("b", 2, 0),
            ],
        )

    assert outcomes == {"unchanged": 2, "updated": 2, "superseded": 3, "created": 1}


def test_a_record_keeps_its_id_when_a_later_version_replaces_it(crm: Engine) -> None:
    with write(crm) as connection:
        load(connection, [("a", 1, 0)])
        before = connection.scalars(select(records.c.record_id)).all()
        load(connection, [("a", 2, 0)])

        assert connection.scalars(select(records.c.record_id)).all() == before


def test_parts_are_counted_apart(crm: Engine) -> None:
    with write(crm) as connection:
        source_id = select_sources(connection)["crm"].source_id
        versions: list[Version] = [("a", 1, 0), ("b", 1, 0), ("a", 2, 0)]
        whole = Load(
            keys=lambda: (key_of(version, source_id) for version in versions),
            contents=lambda: map(content_of, versions),
            part_sizes=[2, 0, 1],
            standardizer_version=1,
        )

        counts = load_versions(connection, whole, now=NOW)

    assert counts == [{"created": 1, "superseded": 1}, {}, {"created": 1}]


def test_a_dry_run_only_compares(crm: Engine) -> None:
    with write(crm) as connection:
        assert load(connection, [("a", 1, 0)], dry_run=True) == {"created": 1}
        assert state(connection) == []


@pytest.mark.parametrize(
    ("day", "outcome", "comes_back"),
    [(0, "superseded", False), (1, "unchanged", False), (2, "superseded", False), (4, "updated", True)],
    ids=["older", "same", "older_than_the_deletion", "after_the_deletion"],
)
def test_a_deleted_record_comes_back_only_after_its_deletion(
    day: int, outcome: str, *, comes_back: bool, crm: Engine
) -> None:
    with write(crm) as connection:
        load(connection, [("a", 1, 0)])
        connection.execute(update(records).values(deleted_at=NOW + timedelta(days=3)))

        assert load(connection, [("a", day, 0)]) == {outcome: 1}
        assert (connection.scalars(select(records.c.deleted_at)).one() is None) == comes_back
