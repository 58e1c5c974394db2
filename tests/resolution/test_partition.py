"""The partition: order-independent, constrained average linkage."""

from __future__ import annotations

import random

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from resolution.partition import Constraints, Edge, Partition, Thresholds, partition

THRESHOLDS = Thresholds(link=3.0, join=3.0, review=-4.0, floor=-6.0, ceiling=14.0, size_limit=100)


def clusters(found: Partition) -> set[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    for key, name in found.cluster_of.items():
        groups.setdefault(name, set()).add(key)
    return {frozenset(group) for group in groups.values()}


weights = st.floats(min_value=-15, max_value=25, allow_nan=False)


@st.composite
def graphs(draw: st.DrawFn, size: int = 9) -> tuple[list[int], list[Edge]]:
    keys = list(range(draw(st.integers(1, size))))
    edges = [(a, b, draw(weights)) for a in keys for b in keys if a < b and draw(st.integers(0, 2)) > 0]
    return keys, edges


@st.composite
def constraint_sets(draw: st.DrawFn, size: int = 9) -> Constraints:
    pair = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda p: p[0] != p[1])
    exclusive = draw(st.dictionaries(st.integers(0, size - 1), st.sampled_from("abc"), max_size=4))
    return Constraints(
        must=frozenset(draw(st.lists(pair, max_size=2))),
        cannot=frozenset(draw(st.lists(pair, max_size=3))),
        exclusive={key: (("cpf", value),) for key, value in exclusive.items()},
    )


def test_two_records_with_a_heavy_edge_are_one_person() -> None:
    found = partition([1, 2, 3], [(1, 2, 5.0), (2, 3, 1.0)], Constraints(), THRESHOLDS)

    assert clusters(found) == {frozenset({1, 2}), frozenset({3})}


def test_weak_links_in_a_chain_do_not_snowball() -> None:
    chain = [(key, key + 1, 3.5) for key in range(50)]

    found = partition(range(51), chain, Constraints(), THRESHOLDS)

    assert max(len(group) for group in clusters(found)) == 2


def test_a_cannot_link_splits_even_a_heavy_edge() -> None:
    found = partition([1, 2], [(1, 2, 40.0)], Constraints(cannot=frozenset({(2, 1)})), THRESHOLDS)

    assert clusters(found) == {frozenset({1}), frozenset({2})}
    assert [refusal.reason for refusal in found.refusals] == ["cannot_link"]


def test_a_cannot_link_holds_across_records_joined_later() -> None:
    edges = [(1, 2, 9.0), (2, 3, 9.0), (1, 3, 9.0)]

    found = partition([1, 2, 3], edges, Constraints(cannot=frozenset({(1, 3)})), THRESHOLDS)

    assert found.cluster_of[1] != found.cluster_of[3]


def test_a_must_link_joins_without_any_evidence() -> None:
    found = partition([1, 2], [], Constraints(must=frozenset({(1, 2)})), THRESHOLDS)

    assert clusters(found) == {frozenset({1, 2})}
    assert [join.kind for join in found.joins] == ["must_link"]


def test_two_values_of_an_exclusive_identifier_never_join() -> None:
    exclusive = {1: (("cpf", "a"),), 2: (("cpf", "b"),)}

    found = partition([1, 2], [(1, 2, 40.0)], Constraints(exclusive=exclusive), THRESHOLDS)

    assert clusters(found) == {frozenset({1}), frozenset({2})}
    assert [refusal.reason for refusal in found.refusals] == ["exclusive_conflict"]


def test_a_record_with_two_cpfs_does_not_bring_their_holders_together() -> None:
    exclusive = {1: (("cpf", "a"),), 2: (("cpf", "a"), ("cpf", "b")), 3: (("cpf", "b"),)}
    edges = [(1, 2, 40.0), (2, 3, 40.0), (1, 3, 40.0)]

    found = partition([1, 2, 3], edges, Constraints(exclusive=exclusive), THRESHOLDS)

    assert found.cluster_of[1] != found.cluster_of[3]


def test_what_a_steward_put_together_takes_in_more_of_the_same() -> None:
    exclusive = {1: (("cpf", "a"),), 2: (("cpf", "b"),), 3: (("cpf", "b"),), 4: (("cpf", "c"),)}
    edges = [(1, 3, 9.0), (2, 3, 9.0), (1, 4, 9.0), (2, 4, 9.0)]
    constraints = Constraints(must=frozenset({(1, 2)}), exclusive=exclusive)

    found = partition([1, 2, 3, 4], edges, constraints, THRESHOLDS)

    assert clusters(found) == {frozenset({1, 2, 3}), frozenset({4})}


def test_father_son_and_grandson_stay_three_people() -> None:
    separating = {2: (("agnomen", "filho"),), 3: (("agnomen", "neto"),)}
    edges = [(1, 2, 20.0), (1, 3, 20.0), (2, 3, 20.0)]

    found = partition([1, 2, 3], edges, Constraints(separating=separating), THRESHOLDS)

    assert found.cluster_of[2] != found.cluster_of[3]
    assert [refusal.reason for refusal in found.refusals] == ["exclusive_conflict"]


def test_one_cpf_on_two_people_is_shown_to_a_steward_whatever_the_weight() -> None:
    exclusive = {1: (("cpf", "a"),), 2: (("cpf", "a"),), 3: (("cpf", "b"),)}

    found = partition([1, 2, 3], [], Constraints(exclusive=exclusive), THRESHOLDS)

    assert clusters(found) == {frozenset({1}), frozenset({2}), frozenset({3})}
    assert [(r.key_l, r.key_r, r.reason) for r in found.refusals] == [(1, 2, "exclusive_shared")]


def test_a_cpf_that_one_of_two_merely_claims_is_no_question() -> None:
    exclusive = {1: (("cpf", "a"),), 2: (("cpf", "a"),)}

    found = partition([1, 2], [], Constraints(exclusive=exclusive, claimed={2: (("cpf", "a"),)}), THRESHOLDS)

    assert found.refusals == []


def test_a_cluster_that_also_holds_what_it_claims_is_asked_about_by_the_record_that_holds_it() -> None:
    exclusive = dict.fromkeys((1, 2, 3), (("cpf", "a"),))

    found = partition(
        [1, 2, 3],
        [(2, 3, 9.0)],
        Constraints(exclusive=exclusive, claimed={2: (("cpf", "a"),)}),
        THRESHOLDS,
    )

    assert clusters(found) == {frozenset({1}), frozenset({2, 3})}
    assert [(r.key_l, r.key_r, r.reason) for r in found.refusals] == [(1, 3, "exclusive_shared")]


def test_a_cpf_that_everybody_claims_is_nobodys_question_either() -> None:
    exclusive = dict.fromkeys(range(5), (("cpf", "a"),))

    found = partition(
        range(5),
        [],
        Constraints(exclusive=exclusive, claimed=dict.fromkeys(range(2, 5), (("cpf", "a"),))),
        THRESHOLDS,
    )

    assert found.refusals == []


def test_a_claimed_cpf_parts_like_any_other() -> None:
    exclusive = {1: (("cpf", "a"),), 2: (("cpf", "b"),)}

    found = partition(
        [1, 2],
        [(1, 2, 9.0)],
        Constraints(exclusive=exclusive, claimed={2: (("cpf", "b"),)}),
        THRESHOLDS,
    )

    assert clusters(found) == {frozenset({1}), frozenset({2})}
    assert [refusal.reason for refusal in found.refusals] == ["exclusive_conflict"]


def test_a_cpf_that_everybody_has_is_nobodys_question() -> None:
    exclusive = dict.fromkeys(range(5), (("cpf", "a"),))

    found = partition(range(5), [], Constraints(exclusive=exclusive), THRESHOLDS)

    assert found.refusals == []


def test_the_size_limit_stops_a_monster_and_asks_a_steward() -> None:
    thresholds = Thresholds(3.0, 3.0, -4.0, -6.0, 14.0, size_limit=3)
    edges = [(a, b, 9.0) for a in range(4) for b in range(a)]

    found = partition(range(4), edges, Constraints(), thresholds)

    assert max(len(group) for group in clusters(found)) == 3
    assert {refusal.reason for refusal in found.refusals} == {"size_limit"}


def test_a_pair_in_the_review_band_becomes_a_refusal() -> None:
    found = partition([1, 2], [(1, 2, 1.0)], Constraints(), THRESHOLDS)

    assert [(r.key_l, r.key_r, r.reason) for r in found.refusals] == [(1, 2, "review_band")]


def test_joins_tell_how_the_cluster_was_made_heaviest_first() -> None:
    edges = [(1, 2, 5.0), (2, 3, 9.0), (1, 3, 5.0)]

    found = partition([1, 2, 3], edges, Constraints(), THRESHOLDS)

    assert [(join.key_l, join.key_r, join.mean_weight) for join in found.joins] == [(2, 3, 9.0), (1, 2, 5.0)]


@settings(max_examples=300, deadline=None)
@given(graphs(), constraint_sets(), st.randoms(use_true_random=False))
def test_the_order_of_records_and_edges_changes_nothing(
    graph: tuple[list[int], list[Edge]], constraints: Constraints, shuffled: random.Random
) -> None:
    keys, edges = graph
    expected = partition(keys, edges, constraints, THRESHOLDS)

    shuffled.shuffle(keys)
    shuffled.shuffle(edges)
    turned = [(b, a, weight) if shuffled.random() < 0.5 else (a, b, weight) for a, b, weight in edges]

    assert partition(keys, turned, constraints, THRESHOLDS) == expected


@settings(max_examples=300, deadline=None)
@given(graphs(), constraint_sets())
def test_no_rule_is_broken_by_any_weight(
    graph: tuple[list[int], list[Edge]], constraints: Constraints
) -> None:
    keys, edges = graph
    free_of_musts = Constraints(cannot=constraints.cannot, exclusive=constraints.exclusive)

    found = partition(keys, edges, free_of_musts, THRESHOLDS)

    for a, b in constraints.cannot:
        if a in found.cluster_of and b in found.cluster_of:
            assert found.cluster_of[a] != found.cluster_of[b]
    for group in clusters(found):
        values = {value for key in group for _, value in constraints.exclusive.get(key, ())}
        assert len(values) <= 1


@settings(max_examples=200, deadline=None)
@given(graphs(), constraint_sets())
def test_a_component_alone_gives_what_it_gives_among_others(
    graph: tuple[list[int], list[Edge]], constraints: Constraints
) -> None:
    keys, edges = graph
    whole = partition(keys, edges, constraints, THRESHOLDS)
    linked = nx.Graph([(a, b) for a, b, weight in edges if weight >= THRESHOLDS.link])
    linked.add_edges_from(pair for pair in constraints.must if set(pair) <= set(keys))
    linked.add_nodes_from(keys)

    for component in nx.connected_components(linked):
        inside = [edge for edge in edges if edge[0] in component and edge[1] in component]
        alone = partition(component, inside, constraints, THRESHOLDS)

        assert alone.cluster_of == {key: whole.cluster_of[key] for key in component}


@pytest.mark.parametrize("seed", range(20))
def test_without_constraints_it_is_average_linkage(seed: int) -> None:
    """All pairs scored, all weights different: scipy's UPGMA at the same cut is the reference."""
    generator = np.random.default_rng(seed)
    size = int(generator.integers(2, 30))
    upper = generator.uniform(-11, 13, size * (size - 1) // 2)
    pairs = [(a, b) for a in range(size) for b in range(a + 1, size)]
    thresholds = Thresholds(-12.0, 3.0, 3.0, -12.0, 14.0, size_limit=1000)

    found = partition(
        range(size),
        [(a, b, float(w)) for (a, b), w in zip(pairs, upper, strict=True)],
        Constraints(),
        thresholds,
    )

    labels = fcluster(linkage(20 - upper, "average"), 20 - 3.0, "distance")
    reference: dict[int, set[int]] = {}
    for key, label in enumerate(labels):
        reference.setdefault(int(label), set()).add(key)
    assert clusters(found) == {frozenset(group) for group in reference.values()}
