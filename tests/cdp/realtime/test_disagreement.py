"""A sample of records, derived anew, shows where the profiles are not what the records give, and writes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, delete, insert, select, update

import resolution.incremental
from cdp.identity.verify import verify_store
from cdp.realtime.disagreement import Disagreement, measure_disagreement
from cdp.realtime.online_models import OnlineModels
from cdp.realtime.verify_sample import verify_sample
from cdp.store import read, schema, write
from tests.cdp.identity.resolving import counts
from tests.cdp.realtime.feeding import NOW, Feed, Limits, a_record, random_records
from tests.histories import seeds

memberships, edges, keys = schema.memberships, schema.edges, schema.blocking_keys


def measure(store: Engine, sample_size: int = 1000, seed: int = 1) -> Disagreement:
    with read(store) as connection:
        return measure_disagreement(connection, OnlineModels().require(connection, 0), sample_size, seed)


@pytest.fixture
def fed(store: Engine) -> Feed:
    feed = Feed(store)
    feed.ingest(*random_records(5, 40))
    return feed


def test_what_came_online_agrees(fed: Feed) -> None:
    found = measure(fed.engine)

    assert (found.share, found.differing, found.waiting, found.found) == (0.0, 0, 0, [])
    assert found.sampled == counts(fed.engine, ["source_records"])["source_records"]


def test_measuring_writes_nothing(fed: Feed) -> None:
    before = counts(fed.engine, schema.metadata.tables)

    measure(fed.engine)

    assert counts(fed.engine, schema.metadata.tables) == before


@pytest.mark.parametrize("limits", [Limits(), Limits(cap=4, complete_size=4)], ids=["wide", "narrow"])
def test_it_agrees_where_blocks_and_components_are_at_their_limits(store: Engine, limits: Limits) -> None:
    feed = Feed(store, limits)
    for raw in random_records(6, 40):
        feed.ingest(raw)

    assert measure(store).differing == 0


@pytest.fixture
def two_of_ana(store: Engine) -> Feed:
    """Ana twice, in one profile, and Bia."""
    feed = Feed(store)
    for key in ("a1", "a2"):
        feed.ingest(a_record(key, full_name="Ana Reis", emails=["ana@example.com"], birth_date="1980-02-29"))
    feed.ingest(a_record("b1", full_name="Bia Lima", emails=["bia@example.com"]))
    assert counts(store, ["profiles"])["profiles"] == 2
    return feed


def test_a_record_in_the_wrong_profile_is_found(two_of_ana: Feed) -> None:
    store = two_of_ana.engine
    with write(store) as connection:
        bia = connection.scalar(select(memberships.c.profile_id).where(memberships.c.record_id == 3))
        moved = update(memberships).where(memberships.c.record_id == 2)
        connection.execute(moved.values(profile_id=bia))

    found = measure(store)

    assert found.differing == 1
    assert found.share == pytest.approx(1 / 3)
    assert found.share == verify_store(store).disagreement
    assert any(message.startswith("records 1, 2 are one person") for message, _ in found.found)


@pytest.mark.parametrize("table", [edges, keys], ids=["edges", "keys"])
def test_evidence_that_was_lost_does_not_hide_it(two_of_ana: Feed, table: object) -> None:
    """The profiles are still right: what the records give is found without what the store kept of them."""
    with write(two_of_ana.engine) as connection:
        connection.execute(delete(table))  # type: ignore[arg-type]

    assert measure(two_of_ana.engine).differing == 0


def test_the_same_seed_draws_the_same_records(fed: Feed) -> None:
    with write(fed.engine) as connection:
        moved = update(memberships).where(memberships.c.record_id % 3 == 0)
        profile_id = connection.scalar(select(memberships.c.profile_id).limit(1))
        connection.execute(moved.values(profile_id=profile_id))

    shares = {seed: measure(fed.engine, sample_size=5, seed=seed).share for seed in range(8)}

    assert {seed: measure(fed.engine, sample_size=5, seed=seed).share for seed in range(8)} == shares
    assert len(set(shares.values())) > 1


def test_few_records_of_a_wide_range_of_ids_are_drawn_without_a_list(fed: Feed) -> None:
    with write(fed.engine) as connection:
        row = connection.execute(select(schema.source_records).limit(1)).mappings().one()
        far = {**row, "record_id": 100_000, "source_record_id": "far", "deleted_at": row["received_at"]}
        connection.execute(insert(schema.source_records).values(far))

    assert measure(fed.engine, sample_size=2).sampled <= 2


def test_an_empty_store_has_nothing_to_disagree(store: Engine) -> None:
    feed = Feed(store)

    assert measure(feed.engine) == Disagreement(0, 0, 0)
    assert measure(feed.engine).share is None


@pytest.fixture
def waiting(store: Engine, monkeypatch: pytest.MonkeyPatch) -> Feed:
    """Records that an address held together, which is everybody's by now, wait; Zeca's are not concerned."""
    monkeypatch.setattr(resolution.incremental, "REDO_AT_ONCE", 0)
    feed = Feed(store)
    for name in ("Ana", "Bia", "Caio", "Davi", "Eva"):
        for number in range(2):
            feed.ingest(a_record(f"{name}{number}", full_name=f"{name} Reis", emails=["casa77@example.com"]))
    for number in range(2):
        feed.ingest(a_record(f"z{number}", full_name="Zeca Pires", emails=["zeca@example.com"]))
    return feed


def test_records_that_wait_are_left_out(waiting: Feed) -> None:
    found = measure(waiting.engine)

    assert (found.sampled, found.waiting, found.differing) == (12, 10, 0)
    waiting.drain()
    assert measure(waiting.engine).waiting == 0


def test_a_queue_is_a_note_and_no_breach(waiting: Feed) -> None:
    verification = verify_store(waiting.engine)

    assert verification.breaches == []
    assert verification.disagreement == 0.0
    assert "wait to be resolved anew" in verification.notes["redo"]
    assert verification.notes["partition"].startswith("10 records are left out")
    waiting.drain()
    assert verify_store(waiting.engine).notes == {}


def test_where_every_record_waits_nothing_was_compared(waiting: Feed) -> None:
    store = waiting.engine
    with write(store) as connection:
        zeca = [{"record_id": record_id, "queued_at": NOW} for record_id in (11, 12)]
        connection.execute(insert(schema.redo_records), zeca)

    assert (measure(store).sampled, measure(store).waiting, measure(store).share) == (12, 12, None)
    assert verify_store(store).disagreement is None
    assert verify_sample(store, sample_size=12, seed=1).verification.disagreement is None


def test_a_queue_hides_no_breach_of_others(waiting: Feed) -> None:
    store = waiting.engine
    with write(store) as connection:
        other = connection.scalar(select(memberships.c.profile_id).where(memberships.c.record_id == 1))
        connection.execute(update(memberships).where(memberships.c.record_id == 12).values(profile_id=other))

    assert any(breach.check == "partition" for breach in verify_store(store).breaches)
    assert verify_store(store).disagreement == 0.5


@pytest.mark.parametrize("seed", seeds(2))
@pytest.mark.parametrize("limits", [Limits(), Limits(cap=3, complete_size=3)], ids=["wide", "narrow"])
def test_a_queue_never_looks_like_a_breach(
    sqlite_store: Engine, monkeypatch: pytest.MonkeyPatch, limits: Limits, seed: int
) -> None:
    monkeypatch.setattr(resolution.incremental, "REDO_AT_ONCE", 0)
    feed = Feed(sqlite_store, limits)
    for raw in random_records(seed, 30):
        feed.ingest(raw)

    assert verify_store(sqlite_store).breaches == []
    assert measure(sqlite_store).differing == 0
