"""Resolving everything at once: whatever the order, within the rules, with the evidence for each edge."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from resolution import Model, PairConstraints, StoredRecord, resolve_batch
from resolution.explanation import explain_pair
from resolution.keys import blocking_keys, value_key
from resolution.linkage_index import BLOCKED, COMPONENT, REPEAT
from resolution.standardize import SourceSettings, Standardizer
from tests.resolution.builders import (
    SMALL,
    Linkage,
    a_person,
    a_record,
    people_records,
    prior_model,
    records_of,
)

MODEL = prior_model()
SMALL_MODEL = prior_model(SMALL)
POPULATION = people_records(60, seed=3)


@dataclass(frozen=True)
class Resolved:
    """All of a resolution, read while its workspace was open."""

    clusters: list[tuple[tuple[int, ...], list[str]]]
    edges: list[tuple[int, int, float, str, str]]
    refusals: list[tuple[int, int, str]]
    keys: list[tuple[int, int]]
    holders: list[tuple[int, str, int]]
    shared_values: list[tuple[int, str, str, int, str, bool]]
    counts: dict[str, int]


def resolve(
    chunks: Iterable[Sequence[StoredRecord]],
    model: Model = SMALL_MODEL,
    constraints: PairConstraints | None = None,
) -> Resolved:
    with resolve_batch(chunks, model, constraints) as found:
        return Resolved(
            clusters=[
                (cluster.record_ids, [join.kind for join in cluster.joins]) for cluster in found.clusters
            ],
            edges=rows_of(found.edges()),
            refusals=[(refusal.key_l, refusal.key_r, refusal.reason) for refusal in found.refusals],
            keys=rows_of(found.blocking_keys()),
            holders=rows_of(found.value_holders()),
            shared_values=rows_of(found.shared_values()),
            counts=found.counts,
        )


def rows_of(chunks: Iterable[Sequence[Sequence[Any]]]) -> list[Any]:
    """The rows of chunks that hold one list a column."""
    return [row for columns in chunks for row in zip(*columns, strict=True)]


def members(resolved: Resolved) -> list[tuple[int, ...]]:
    return [record_ids for record_ids, _ in resolved.clusters]


@pytest.fixture(scope="module")
def whole() -> Resolved:
    """The population in one chunk under the shipped model."""
    return resolve([POPULATION], MODEL)


@pytest.fixture(scope="module")
def shuffled() -> Resolved:
    """The same in another order and other chunks."""
    mixed = random.Random(7).sample(POPULATION, len(POPULATION))
    return resolve([mixed[:1], [], mixed[1:50], mixed[50:]], MODEL)


NEW_IDS = dict(
    zip(range(1, len(POPULATION) + 1), random.Random(9).sample(range(10**6), len(POPULATION)), strict=True)
)


@pytest.fixture(scope="module")
def renumbered() -> Resolved:
    """The same as if they had arrived in another order: the record ids are others, the record keys the same."""
    return resolve([[(NEW_IDS[record_id], *rest) for record_id, *rest in POPULATION]], MODEL)


def on_new_ids(pairs: Iterable[tuple[int, int, object]]) -> list[tuple[int, int, object]]:
    return sorted((*sorted((NEW_IDS[low], NEW_IDS[high])), told) for low, high, told in pairs)


def test_the_population_is_worth_resolving(whole: Resolved) -> None:
    assert 40 < whole.counts["clusters"] < whole.counts["records"]
    assert {len(record_ids) for record_ids in members(whole)} >= {1, 2, 3}
    assert whole.refusals


def test_order_and_chunks_change_nothing(whole: Resolved, shuffled: Resolved) -> None:
    assert shuffled == whole


def test_record_ids_change_nothing(whole: Resolved, renumbered: Resolved) -> None:
    assert [{NEW_IDS[record_id] for record_id in cluster} for cluster in members(whole)] == [
        set(cluster) for cluster in members(renumbered)
    ]
    assert on_new_ids((low, high, weight) for low, high, weight, *_ in whole.edges) == [
        (low, high, weight) for low, high, weight, *_ in renumbered.edges
    ]
    assert on_new_ids(whole.refusals) == sorted(renumbered.refusals)


def test_each_record_is_in_one_cluster(whole: Resolved) -> None:
    assert sorted(record_id for cluster in members(whole) for record_id in cluster) == list(
        range(1, len(POPULATION) + 1)
    )


def test_a_cluster_takes_one_join_less_than_it_has_records(whole: Resolved) -> None:
    assert all(len(joins) == len(record_ids) - 1 for record_ids, joins in whole.clusters)


def test_the_evidence_of_an_edge_adds_up_to_its_weight(whole: Resolved) -> None:
    for _, _, match_weight, _, text in whole.edges:
        evidence = json.loads(text)
        explained = explain_pair(MODEL, evidence["levels"], evidence["frequency_weights"])
        assert explained.match_weight == pytest.approx(match_weight, abs=1e-9)


def test_evidence_names_the_frequencies_that_say_something(whole: Resolved) -> None:
    given = [json.loads(text)["frequency_weights"] for *_, text in whole.edges]

    assert any(given)
    assert all(weight != 0 for weights in given for weight in weights.values())


def test_no_edge_is_below_the_floor_and_none_stands_there_twice(whole: Resolved) -> None:
    floor = MODEL.specification.thresholds.floor

    assert min(weight for _, _, weight, *_ in whole.edges) >= floor
    assert len({(low, high) for low, high, *_ in whole.edges}) == len(whole.edges)
    assert all(low < high for low, high, *_ in whole.edges)


def test_the_blocking_keys_are_those_of_each_record_alone(whole: Resolved) -> None:
    repeats = {high for _, high, _, origin, _ in whole.edges if origin == REPEAT}

    assert whole.shared_values == []
    assert whole.keys == sorted(
        {
            (key, record_id)
            for record_id, _, _, text in POPULATION
            if record_id not in repeats
            for key in blocking_keys(json.loads(text)["linkage"], MODEL.blocking_rules)
        }
    )


def test_no_record_gives_nothing() -> None:
    for chunks in ([], [[]]):
        found = resolve(chunks)

        assert found == Resolved([], [], [], [], [], [], dict.fromkeys(found.counts, 0))


def test_one_record_is_one_person() -> None:
    found = resolve([records_of([a_person()])])

    assert found.clusters == [((1,), [])]
    assert (found.counts["clusters"], found.counts["largest_cluster"], found.counts["edges"]) == (1, 1, 0)


def test_records_without_anything_are_people_of_their_own() -> None:
    found = resolve([[a_record(1, {}), a_record(2, {})]])

    assert members(found) == [(1,), (2,)]


def test_clusters_and_their_records_stand_in_the_order_of_record_keys() -> None:
    twin, other = a_person(birth_date="1980-01-01"), a_person("bia", "lima")

    found = resolve([[a_record(1, twin, key="z"), a_record(2, other, key="m"), a_record(3, twin, key="a")]])

    assert members(found) == [(3, 1), (2,)]


def chain(**last: object) -> list[Linkage]:
    """Three records of one person; the first has nothing in common with the last that a rule of SMALL would see."""
    date = "1980-01-01"
    return [
        a_person(birth_date=date),
        a_person(birth_date=date, emails=["ana@example.com"]),
        a_person(family=None, name_folded=None, birth_date=date, emails=["ana@example.com"], **last),  # type: ignore[arg-type]
    ]


def test_pairs_that_no_rule_proposed_are_scored_inside_a_component() -> None:
    found = resolve([records_of(chain())])

    assert found.counts["blocked_pairs"] == 2
    assert [(low, high, origin) for low, high, _, origin, _ in found.edges] == [
        (1, 2, BLOCKED),
        (1, 3, COMPONENT),
        (2, 3, BLOCKED),
    ]
    assert members(found) == [(1, 2, 3)]


def test_a_component_above_its_size_is_left_as_the_rules_proposed_it() -> None:
    small = replace(SMALL_MODEL, specification=replace(SMALL, complete_size=2))

    found = resolve([records_of(chain())], small)

    assert [(low, high) for low, high, *_ in found.edges] == [(1, 2), (2, 3)]


def test_a_cannot_link_parts_what_the_evidence_joins() -> None:
    twins = [a_person(birth_date="1980-01-01", emails=["ana@example.com"])] * 2

    found = resolve([records_of(twins)], constraints=PairConstraints(cannot=frozenset({(2, 1)})))

    assert members(found) == [(1,), (2,)]
    assert found.refusals == [(1, 2, "cannot_link")]


def test_a_must_link_joins_what_has_nothing_in_common() -> None:
    strangers = [a_person(), a_person("bia", "lima")]

    found = resolve([records_of(strangers)], constraints=PairConstraints(must=frozenset({(2, 1)})))

    assert found.clusters == [((1, 2), ["must_link"])]


def test_constraints_on_records_that_are_gone_are_left_aside() -> None:
    constraints = PairConstraints(must=frozenset({(1, 99)}), cannot=frozenset({(98, 1)}))

    found = resolve([records_of([a_person()])], constraints=constraints)

    assert members(found) == [(1,)]


@pytest.mark.parametrize(
    ("other", "expected"), [("cpf:2", [(1,), (2,)]), ("nif:2", [(1, 2)]), ("cpf:1", [(1, 2)])]
)
def test_two_cpfs_never_join(other: str, expected: list[tuple[int, ...]]) -> None:
    columns = {"birth_date": "1980-01-01", "emails": ["ana@example.com"]}
    people = [a_person(documents=["cpf:1"], **columns), a_person(documents=[other], **columns)]

    found = resolve([records_of(people)])

    assert members(found) == expected
    assert found.refusals == ([(1, 2, "exclusive_conflict")] if len(expected) == 2 else [])


def test_two_cpfs_never_join_through_a_third_record() -> None:
    columns = {"birth_date": "1980-01-01", "emails": ["ana@example.com"]}
    people = [
        a_person(documents=["cpf:1"], **columns),
        a_person(**columns),
        a_person(documents=["cpf:2"], **columns),
    ]

    found = resolve([records_of(people)])

    assert not any({1, 3} <= set(cluster) for cluster in members(found))


def test_a_generic_value_blocks_nothing_and_is_told() -> None:
    names = ["ana", "bia", "caio", "davi", "eva"]
    shop = [a_person(name, f"de {name}", emails=["loja@example.com"]) for name in names]

    found = resolve([records_of(shop)])

    key = value_key("emails", "loja@example.com")
    assert found.shared_values == [(key, "emails", "loja@example.com", 5, "generic", False)]
    assert [row for row in found.holders if row[0] == key] == [
        (key, name, number) for number, name in enumerate(names, 1)
    ]
    assert found.counts["blocked_pairs"] == 0


def test_progress_is_told_step_by_step() -> None:
    steps: list[str] = []

    with resolve_batch([], SMALL_MODEL, progress=steps.append):
        assert steps == ["loading records", "blocking", "scoring pairs", "partitioning", "explaining edges"]


def test_nothing_remains_beside_the_resolution() -> None:
    with resolve_batch([records_of(chain())], SMALL_MODEL) as found:
        tables = found.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        views = found.connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()

    assert views == []
    assert {name for (name,) in tables} == {
        "explained_edges",
        "told_holders",
        "told_keys",
        "value_classes",
    }


def test_a_resolution_can_be_read_piece_by_piece_at_the_same_time() -> None:
    with resolve_batch([records_of(chain())], SMALL_MODEL) as found:
        edges, keys = found.edges(), found.blocking_keys()

        assert [len(column) for column in next(edges)] == [3] * 5
        assert [len(column) for column in next(keys)] == [4] * 2


# ----------------------------------------------------------------------------- people who say the same again and again


def standardized(raw_records: Sequence[dict[str, object]]) -> list[StoredRecord]:
    standardizer = Standardizer(SourceSettings())
    return records_of([standardizer.standardize(raw).linkage for raw in raw_records])


@pytest.mark.parametrize("count", [61, 500])
def test_a_customer_who_says_the_same_many_times_is_one_person(count: int) -> None:
    same = {
        "full_name": "Ana Reis",
        "birth_date": "1980-02-29",
        "phones": ["+5511987654321"],
        "documents": [{"type": "cpf", "number": "390.533.447-05"}],
    }

    found = resolve([standardized([same] * count)], MODEL)

    assert len(found.clusters) == 1
    assert {kind for _, joins in found.clusters for kind in joins} == {"evidence"}
    assert len(found.clusters[0][1]) == count - 1


def test_nameless_calls_from_one_phone_join_its_owner() -> None:
    owner = {"full_name": "Ana Reis", "birth_date": "1980-02-29", "phones": ["+5511987654321"]}

    found = resolve([standardized([owner] + [{"phones": ["+5511987654321"]}] * 70)], MODEL)

    assert len(found.clusters) <= 2
    assert sorted(len(record_ids) for record_ids in members(found))[-1] >= 70


def test_equal_records_that_say_too_little_stay_apart() -> None:
    found = resolve([standardized([{"full_name": "Maria Silva"}] * 5)], MODEL)

    assert [len(record_ids) for record_ids in members(found)] == [1] * 5


def test_a_repeat_that_a_steward_set_apart_stays_apart() -> None:
    same = {"full_name": "Ana Reis", "phones": ["+5511987654321"], "emails": ["ana.reis@example.com"]}

    found = resolve([standardized([same] * 3)], MODEL, PairConstraints(cannot=frozenset({(1, 2)})))

    [first] = [record_ids for record_ids in members(found) if 1 in record_ids]
    assert 2 not in first


def test_one_cpf_with_another_name_and_birth_date_goes_to_a_steward() -> None:
    shared = {
        "phones": ["+5511987654321"],
        "documents": [{"type": "cpf", "number": "390.533.447-05"}],
        "address": {"street": "Rua A, 10", "city": "São Paulo", "postal_code": "01310-100", "country": "BR"},
    }
    mother = {**shared, "full_name": "Carla Pereira Moreira", "birth_date": "1975-03-11"}
    child = {**shared, "full_name": "Davi Pereira Moreira", "birth_date": "2009-10-24"}

    found = resolve([standardized([mother, child])], MODEL)

    assert len(found.clusters) == 2
    assert [reason for *_, reason in found.refusals] == ["exclusive_shared"]


def test_grandfather_father_and_son_on_one_phone_are_three_people() -> None:
    names = ["João Reis", "João Reis Filho", "João Reis Neto"]
    shared = {"phones": ["+5511987654321"], "emails": ["familia.reis@example.com"]}

    found = resolve([standardized([{**shared, "full_name": name} for name in names])], MODEL)

    [filho] = [record_ids for record_ids in members(found) if 2 in record_ids]
    assert 3 not in filho


def test_one_whatsapp_user_is_one_person() -> None:
    user = {"whatsapp_bsuids": ["BR.13491208655302741918"]}
    first, second = {**user, "full_name": "Ana Reis"}, {**user, "full_name": "Ana Lima Reis"}

    found = resolve([standardized([first, second])], MODEL)

    assert len(found.clusters) == 1
