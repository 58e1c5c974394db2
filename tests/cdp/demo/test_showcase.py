"""The demo store: filled once, mended after an interruption, its keys kept to their owner."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from cdp.demo import showcase
from cdp.demo.messages import Plan, send_messages
from cdp.demo.showcase import demo_keys, example_phone, load_demo
from cdp.engagement.profile_engagement import Size, select_engagement
from cdp.identity.look_up import Identifier, look_up, standardize_presented
from cdp.identity.verify import verify_store
from cdp.store import read, schema


@pytest.fixture(autouse=True)
def small_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showcase, "RECORD_COUNT", 300)


def steps_of(engine: Engine, home: Path) -> tuple[str, list[str]]:
    """What a load did, and the steps it told."""
    steps: list[str] = []
    return load_demo(engine, home, progress=steps.append), steps


def count(engine: Engine, name: str) -> int:
    with read(engine) as connection:
        return connection.scalar(select(func.count()).select_from(schema.metadata.tables[name])) or 0


@pytest.mark.slow
def test_an_empty_store_is_filled_once_and_can_be_asked(sqlite_store: Engine, tmp_path: Path) -> None:
    assert steps_of(sqlite_store, tmp_path)[0] == "all"
    assert count(sqlite_store, "source_records") == 300
    assert count(sqlite_store, "events") > 100
    before = count(sqlite_store, "resolution_runs"), count(sqlite_store, "model_versions")

    assert steps_of(sqlite_store, tmp_path) == ("nothing", [])
    assert (count(sqlite_store, "resolution_runs"), count(sqlite_store, "model_versions")) == before

    phone = example_phone(sqlite_store)
    assert phone is not None
    presented = standardize_presented("phone", phone, "BR")
    assert isinstance(presented, Identifier)
    with read(sqlite_store) as connection:
        profile_id = look_up(connection, [presented]).profile_id
        assert profile_id is not None
        shown = select_engagement(connection, profile_id, Size(carts=1, orders=1, wish_lists=1, items=1))
    assert all((shown.orders, shown.carts, shown.consents))
    assert verify_store(sqlite_store).breaches == []


@pytest.mark.slow
def test_an_interrupted_load_goes_on_without_more_records(
    sqlite_store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(showcase, "train_model", interrupt)
        with pytest.raises(KeyboardInterrupt):
            steps_of(sqlite_store, tmp_path)
    record_count = count(sqlite_store, "source_records")

    done, steps = steps_of(sqlite_store, tmp_path)

    assert (done, len([each for each in steps if ": " not in each])) == ("rest", 4)
    assert {"training: estimating u from random pairs", "resolving: scoring pairs"} <= set(steps)
    assert count(sqlite_store, "source_records") == record_count
    assert count(sqlite_store, "profiles") > 0


@pytest.mark.slow
def test_interrupted_messages_go_on_and_change_nobody(
    sqlite_store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Plan] = []

    def send_half(engine: Engine, plan: Plan, **given: Any) -> int:
        sent.append(plan)
        send_messages(engine, replace(plan, messages=plan.messages[:70]), **given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(showcase, "send_messages", send_half)
        with pytest.raises(KeyboardInterrupt):
            steps_of(sqlite_store, tmp_path)
    with read(sqlite_store) as connection:
        of_whom = connection.execute(select(schema.memberships)).all()
    assert count(sqlite_store, "events") == 70

    done, _ = steps_of(sqlite_store, tmp_path)

    assert done == "messages"
    assert count(sqlite_store, "events") == len(sent[0].messages)
    assert count(sqlite_store, "source_records") == 300
    with read(sqlite_store) as connection:
        assert connection.execute(select(schema.memberships)).all() == of_whom


def test_keys_are_made_once_and_kept_to_their_owner(sqlite_store: Engine, tmp_path: Path) -> None:
    keys = demo_keys(sqlite_store, tmp_path)

    assert demo_keys(sqlite_store, tmp_path) == keys
    assert count(sqlite_store, "api_keys") == len(keys) == 2
    assert stat.S_IMODE((tmp_path / showcase.KEYS_FILE).stat().st_mode) == 0o600
