"""Statements on the driver's own cursor give what SQLAlchemy gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, bindparam, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from cdp.store import read, write
from cdp.store.quick import QuickStatement
from cdp.store.schema import api_keys, sources

NOW = datetime(2026, 11, 20, 9, 30, 0, 5, tzinfo=UTC)
NAME = {"key_id": "k1", "name": "a key", "secret_hash": "0" * 64, "scopes": "[]"}

add_key = QuickStatement(
    insert(api_keys).values(
        **{name: bindparam(name) for name in (*NAME, "created_at", "expires_at")}, sources=None
    )
)
keys_before = QuickStatement(
    select(api_keys.c.key_id, api_keys.c.created_at, api_keys.c.expires_at).where(
        api_keys.c.created_at <= bindparam("until")
    )
)


def test_instants_go_in_and_come_back_as_instants(store: Engine) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-3)))
    with write(store) as connection:
        add_key.run(connection, **NAME, created_at=elsewhere, expires_at=None)
    with read(store) as connection:
        [row] = keys_before.fetch(connection, until=NOW)
        assert row == tuple(
            connection.execute(select(api_keys.c.key_id, api_keys.c.created_at, api_keys.c.expires_at)).one()
        )
        assert (row.created_at, row.expires_at) == (NOW, None)
        assert keys_before.first(connection, until=NOW - timedelta(seconds=1)) is None
        assert [tuple(each) for each in keys_before.tuples(connection, until=NOW)] == [("k1", NOW, None)]


def test_a_time_without_zone_is_refused(store: Engine) -> None:
    with write(store) as connection, pytest.raises(ValueError, match="time zone"):
        add_key.run(connection, **NAME, created_at=NOW.replace(tzinfo=None), expires_at=None)


def test_many_rows_keep_their_types_and_literals(store: Engine) -> None:
    change = QuickStatement(
        update(api_keys)
        .where(api_keys.c.key_id == bindparam("changed"), api_keys.c.created_at == NOW)
        .values(revoked_at=bindparam("at"))
    )
    with write(store) as connection:
        for key_id in ("k1", "k2"):
            add_key.run(connection, **NAME | {"key_id": key_id}, created_at=NOW, expires_at=None)
        later = NOW + timedelta(days=1)
        change.run_many(connection, [{"changed": "k1", "at": NOW}, {"changed": "k2", "at": later}])
        revoked = dict(connection.execute(select(api_keys.c.key_id, api_keys.c.revoked_at)).all())
    assert revoked == {"k1": NOW, "k2": later}


def test_truth_comes_back_as_truth(store: Engine) -> None:
    [found] = _truths(store)
    assert found is True


def _truths(store: Engine) -> list[object]:
    truth = QuickStatement(select(literal(True).label("is_so")))
    with read(store) as connection:
        return [row.is_so for row in truth.fetch(connection)]


def test_a_broken_rule_is_told_as_sqlalchemy_tells_it_and_without_values(store: Engine) -> None:
    add_source = QuickStatement(insert(sources).values(source_id=bindparam("id"), name=bindparam("name")))
    with pytest.raises(IntegrityError) as told, write(store) as connection:
        add_source.run(connection, id=1, name=None)
    assert told.value.params is None
