import json
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolution.evaluation import (
    Evaluation,
    FlagErrors,
    Measure,
    MixedCluster,
    Part,
    SplitEntity,
    describe_evaluation,
    evaluate_clusters,
    evaluate_labels,
)

MEASURES = ("precision", "recall", "f1", "bcubed_precision", "bcubed_recall", "bcubed_f1")

labelled_records = st.lists(
    st.tuples(st.integers(0, 6), st.one_of(st.none(), st.integers(0, 6)), st.sets(st.sampled_from("ab"))),
    max_size=40,
)


def share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def pairs_of(labels: Sequence[object]) -> set[tuple[int, int]]:
    positions = range(len(labels))
    return {
        (left, right)
        for left, right in combinations(positions, 2)
        if labels[left] is not None and labels[left] == labels[right]
    }


def members_of(labels: Sequence[object], position: int) -> set[int]:
    together = {
        other for other, label in enumerate(labels) if label is not None and label == labels[position]
    }
    return together | {position}


def listed_measures(true: Sequence[object], predicted: Sequence[object]) -> dict[str, float]:
    """The measures as they are defined: every pair and every record one by one."""
    true_pairs, predicted_pairs = pairs_of(true), pairs_of(predicted)
    right = len(true_pairs & predicted_pairs)
    positions = range(len(true))
    shared = [len(members_of(true, p) & members_of(predicted, p)) for p in positions]
    bcubed_precision = share(sum(shared[p] / len(members_of(predicted, p)) for p in positions), len(true))
    bcubed_recall = share(sum(shared[p] / len(members_of(true, p)) for p in positions), len(true))
    return {
        "precision": share(right, len(predicted_pairs)),
        "recall": share(right, len(true_pairs)),
        "f1": share(2 * right, len(predicted_pairs) + len(true_pairs)),
        "bcubed_precision": bcubed_precision,
        "bcubed_recall": bcubed_recall,
        "bcubed_f1": share(2 * bcubed_precision * bcubed_recall, bcubed_precision + bcubed_recall),
    }


def values_of(evaluation: Evaluation) -> dict[str, float]:
    return {name: getattr(evaluation, name).value for name in MEASURES}


@settings(deadline=None)
@given(labelled_records)
def test_measures_agree_with_listing_every_pair(records):
    true, predicted = [r[0] for r in records], [r[1] for r in records]

    evaluation = evaluate_labels(true, predicted, replicates=3)

    assert values_of(evaluation) == pytest.approx(listed_measures(true, predicted), abs=1e-8)


@settings(deadline=None)
@given(labelled_records)
def test_pair_counts_agree_with_listing_every_pair(records):
    true, predicted = [r[0] for r in records], [r[1] for r in records]

    evaluation = evaluate_labels(true, predicted, replicates=0)

    true_pairs, predicted_pairs = pairs_of(true), pairs_of(predicted)
    counts = (evaluation.true_pairs, evaluation.predicted_pairs, evaluation.correct_pairs)
    assert counts == (len(true_pairs), len(predicted_pairs), len(true_pairs & predicted_pairs))


@settings(deadline=None)
@given(labelled_records)
def test_errors_by_flag_agree_with_listing_every_pair(records):
    true, predicted, flags = [r[0] for r in records], [r[1] for r in records], [r[2] for r in records]

    evaluation = evaluate_labels(true, predicted, flags=flags, replicates=0)

    true_pairs, predicted_pairs = pairs_of(true), pairs_of(predicted)
    listed = {
        flag: (
            sum(flag in flags[left] | flags[right] for left, right in true_pairs - predicted_pairs),
            sum(flag in flags[left] | flags[right] for left, right in predicted_pairs - true_pairs),
        )
        for flag in set().union(*flags)
    }
    assert {e.flag: (e.missed_pairs, e.wrong_pairs) for e in evaluation.errors_by_flag} == listed


@settings(deadline=None)
@given(labelled_records, st.randoms(use_true_random=False))
def test_order_of_records_changes_nothing(records, random):
    shuffled = random.sample(records, len(records))

    first = evaluate_labels([r[0] for r in records], [r[1] for r in records], replicates=20)
    second = evaluate_labels([r[0] for r in shuffled], [r[1] for r in shuffled], replicates=20)

    assert first == second


def evaluate_pairs(*records: tuple[object, object]) -> Evaluation:
    return evaluate_labels([true for true, _ in records], [predicted for _, predicted in records])


def test_one_wrong_join_costs_precision_only():
    evaluation = evaluate_pairs(("a", 1), ("a", 1), ("b", 1))

    assert values_of(evaluation) == pytest.approx(
        {
            "precision": 1 / 3,
            "recall": 1.0,
            "f1": 0.5,
            "bcubed_precision": 5 / 9,
            "bcubed_recall": 1.0,
            "bcubed_f1": 5 / 7,
        }
    )


def test_one_missed_join_costs_recall_only():
    evaluation = evaluate_pairs(("a", 1), ("a", 2), ("b", 3))

    assert values_of(evaluation) == pytest.approx(
        {
            "precision": 1.0,
            "recall": 0.0,
            "f1": 0.0,
            "bcubed_precision": 1.0,
            "bcubed_recall": 2 / 3,
            "bcubed_f1": 0.8,
        }
    )


def test_singletons_found_as_singletons_are_perfect():
    evaluation = evaluate_pairs(("a", 1), ("b", 2), ("c", 3))

    assert values_of(evaluation) == dict.fromkeys(MEASURES, 1.0)


def test_empty_truth_counts_nothing():
    evaluation = evaluate_clusters({}, {"x": 1})

    assert (evaluation.record_count, evaluation.ignored_count, evaluation.entity_count) == (0, 1, 0)


def test_records_missing_in_the_prediction_stand_alone():
    evaluation = evaluate_clusters({"x": "a", "y": "a", "z": "a"}, {"z": 1})

    assert (evaluation.unpredicted_count, evaluation.cluster_count, evaluation.recall.value) == (2, 3, 0.0)


def test_records_unknown_to_the_truth_are_ignored():
    evaluation = evaluate_clusters({"x": "a", "y": "a"}, {"x": 1, "y": 1, "z": 1})

    assert (evaluation.ignored_count, evaluation.predicted_pairs, evaluation.precision.value) == (1, 1, 1.0)


def test_mapping_and_arrays_give_the_same():
    truth, prediction = {"x": 7, "y": 7, "z": 8}, {"x": 1, "y": 2, "z": 2}

    by_mapping = evaluate_clusters(truth, prediction)
    by_array = evaluate_labels(np.array([7, 7, 8]), np.array([1, 2, 2]))

    assert by_mapping == by_array


def test_worst_clusters_name_the_entities_they_mix():
    evaluation = evaluate_pairs(("a", 1), ("a", 1), ("b", 1), ("c", 2), ("d", 2), ("e", 3))

    assert evaluation.worst_clusters == (
        MixedCluster("1", 3, 2, 2, (Part("a", 2), Part("b", 1))),
        MixedCluster("2", 2, 1, 2, (Part("c", 1), Part("d", 1))),
    )


def test_most_split_entities_name_their_clusters():
    evaluation = evaluate_pairs(("a", 1), ("a", 1), ("a", None), ("b", 4), ("b", 4))

    assert evaluation.most_split_entities == (SplitEntity("a", 3, 2, 2, (Part("1", 2), Part("", 1))),)


def test_biggest_clusters_are_shown_even_when_right():
    evaluation = evaluate_pairs(("a", 1), ("a", 1), ("b", 2))

    assert evaluation.biggest_clusters == (MixedCluster("1", 2, 0, 1, (Part("a", 2),)),)


def test_lists_are_cut_to_what_is_shown():
    evaluation = evaluate_labels([1, 2, 3, 4], ["q", "q", "p", "p"], shown=1)

    assert [cluster.label for cluster in evaluation.worst_clusters] == ["p"]


def test_flag_errors_stand_beside_their_base_rate():
    evaluation = evaluate_labels(["a", "a", "b", "b"], [1, 2, 3, 3], flags=[{"typo"}, (), (), ()])

    assert evaluation.errors_by_flag == (FlagErrors("typo", 1, 1, 1, 1.0, 0.5, 0, 0, 0.0, 0.0),)


def test_same_seed_gives_the_same_intervals():
    true, predicted = [0, 0, 1, 1, 2, 2, 3], [0, 0, 1, 2, 2, 2, 4]

    first, second = (evaluate_labels(true, predicted, seed=5) for _ in range(2))

    assert first == second


def test_interval_covers_the_value_and_narrows_with_more_entities():
    few = evaluate_labels([e // 2 for e in range(40)], [e // 2 if e % 8 else -e for e in range(40)])
    many = evaluate_labels([e // 2 for e in range(4000)], [e // 2 if e % 8 else -e for e in range(4000)])

    assert few.recall.low < many.recall.low < 0.75 < many.recall.high < few.recall.high


def test_interval_agrees_with_drawing_entities_one_by_one():
    rng = np.random.default_rng(3)
    true = np.repeat(np.arange(300), 3)
    predicted = np.where(rng.random(900) < 0.2, 1000 + np.arange(900), true)
    kept = np.array([int((predicted[true == e] < 1000).sum()) for e in range(300)])
    correct = kept * (kept - 1) // 2
    draws = rng.integers(0, 300, (2000, 300))

    evaluation = evaluate_labels(true, predicted, replicates=2000)

    expected = np.quantile(correct[draws].sum(axis=1) / 900, (0.025, 0.975))
    assert (evaluation.recall.low, evaluation.recall.high) == pytest.approx(tuple(expected), abs=0.01)


def test_without_replicates_the_interval_is_the_value():
    evaluation = evaluate_labels([1, 1], [1, 2], replicates=0)

    assert evaluation.recall == Measure(0.0, 0.0, 0.0)


def test_labellings_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one label for every record"):
        evaluate_labels([1, 2], [1])


def test_description_is_json():
    evaluation = evaluate_labels([1, 1, 2], [1, 2, 2], flags=[{"typo"}, (), ()])

    described = json.loads(json.dumps(describe_evaluation(evaluation)))

    assert described["worst_clusters"][0]["entities"][0] == {"label": "1", "record_count": 1}
