"""Compare a clustering with the truth: pairs and B-cubed over whole clusters, intervals, and where it errs.

Everything is counted from the cells of the table entity x cluster (how many records of this entity are in
this cluster), never from listed pairs, so a million records take seconds.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)
Labels = Sequence[Hashable] | npt.NDArray[np.generic]

PARTS_SHOWN = 10


@dataclass(frozen=True)
class Measure:
    """A share between 0 and 1 with its 95 % bootstrap interval. 0/0 is 1: nothing asked, nothing wrong."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Part:
    """How many records of one cluster and one entity meet; the label is of the other side."""

    label: str
    record_count: int


@dataclass(frozen=True)
class MixedCluster:
    """A predicted cluster; `wrong_pairs` join different entities, `entities` are its largest parts."""

    label: str
    record_count: int
    wrong_pairs: int
    entity_count: int
    entities: tuple[Part, ...]


@dataclass(frozen=True)
class SplitEntity:
    """A true entity; `missed_pairs` lie in different clusters, `clusters` are its largest parts."""

    label: str
    record_count: int
    missed_pairs: int
    cluster_count: int
    clusters: tuple[Part, ...]


@dataclass(frozen=True)
class FlagErrors:
    """The errors that touch a record with one flag, beside what its frequency alone would explain.

    A pair touches the flag when at least one of its records has it. The base rates are the flag's share of
    all true and of all predicted pairs; a share of errors above its base rate makes the flag a suspect.
    """

    flag: str
    record_count: int
    true_pairs: int
    missed_pairs: int
    missed_share: float
    missed_base_rate: float
    predicted_pairs: int
    wrong_pairs: int
    wrong_share: float
    wrong_base_rate: float


@dataclass(frozen=True)
class Evaluation:
    """What a clustering got right. Counts are of the records the truth knows."""

    record_count: int
    unpredicted_count: int
    ignored_count: int
    entity_count: int
    cluster_count: int
    true_pairs: int
    predicted_pairs: int
    correct_pairs: int
    precision: Measure
    recall: Measure
    f1: Measure
    bcubed_precision: Measure
    bcubed_recall: Measure
    bcubed_f1: Measure
    biggest_clusters: tuple[MixedCluster, ...]
    worst_clusters: tuple[MixedCluster, ...]
    most_split_entities: tuple[SplitEntity, ...]
    errors_by_flag: tuple[FlagErrors, ...]


@dataclass(frozen=True)
class _Cells:
    """The table entity x cluster without its empty cells; one position per filled cell in the first three."""

    entity: IntArray
    cluster: IntArray
    size: IntArray
    entity_sizes: IntArray
    cluster_sizes: IntArray


def evaluate_clusters(
    truth: Mapping[Key, Hashable],
    prediction: Mapping[Key, Hashable],
    *,
    flags: Mapping[Key, Collection[str]] | None = None,
    replicates: int = 200,
    seed: int = 0,
    shown: int = 10,
) -> Evaluation:
    """Evaluate record key -> cluster label against record key -> entity label; as `evaluate_labels`.

    A record of the truth that the prediction lacks stands alone; predicted records that the truth lacks are
    counted as ignored and count nowhere else.
    """
    return evaluate_labels(
        list(truth.values()),
        [prediction.get(key) for key in truth],
        flags=None if flags is None else [flags.get(key, ()) for key in truth],
        ignored_count=sum(key not in truth for key in prediction),
        replicates=replicates,
        seed=seed,
        shown=shown,
    )


def evaluate_labels(
    true_labels: Labels,
    predicted_labels: Labels,
    *,
    flags: Sequence[Collection[str]] | None = None,
    ignored_count: int = 0,
    replicates: int = 200,
    seed: int = 0,
    shown: int = 10,
) -> Evaluation:
    """Evaluate two labellings of the same records, one position per record.

    A predicted label of None stands alone. The order of the records and the names of the labels change no
    measure. `shown` limits the lists of clusters and entities; ties go to the smaller label.
    """
    entity_codes, entity_labels = _encode(true_labels)
    cluster_codes, cluster_labels, unpredicted_count = _encode_prediction(predicted_labels)
    if len(entity_codes) != len(cluster_codes):
        raise ValueError("The two labellings must have one label for every record.")
    cells = _count_cells(entity_codes, cluster_codes)
    true_pairs, predicted_pairs = (
        int(_pairs(cells.entity_sizes).sum()),
        int(_pairs(cells.cluster_sizes).sum()),
    )
    measures = _measure(cells, replicates=replicates, seed=seed)
    wrong_pairs, missed_pairs = _errors_by_group(cells)
    worst = _largest(wrong_pairs, cluster_labels, shown, least=1)
    biggest = _largest(cells.cluster_sizes, cluster_labels, shown, least=2)
    split = _largest(missed_pairs, entity_labels, shown, least=1)
    return Evaluation(
        record_count=len(entity_codes),
        unpredicted_count=unpredicted_count,
        ignored_count=ignored_count,
        entity_count=len(cells.entity_sizes),
        cluster_count=len(cells.cluster_sizes),
        true_pairs=true_pairs,
        predicted_pairs=predicted_pairs,
        correct_pairs=int(_pairs(cells.size).sum()),
        **measures,
        biggest_clusters=_describe_clusters(biggest, cells, wrong_pairs, cluster_labels, entity_labels),
        worst_clusters=_describe_clusters(worst, cells, wrong_pairs, cluster_labels, entity_labels),
        most_split_entities=_describe_entities(split, cells, missed_pairs, entity_labels, cluster_labels),
        errors_by_flag=_count_flag_errors(flags or (), entity_codes, cluster_codes, cells),
    )


def describe_evaluation(evaluation: Evaluation) -> dict[str, object]:
    """The evaluation as plain lists and dicts, ready for JSON."""
    return asdict(evaluation)


def _encode(labels: Labels) -> tuple[IntArray, list[Hashable]]:
    """Number the labels from 0; the list gives the label back."""
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iu":
        values, codes = np.unique(labels, return_inverse=True)
        return codes.astype(np.int64), values.tolist()
    numbers: dict[Hashable, int] = {}
    codes = np.fromiter((numbers.setdefault(label, len(numbers)) for label in labels), np.int64, len(labels))
    return codes, list(numbers)


def _encode_prediction(labels: Labels) -> tuple[IntArray, list[Hashable], int]:
    """As `_encode`, but every None is a cluster of its own; the count is of the Nones."""
    codes, values = _encode(labels)
    if None not in values:
        return codes, values, 0
    alone = codes == values.index(None)
    alone_count = int(alone.sum())
    # The first lone record keeps the number that None was given, so that the numbers have no hole.
    codes[np.flatnonzero(alone)[1:]] = len(values) + np.arange(alone_count - 1)
    return codes, values + [None] * (alone_count - 1), alone_count


def _count_cells(entity_codes: IntArray, cluster_codes: IntArray) -> _Cells:
    entity_sizes = np.bincount(entity_codes).astype(np.int64)
    cluster_sizes = np.bincount(cluster_codes).astype(np.int64)
    width = max(len(cluster_sizes), 1)
    cells, sizes = np.unique(entity_codes * width + cluster_codes, return_counts=True)
    return _Cells(cells // width, cells % width, sizes.astype(np.int64), entity_sizes, cluster_sizes)


def _pairs(sizes: IntArray) -> IntArray:
    return sizes * (sizes - 1) // 2


def _errors_by_group(cells: _Cells) -> tuple[IntArray, IntArray]:
    """Wrong pairs of every cluster, missed pairs of every entity."""
    right = _pairs(cells.size)
    in_clusters = np.bincount(cells.cluster, right, len(cells.cluster_sizes)).astype(np.int64)
    in_entities = np.bincount(cells.entity, right, len(cells.entity_sizes)).astype(np.int64)
    return _pairs(cells.cluster_sizes) - in_clusters, _pairs(cells.entity_sizes) - in_entities


def _measure(cells: _Cells, *, replicates: int, seed: int) -> dict[str, Measure]:
    """The six shares with their intervals.

    Entities are resampled, each with its own part of every sum; half of a predicted pair belongs to the
    entity of either record. Entities with equal parts are one category of a multinomial draw, which is the
    same bootstrap as drawing the entities one by one.
    Source: Binette et al., "Estimating the Performance of Entity Resolution Algorithms" (2022), for the sums
    by entity; Bagga and Baldwin (1998) for B-cubed.
    """
    names = ("precision", "recall", "f1", "bcubed_precision", "bcubed_recall", "bcubed_f1")
    rows, counts = np.unique(_parts_by_entity(cells), axis=0, return_counts=True)
    entity_count = int(counts.sum())
    shares = lows = highs = _shares(counts[np.newaxis] @ rows)[0]
    if entity_count and replicates > 0:
        random = np.random.default_rng(seed)
        draws = random.multinomial(entity_count, counts / entity_count, size=replicates)
        lows, highs = np.quantile(_shares(draws @ rows), (0.025, 0.975), axis=0)
    bounds = zip(names, shares.tolist(), lows.tolist(), highs.tolist(), strict=True)
    return {name: Measure(share, low, high) for name, share, low, high in bounds}


def _parts_by_entity(cells: _Cells) -> FloatArray:
    """One row an entity: correct, predicted and true pairs, B-cubed precision and recall sums, records."""
    entity_count = len(cells.entity_sizes)

    def total(weights: npt.NDArray[np.generic]) -> FloatArray:
        return np.bincount(cells.entity, weights, entity_count).astype(np.float64)

    cluster_sizes, entity_sizes = cells.cluster_sizes[cells.cluster], cells.entity_sizes[cells.entity]
    columns = (
        total(_pairs(cells.size)),
        total(cells.size * (cluster_sizes - 1) / 2),
        _pairs(cells.entity_sizes),
        total(cells.size**2 / cluster_sizes),
        total(cells.size**2 / entity_sizes),
        cells.entity_sizes,
    )
    # Rounded so that the order in which an entity's cells were added up cannot part equal rows.
    rows: FloatArray = np.stack(columns, axis=1).astype(np.float64).round(12)
    return rows


def _shares(sums: FloatArray) -> FloatArray:
    """From sums as in `_parts_by_entity` to precision, recall, F1 and the same three of B-cubed."""
    correct, predicted, true, bcubed_precision, bcubed_recall, records = sums.T
    precision, recall = _ratio(bcubed_precision, records), _ratio(bcubed_recall, records)
    return np.stack(
        (
            _ratio(correct, predicted),
            _ratio(correct, true),
            _ratio(2 * correct, predicted + true),
            precision,
            recall,
            _ratio(2 * precision * recall, precision + recall),
        ),
        axis=1,
    )


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return np.divide(numerator, denominator, out=np.ones_like(denominator), where=denominator > 0)


def _largest(values: IntArray, labels: Sequence[Hashable], shown: int, *, least: int) -> list[int]:
    """Positions of the largest values that reach `least`, largest first, ties by label."""
    if len(values) == 0 or shown < 1:
        return []
    bound = max(least, int(np.partition(values, -shown)[-shown]) if shown < len(values) else least)
    positions: list[int] = np.flatnonzero(values >= bound).tolist()
    return sorted(positions, key=lambda position: (-values[position], str(labels[position])))[:shown]


def _describe_clusters(
    positions: Iterable[int],
    cells: _Cells,
    wrong_pairs: IntArray,
    cluster_labels: Sequence[Hashable],
    entity_labels: Sequence[Hashable],
) -> tuple[MixedCluster, ...]:
    found = []
    for position in positions:
        inside = np.flatnonzero(cells.cluster == position)
        parts = _parts(cells.entity[inside], cells.size[inside], entity_labels)
        size, wrong = int(cells.cluster_sizes[position]), int(wrong_pairs[position])
        found.append(MixedCluster(str(cluster_labels[position]), size, wrong, len(inside), parts))
    return tuple(found)


def _describe_entities(
    positions: Iterable[int],
    cells: _Cells,
    missed_pairs: IntArray,
    entity_labels: Sequence[Hashable],
    cluster_labels: Sequence[Hashable],
) -> tuple[SplitEntity, ...]:
    found = []
    for position in positions:
        inside = np.flatnonzero(cells.entity == position)
        parts = _parts(cells.cluster[inside], cells.size[inside], cluster_labels)
        size, missed = int(cells.entity_sizes[position]), int(missed_pairs[position])
        found.append(SplitEntity(str(entity_labels[position]), size, missed, len(inside), parts))
    return tuple(found)


def _parts(codes: IntArray, sizes: IntArray, labels: Sequence[Hashable]) -> tuple[Part, ...]:
    """The largest parts first; a record that the prediction lacks has the empty label."""
    parts = [
        Part("" if labels[code] is None else str(labels[code]), size)
        for code, size in zip(codes.tolist(), sizes.tolist(), strict=True)
    ]
    return tuple(sorted(parts, key=lambda part: (-part.record_count, part.label))[:PARTS_SHOWN])


def _count_flag_errors(
    flags: Sequence[Collection[str]], entity_codes: IntArray, cluster_codes: IntArray, cells: _Cells
) -> tuple[FlagErrors, ...]:
    """Errors of every flag, the flag that touches most errors first."""
    holders: dict[str, list[int]] = {}
    for position, record_flags in enumerate(flags):
        for flag in record_flags:
            holders.setdefault(flag, []).append(position)
    found = []
    width = max(len(cells.cluster_sizes), 1)
    cell_codes = cells.entity * width + cells.cluster
    true_pairs, predicted_pairs = (
        int(_pairs(cells.entity_sizes).sum()),
        int(_pairs(cells.cluster_sizes).sum()),
    )
    correct_pairs = int(_pairs(cells.size).sum())
    for flag, positions in holders.items():
        entity, cluster = entity_codes[positions], cluster_codes[positions]
        true = _touched(entity, cells.entity_sizes)
        predicted = _touched(cluster, cells.cluster_sizes)
        correct = _touched(np.searchsorted(cell_codes, entity * width + cluster).astype(np.int64), cells.size)
        found.append(
            FlagErrors(
                flag=flag,
                record_count=len(positions),
                true_pairs=true,
                missed_pairs=true - correct,
                missed_share=_share(true - correct, true_pairs - correct_pairs),
                missed_base_rate=_share(true, true_pairs),
                predicted_pairs=predicted,
                wrong_pairs=predicted - correct,
                wrong_share=_share(predicted - correct, predicted_pairs - correct_pairs),
                wrong_base_rate=_share(predicted, predicted_pairs),
            )
        )
    return tuple(sorted(found, key=lambda errors: (-errors.missed_pairs - errors.wrong_pairs, errors.flag)))


def _touched(codes: IntArray, sizes: IntArray) -> int:
    """Pairs inside the groups that touch at least one of the records, given by the group of each."""
    groups, held = np.unique(codes, return_counts=True)
    return int((_pairs(sizes[groups]) - _pairs(sizes[groups] - held)).sum())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
