"""What stewards decided as labels of pairs: in Splink's clerical format, and with the weight of the pair.

Grain: one label a pair of records, the last decision that stands about it; 'unsure' is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Subquery, exists, func, select

from cdp.store import stream_rows
from cdp.store.schema import merge_candidates, model_versions, source_records, sources
from cdp.store.schema import steward_actions as actions

# As Splink reads labels, and who decided when, about which weight.
LABEL_COLUMNS = (
    "source_dataset_l",
    "unique_id_l",
    "source_dataset_r",
    "unique_id_r",
    "clerical_match_score",
    "record_id_l",
    "record_id_r",
    "match_weight",
    "author",
    "decided_at",
)
_SCORES = {"same": 1.0, "different": 0.0}


def stream_labels(connection: Connection) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of LABEL_COLUMNS, in the order of the pairs; pairs with a record that was deleted are left out."""
    for chunk in stream_rows(connection, _labels()):
        yield [
            (
                row.source_l,
                row.key_l,
                row.source_r,
                row.key_r,
                _SCORES[row.decision],
                row.record_id_l,
                row.record_id_r,
                row.match_weight,
                row.author,
                row.recorded_at.isoformat(),
            )
            for row in chunk
        ]


def select_labelled_weights(
    connection: Connection, *, model_version: int | None = None
) -> list[tuple[float, bool]]:
    """Match weight and whether it is one person, for quality_by_threshold; of one model version, since the weights of
    two are no measure of each other, or of all. Of one version, without the pairs that it may have learnt from."""
    labels = _labels().subquery("labels")
    statement = select(labels.c.match_weight, labels.c.decision)
    if model_version is not None:
        statement = statement.where(
            labels.c.model_version_id == model_version, ~_taught(labels, model_version)
        )
    rows = connection.execute(statement)
    return [(row.match_weight, row.decision == "same") for row in rows]


def _taught(labels: Subquery, model_version: int) -> ColumnElement[bool]:
    """Whether the pair was decided `same` before the version was made, maybe under another one."""
    made_at = select(model_versions.c.created_at).where(model_versions.c.model_version_id == model_version)
    return exists().where(
        merge_candidates.c.record_id_l == labels.c.record_id_l,
        merge_candidates.c.record_id_r == labels.c.record_id_r,
        actions.c.candidate_id == merge_candidates.c.candidate_id,
        actions.c.decision == "same",
        actions.c.recorded_at < made_at.scalar_subquery(),
    )


def select_matched_pairs(connection: Connection) -> list[tuple[int, int]]:
    """Pairs of records decided to be one person, in their order, for training. Those that a rule kept apart are left
    out: such a rule looks for rare people, of whom no sample tells how others are."""
    labels = _labels().subquery("labels")
    rows = connection.execute(
        select(labels.c.record_id_l, labels.c.record_id_r)
        .where(labels.c.decision == "same", labels.c.reason == "review_band")
        .order_by(labels.c.record_id_l, labels.c.record_id_r)
    )
    return [(row.record_id_l, row.record_id_r) for row in rows]


def _labels() -> Select[Any]:
    left, right = source_records.alias("records_l"), source_records.alias("records_r")
    source_l, source_r = sources.alias("sources_l"), sources.alias("sources_r")
    pair = merge_candidates.c.record_id_l, merge_candidates.c.record_id_r
    last = (
        select(func.max(actions.c.action_id))
        .join(merge_candidates, merge_candidates.c.candidate_id == actions.c.candidate_id)
        .where(actions.c.undone_by.is_(None), actions.c.decision.in_(_SCORES))
        .group_by(*pair)
    )
    return (
        select(
            source_l.c.name.label("source_l"),
            left.c.source_record_id.label("key_l"),
            source_r.c.name.label("source_r"),
            right.c.source_record_id.label("key_r"),
            actions.c.decision,
            *pair,
            merge_candidates.c.match_weight,
            merge_candidates.c.model_version_id,
            merge_candidates.c.reason,
            actions.c.author,
            actions.c.recorded_at,
        )
        .join_from(actions, merge_candidates, merge_candidates.c.candidate_id == actions.c.candidate_id)
        .join(left, left.c.record_id == merge_candidates.c.record_id_l)
        .join(right, right.c.record_id == merge_candidates.c.record_id_r)
        .join(source_l, source_l.c.source_id == left.c.source_id)
        .join(source_r, source_r.c.source_id == right.c.source_id)
        .where(actions.c.action_id.in_(last), left.c.deleted_at.is_(None), right.c.deleted_at.is_(None))
        .order_by(*pair)
    )
