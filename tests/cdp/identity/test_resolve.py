"""Resolving everything: profiles, ids, ledger, events, and nothing at all the second time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text, update
from sqlalchemy.event import listen

from cdp.identity.models import UnknownModelError
from cdp.identity.resolve import ResolutionFailedError, RunReplacedError
from cdp.identity.verify import verify_store
from cdp.store import open_store, read, schema, write
from cdp.store.errors import StoreBusyError
from tests.cdp.identity.resolving import (
    ANA,
    ANA_AGAIN,
    ANA_ONLINE,
    BRUNO,
    CLARA,
    LATER,
    LATEST,
    NOW,
    a_record,
    add_records,
    constrain,
    counts,
    delete_record,
    lift_constraints,
    members,
    people,
    profile,
    profile_of,
    resolve,
    rows,
    use_small_model,
)

HISTORY = ("profiles", "memberships", "ledger_entries", "ledger_moves", "outbox_events", "merge_candidates")


def test_records_of_one_person_become_one_profile(people_store: Engine) -> None:
    add_records(people_store, a_record("a1", ANA), a_record("b1", BRUNO), a_record("a2", ANA_AGAIN))

    resolve(people_store)

    assert people(people_store) == {frozenset({"a1", "a2"}), frozenset({"b1"})}
    assert verify_store(people_store).breaches == []


def test_what_was_published_is_counted_before_candidates_are_weighed(postgresql_store: Engine) -> None:
    """PostgreSQL has no numbers of a table that nobody analyzed, and plans as if it were small."""
    use_small_model(postgresql_store)
    add_records(postgresql_store, a_record("a1", ANA), a_record("b1", BRUNO), a_record("a2", ANA_AGAIN))

    resolve(postgresql_store)

    counted = text("SELECT relname, reltuples FROM pg_class WHERE relname IN ('memberships', 'profiles')")
    with read(postgresql_store) as connection:
        assert dict(connection.execute(counted).all()) == {"memberships": 3, "profiles": 2}


def test_a_new_profile_has_its_golden_record_entry_and_event(two_people: Engine) -> None:
    ana = profile_of(two_people, "a1")

    found = profile(two_people, ana)

    assert (found["state"], found["version"], found["record_count"]) == ("live", 1, 2)
    assert found["golden"]["attributes"]["full_name"]["value"] == "Ana Lúcia Reis"
    assert {each["type"] for each in found["golden"]["identifiers"]} == {"phone", "email"}
    [entry] = [each for each in rows(two_people, "ledger_entries") if each["profile_id"] == ana]
    assert (entry["kind"], entry["author"], entry["model_version_id"]) == ("create", "test", 0)
    [join] = entry["evidence"]["joins"]
    assert (join["record_id_l"], join["record_id_r"], join["kind"]) == (1, 3, "evidence")
    [event] = [each for each in rows(two_people, "outbox_events") if each["subject_id"] == ana]
    assert event["kind"] == "profile.created"
    assert event["payload"] == {
        "ledger_entry_ids": [entry["ledger_entry_id"]],
        "profile_id": ana,
        "record_count": 2,
        "run_id": 1,
        "state": "live",
        "version": 1,
    }


def test_resolving_again_changes_nothing_but_the_run(two_people: Engine) -> None:
    before = {name: rows(two_people, name) for name in HISTORY}

    resolve(two_people, now=LATER)

    assert {name: rows(two_people, name) for name in HISTORY} == before
    assert [run["state"] for run in rows(two_people, "resolution_runs")] == ["published", "published"]


def test_what_the_store_holds_already_is_not_written_again(two_people: Engine) -> None:
    with write(two_people) as connection:
        connection.execute(update(schema.edges).values(evidence='{"kept":true}'))

    resolve(two_people, now=LATER)

    assert {row["evidence"].get("kept") for row in rows(two_people, "edges")} == {True}


def test_missing_edges_are_written_again(two_people: Engine) -> None:
    with write(two_people) as connection:
        connection.execute(schema.edges.delete())
        connection.execute(schema.blocking_keys.delete())

    resolve(two_people, now=LATER)

    assert counts(two_people, ["edges"]) == {"edges": 1}
    assert rows(two_people, "blocking_keys") != []


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 4, 0, 3, 1)], ids=str)
def test_the_order_of_arrival_changes_nothing(people_store: Engine, order: tuple[int, ...]) -> None:
    raws = [
        a_record("a1", ANA),
        a_record("a2", ANA_AGAIN),
        a_record("a3", ANA_ONLINE),
        a_record("b1", BRUNO),
        a_record("c1", CLARA),
    ]

    add_records(people_store, *(raws[place] for place in order))
    resolve(people_store)

    assert people(people_store) == {frozenset({"a1", "a2", "a3"}), frozenset({"b1"}), frozenset({"c1"})}


def test_a_new_record_is_attached_to_the_profile_that_is_there(two_people: Engine) -> None:
    ana = profile_of(two_people, "a1")
    add_records(two_people, a_record("a3", ANA_ONLINE), now=LATER)

    report = resolve(two_people, now=LATER)

    assert members(two_people)[ana] == {"a1", "a2", "a3"}
    assert profile(two_people, ana)["version"] == 2
    assert rows(two_people, "ledger_entries")[-1]["kind"] == "attach"
    assert rows(two_people, "outbox_events")[-1]["kind"] == "profile.updated"
    assert report["changes"] is not None
    assert report["changes"]["attach"] == report["changes"]["profiles_changed"] == 1


@pytest.fixture
def joined(people_store: Engine) -> Engine:
    """Ana's profiles of a1 and of a3, apart at first, are joined by a2; see the ids in profiles."""
    add_records(people_store, a_record("a1", ANA), a_record("a3", {**ANA_ONLINE, "birth_date": None}))
    constrain(people_store, "cannot", "a1", "a3")
    resolve(people_store)
    lift_constraints(people_store)
    add_records(people_store, a_record("a2", ANA_AGAIN), now=LATER)
    resolve(people_store, now=LATER)
    return people_store


def test_the_older_profile_survives_a_join_and_the_other_points_to_it(joined: Engine) -> None:
    older, younger = rows(joined, "profiles")

    assert older["profile_id"] < younger["profile_id"]
    assert (older["state"], older["record_count"], older["created_at"]) == ("live", 3, NOW)
    assert (younger["state"], younger["absorbed_into"]) == ("absorbed", older["profile_id"])
    assert (younger["record_count"], younger["golden"]) == (0, {})
    entry = rows(joined, "ledger_entries")[-1]
    assert (entry["kind"], entry["evidence"]["profiles"]) == ("join", [younger["profile_id"]])
    event = rows(joined, "outbox_events")[-1]
    assert (event["kind"], event["payload"]["absorbed"]) == ("profile.joined", [younger["profile_id"]])
    assert verify_store(joined, partition=False).breaches == []


def test_a_split_gives_the_absorbed_id_back(joined: Engine) -> None:
    older, younger = (row["profile_id"] for row in rows(joined, "profiles"))
    absorbed_key = "a3" if profile(joined, younger)["absorbed_into"] == older else "a1"
    for other in ("a1", "a2"):
        constrain(joined, "cannot", absorbed_key, other, now=LATEST)

    resolve(joined, now=LATEST)

    assert members(joined) == {older: {"a1", "a2"}, younger: {"a3"}}
    assert profile(joined, younger)["state"] == "live"
    assert profile(joined, younger)["golden"]["attributes"]["full_name"]["value"] == "Ana Lúcia Reis"
    split = rows(joined, "ledger_entries")[-1]
    assert (split["kind"], split["evidence"]["parted_from"]) == ("split", [older])
    kinds = {event["subject_id"]: event["kind"] for event in rows(joined, "outbox_events")[-2:]}
    assert kinds == {older: "profile.split", younger: "profile.created"}
    assert verify_store(joined, partition=False).breaches == []


def test_an_absorbed_id_follows_its_records_when_they_part(people_store: Engine) -> None:
    raws = [a_record("a1", ANA), a_record("a2", ANA_AGAIN), a_record("a3", ANA_ONLINE)]
    add_records(people_store, *raws)
    for left, right in (("a1", "a2"), ("a1", "a3"), ("a2", "a3")):
        constrain(people_store, "cannot", left, right)
    resolve(people_store)
    home = {key: profile_of(people_store, key) for key in ("a1", "a2", "a3")}
    lift_constraints(people_store)
    resolve(people_store, now=LATER)
    for other in ("a2", "a3"):
        constrain(people_store, "cannot", "a1", other, now=LATEST)

    resolve(people_store, now=LATEST)

    assert members(people_store) == {home["a1"]: {"a1"}, home["a2"]: {"a2", "a3"}}
    assert profile(people_store, home["a3"])["absorbed_into"] == home["a2"]
    assert verify_store(people_store).breaches == []


def test_a_deleted_record_leaves_its_profile_and_empties_it(two_people: Engine) -> None:
    bruno = profile_of(two_people, "b1")
    delete_record(two_people, "b1", now=LATER)

    resolve(two_people, now=LATER)

    found = profile(two_people, bruno)
    assert (found["state"], found["record_count"], found["golden"]) == ("empty", 0, {})
    assert rows(two_people, "ledger_entries")[-1]["kind"] == "detach"
    assert rows(two_people, "outbox_events")[-1]["payload"]["state"] == "empty"
    assert verify_store(two_people, partition=False).breaches == []


def test_a_record_that_comes_back_finds_its_old_profile(two_people: Engine) -> None:
    bruno = profile_of(two_people, "b1")
    delete_record(two_people, "b1", now=LATER)
    resolve(two_people, now=LATER)
    again = a_record("b1", BRUNO, occurred_at="2026-12-01T00:00:00Z")
    add_records(two_people, again, now=LATEST)

    resolve(two_people, now=LATEST)

    assert members(two_people)[bruno] == {"b1"}
    assert verify_store(two_people, partition=False).breaches == []


def test_a_record_sent_anew_changes_the_golden_record_of_its_profile_only(two_people: Engine) -> None:
    bruno, ana = profile_of(two_people, "b1"), profile_of(two_people, "a1")
    newer = a_record("b1", BRUNO, full_name="Bruno Tavares Lima", occurred_at="2026-06-01T00:00:00Z")
    add_records(two_people, newer, now=LATER)

    resolve(two_people, now=LATER)

    assert profile(two_people, bruno)["golden"]["attributes"]["full_name"]["value"] == "Bruno Tavares Lima"
    assert profile(two_people, bruno)["version"] == 2
    assert profile(two_people, ana)["version"] == 1
    assert len(rows(two_people, "ledger_entries")) == 2
    assert [event["subject_id"] for event in rows(two_people, "outbox_events")[2:]] == [bruno]


def test_another_trust_of_a_source_makes_golden_records_anew(two_people: Engine) -> None:
    add_records(two_people, a_record("s1", BRUNO, source="shop", full_name="Bruno T. de Moura"), now=LATER)
    resolve(two_people, now=LATER)
    bruno = profile_of(two_people, "b1")
    with write(two_people) as connection:
        connection.execute(update(schema.sources).where(schema.sources.c.name == "shop").values(trust=99))

    resolve(two_people, now=LATEST)

    assert profile(two_people, bruno)["golden"]["attributes"]["full_name"]["source"] == "shop"


def test_a_dry_run_tells_and_writes_nothing(two_people: Engine) -> None:
    ana = profile_of(two_people, "a1")
    add_records(two_people, a_record("a3", ANA_ONLINE), a_record("c1", CLARA), now=LATER)
    tables = (*HISTORY, "resolution_runs", "audit_entries", "edges")
    before = counts(two_people, tables)

    report = resolve(two_people, now=LATER, dry_run=True)

    assert counts(two_people, tables) == before
    preview = report["preview"]
    assert preview is not None
    assert (preview["changes"]["attach"], preview["changes"]["create"]) == (1, 1)
    assert preview["examples"]["attach"] == [
        {"profile_id": ana, "records": [4], "absorbed": [], "parted_from": []}
    ]


def test_a_dry_run_names_the_decisions_that_the_weights_contradict(two_people: Engine) -> None:
    constrain(two_people, "cannot", "a1", "a2")
    constrain(two_people, "must", "a1", "b1")

    preview = resolve(two_people, now=LATER, dry_run=True)["preview"]

    assert preview is not None
    assert [(each["kind"], each["record_id_l"]) for each in preview["contradictions"]] == [
        ("cannot", 1),
        ("must", 1),
    ]


def test_a_decision_about_records_that_say_the_same_is_weighed_as_their_first(people_store: Engine) -> None:
    add_records(people_store, a_record("a1", ANA), *(a_record(key, ANA_AGAIN) for key in ("a2", "a3", "a4")))
    for key in ("a2", "a3", "a4"):
        constrain(people_store, "must", "a1", key)

    preview = resolve(people_store, dry_run=True)["preview"]

    assert preview is not None
    assert preview["contradictions"] == []


def test_an_unknown_model_is_refused(two_people: Engine) -> None:
    with pytest.raises(UnknownModelError, match="99"):
        resolve(two_people, model_version=99)


def test_another_model_comes_into_force_with_the_profiles_it_made(two_people: Engine) -> None:
    copy_model(two_people, 0, 1)

    report = resolve(two_people, model_version=1, now=LATER)

    assert report["model_version"] == 1
    assert [row["model_version_id"] for row in rows(two_people, "model_activations")] == [0, 1]
    assert {row["model_version_id"] for row in rows(two_people, "edges")} == {1}
    assert len(rows(two_people, "ledger_entries")) == 2
    assert verify_store(two_people, partition=False).breaches == []


def test_a_value_of_many_people_is_kept_as_shared(people_store: Engine) -> None:
    names = ("Ana Reis", "Bruno Tavares", "Clara Prado", "Davi Moura", "Elisa Campos", "Fabio Lemos")
    raws = [
        a_record(f"r{number}", {"full_name": name, "phones": ["11 98765-4321"]})
        for number, name in enumerate(names)
    ]
    add_records(people_store, *raws)

    resolve(people_store)

    [value] = rows(people_store, "shared_values")
    assert (value["column_name"], value["value"], value["sharing"]) == ("phones", "+5511987654321", "shared")


# Alike enough to ask, not enough to join.
PERHAPS_ANA = {"full_name": "Ana Reis", "birth_date": "1980"}


@pytest.fixture
def doubtful(people_store: Engine) -> Engine:
    """Records x1 and x2 hold two exclusive documents and are otherwise one person, which opens a candidate."""
    cpf = "cpf"
    add_records(
        people_store,
        a_record("x1", ANA, documents=[{"type": cpf, "number": "390.533.447-05"}]),
        a_record("x2", ANA, documents=[{"type": cpf, "number": "529.982.247-25"}]),
    )
    changes = resolve(people_store)["changes"]
    assert changes is not None
    assert changes["candidates_opened"] == 1
    return people_store


def test_a_join_that_a_rule_forbids_becomes_a_merge_candidate(doubtful: Engine) -> None:
    [candidate] = rows(doubtful, "merge_candidates")

    assert len(people(doubtful)) == 2
    assert (candidate["reason"], candidate["state"]) == ("exclusive_conflict", "open")
    assert candidate["profile_id_l"] == profile_of(doubtful, "x1")
    assert 0 < candidate["match_probability"] < 1


def test_a_candidate_that_is_not_proposed_any_more_is_withdrawn(doubtful: Engine) -> None:
    delete_record(doubtful, "x2")

    changes = resolve(doubtful, now=LATER)["changes"]

    assert changes is not None
    assert (changes["candidates_withdrawn"], changes["candidates_open"]) == (1, 0)
    [candidate] = rows(doubtful, "merge_candidates")
    assert (candidate["state"], candidate["closed_by"]) == ("withdrawn", "test")
    assert candidate["closed_at"] == LATER


def test_what_a_steward_forbade_is_not_proposed_again(doubtful: Engine) -> None:
    constrain(doubtful, "cannot", "x1", "x2")

    resolve(doubtful, now=LATER)

    assert [row["state"] for row in rows(doubtful, "merge_candidates")] == ["withdrawn"]


def test_a_pair_left_as_unsure_is_asked_about_again_only_with_something_new(doubtful: Engine) -> None:
    with write(doubtful) as connection:
        connection.execute(
            update(schema.merge_candidates).values(state="unsure", closed_at=NOW, closed_by="steward")
        )
    resolve(doubtful, now=LATER)
    quiet = len(rows(doubtful, "merge_candidates"))
    newer = a_record("x1", rows(doubtful, "source_records")[0]["raw"], occurred_at="2026-06-01T00:00:00Z")
    add_records(doubtful, newer, now=LATER)

    resolve(doubtful, now=LATEST)

    assert quiet == 1
    assert [row["state"] for row in rows(doubtful, "merge_candidates")] == ["unsure", "open"]


def test_a_run_is_audited_once_with_its_counts(two_people: Engine) -> None:
    [entry] = [row for row in rows(two_people, "audit_entries") if row["action"] == "resolution.publish"]

    assert entry["object_id"] == "1"
    assert entry["details"]["create"] == 2
    assert len(entry["details"]["edges_digest"]) == 64


def test_records_that_are_imported_meanwhile_are_in_what_is_published(two_people: Engine) -> None:
    interfere = once("blocking", lambda: add_records(two_people, a_record("c1", CLARA), now=LATER))

    resolve(two_people, now=LATER, progress=interfere)

    assert frozenset({"c1"}) in people(two_people)
    assert verify_store(two_people).breaches == []


def test_a_decision_meanwhile_counts(two_people: Engine) -> None:
    interfere = once("blocking", lambda: constrain(two_people, "cannot", "a1", "a2"))

    resolve(two_people, now=LATER, progress=interfere)

    assert {frozenset({"a1"}), frozenset({"a2"})} <= people(two_people)


def test_a_run_that_another_one_replaced_publishes_nothing(two_people: Engine) -> None:
    add_records(two_people, a_record("c1", CLARA), now=LATER)

    def begin_another() -> None:
        with write(two_people) as connection:
            connection.execute(
                update(schema.resolution_runs)
                .where(schema.resolution_runs.c.state == "running")
                .values(state="abandoned", finished_at=LATER)
            )

    with pytest.raises(RunReplacedError):
        resolve(two_people, now=LATER, progress=once("blocking", begin_another))

    assert len(people(two_people)) == 2


def test_an_error_leaves_the_profiles_as_they_were(two_people: Engine) -> None:
    before = {name: rows(two_people, name) for name in HISTORY}
    add_records(two_people, a_record("c1", CLARA), now=LATER)

    def fail() -> None:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        resolve(two_people, now=LATER, progress=once("publishing", fail))

    assert {name: rows(two_people, name) for name in HISTORY} == before
    assert rows(two_people, "resolution_runs")[-1]["state"] == "failed"


KILLED_IN_THE_WRITE = """
import os, signal, sys
from datetime import UTC, datetime
from sqlalchemy import event
from cdp.identity.resolve import resolve_all
from cdp.store import open_store

def end(connection, cursor, statement, *rest):
    if statement.startswith("INSERT INTO memberships"):
        os.kill(os.getpid(), signal.SIGKILL)

engine = open_store(sys.argv[1])
event.listen(engine, "before_cursor_execute", end)
resolve_all(engine, clock=lambda: datetime(2026, 11, 23, 10, 0, tzinfo=UTC))
"""


def test_a_process_killed_in_the_middle_of_the_write_leaves_the_profiles_serving(
    two_people: Engine, store_url: str
) -> None:
    before = {name: rows(two_people, name) for name in HISTORY}
    add_records(two_people, a_record("a3", ANA_ONLINE), a_record("c1", CLARA), now=LATER)

    killed = subprocess.run(
        [sys.executable, "-c", KILLED_IN_THE_WRITE, store_url], env=dict(os.environ), check=False
    )

    assert killed.returncode == -signal.SIGKILL
    assert {name: rows(two_people, name) for name in HISTORY} == before
    resolve(two_people, now=LATEST)
    states = [run["state"] for run in rows(two_people, "resolution_runs")]
    assert states == ["published", "abandoned", "published"]
    assert verify_store(two_people, partition=False).breaches == []


@pytest.fixture
def impatient(two_people: Engine, store_url: str) -> Iterator[Engine]:
    """The same store for another process, one that waits for nobody."""
    engine = open_store(store_url, timeout_seconds=0.05)
    yield engine
    engine.dispose()


def test_others_wait_while_a_run_publishes_and_reads_go_on(two_people: Engine, impatient: Engine) -> None:
    add_records(two_people, a_record("c1", CLARA), now=LATER)
    seen: list[set[frozenset[str]]] = []

    def look_and_write(*event: Any) -> None:
        if event[2].startswith("INSERT INTO memberships"):
            seen.append(people(impatient))
            with pytest.raises(StoreBusyError):
                add_records(impatient, a_record("d1", BRUNO), now=LATER)

    listen(two_people, "before_cursor_execute", look_and_write)
    resolve(two_people, now=LATER)

    assert seen == [{frozenset({"a1", "a2"}), frozenset({"b1"})}]
    assert len(people(two_people)) == 3


def test_a_run_ends_when_it_ends(people_store: Engine) -> None:
    add_records(people_store, a_record("a1", ANA))
    moments = (NOW + timedelta(minutes=number) for number in range(9))

    resolve(people_store, clock=lambda: next(moments))

    [run] = rows(people_store, "resolution_runs")
    [entry] = rows(people_store, "ledger_entries")
    assert run["started_at"] < entry["recorded_at"] < run["finished_at"]


def test_a_run_that_fails_ends_when_it_fails(people_store: Engine) -> None:
    add_records(people_store, a_record("a1", ANA))
    moments = iter((NOW, LATER))

    def fail() -> None:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        resolve(people_store, clock=lambda: next(moments), progress=once("blocking", fail))

    [run] = rows(people_store, "resolution_runs")
    assert (run["started_at"], run["finished_at"]) == (NOW, LATER)


@pytest.mark.parametrize("dry_run", [False, True])
def test_too_little_memory_ends_a_run_with_what_to_do(
    two_people: Engine, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    before = {name: rows(two_people, name) for name in HISTORY}
    monkeypatch.setenv("CDP_BATCH_MEMORY", "1MB")

    with pytest.raises(ResolutionFailedError, match="1MB of memory") as caught:
        resolve(two_people, now=LATER, dry_run=dry_run)

    assert "Set CDP_BATCH_MEMORY to more" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {name: rows(two_people, name) for name in HISTORY} == before
    assert rows(two_people, "resolution_runs")[-1]["state"] == ("published" if dry_run else "failed")


def test_a_clock_that_went_back_ends_no_membership_before_it_began(two_people: Engine) -> None:
    constrain(two_people, "cannot", "a1", "a2")

    resolve(two_people, now=NOW.replace(year=2020))

    assert len(people(two_people)) == 3
    assert {row["valid_to"] for row in rows(two_people, "memberships")} == {None, NOW}


def once(step: str, act: Callable[[], None]) -> Callable[[str], None]:
    """Told the steps of a run, acts at one of them."""

    def told(now_at: str) -> None:
        if now_at == step:
            act()

    return told


def copy_model(store: Engine, version: int, new_version: int) -> None:
    [found] = [row for row in model_rows(store) if row["model_version_id"] == version]
    with write(store) as connection:
        connection.execute(insert(schema.model_versions), {**found, "model_version_id": new_version})


def model_rows(store: Engine) -> list[dict[str, Any]]:
    with write(store) as connection:
        return [dict(row) for row in connection.execute(schema.model_versions.select()).mappings()]


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_stewards_rule_the_store_stays_sound(people_store: Engine, seed: int) -> None:
    dice = random.Random(seed)
    keys = [f"a{number}" for number in range(6)]
    add_records(people_store, *(a_record(key, ANA) for key in keys))
    ids: set[str] = set()

    for day in range(5):
        now = NOW + timedelta(days=day)
        lift_constraints(people_store, now=now)
        for left, right in dice.sample(list(combinations(keys, 2)), dice.randrange(12)):
            constrain(people_store, "cannot", left, right, now=now)
        resolve(people_store, now=now)

        assert verify_store(people_store, partition=False).breaches == []
        ids |= members(people_store).keys()

    assert {row["profile_id"] for row in rows(people_store, "profiles")} == ids
