"""A record linkage engine: records, comparisons, edges, clusters, constraints. This is its one door.

Names are loaded when they are first asked for: looking at a model costs no Splink and no DuckDB.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resolution.batch import BatchResolution, resolve_batch
    from resolution.compile import CompiledModel, PairScore, compile_model
    from resolution.edge_update import IndexOutdatedError
    from resolution.errors import (
        FailedConditionError,
        ResolutionError,
        SpecificationError,
        TrainingError,
        UncompilableConditionError,
        WorkspaceFullError,
    )
    from resolution.evaluation import Evaluation, describe_evaluation, evaluate_clusters, evaluate_labels
    from resolution.foresight import foresee
    from resolution.keys import (
        Linkage,
        hash_linkage_text,
        linkage_hash,
        linkage_text,
        names_somebody,
        value_key,
    )
    from resolution.label_evidence import Label
    from resolution.linkage_index import IndexedEdge, IndexedRecord, NewEdge
    from resolution.local_partition import LocalResolution, resolve_changes
    from resolution.model import Model
    from resolution.model_files import dump_model, load_model
    from resolution.neighbourhood import Change
    from resolution.online import OnlineModel, online_model
    from resolution.partition import Join, Refusal
    from resolution.people import Cluster, PairConstraints
    from resolution.readings import Readings
    from resolution.search import ClusterMatch, search_clusters
    from resolution.sharing import Sharing, Value
    from resolution.specification import (
        Specification,
        default_specification_text,
        parse_specification,
        read_specification,
    )
    from resolution.training import Training, initial_model, train
    from resolution.workspace import StoredRecord, load_records, open_workspace, part_shared_values

_PLACES = {
    "BatchResolution": "batch",
    "Cluster": "people",
    "ClusterMatch": "search",
    "CompiledModel": "compile",
    "Evaluation": "evaluation",
    "FailedConditionError": "errors",
    "Join": "partition",
    "Label": "label_evidence",
    "Linkage": "keys",
    "Model": "model",
    "PairConstraints": "people",
    "PairScore": "compile",
    "Refusal": "partition",
    "ResolutionError": "errors",
    "Specification": "specification",
    "SpecificationError": "errors",
    "StoredRecord": "workspace",
    "Training": "training",
    "TrainingError": "errors",
    "UncompilableConditionError": "errors",
    "WorkspaceFullError": "errors",
    "compile_model": "compile",
    "default_specification_text": "specification",
    "describe_evaluation": "evaluation",
    "dump_model": "model_files",
    "evaluate_clusters": "evaluation",
    "evaluate_labels": "evaluation",
    "initial_model": "training",
    "hash_linkage_text": "keys",
    "linkage_hash": "keys",
    "linkage_text": "keys",
    "names_somebody": "keys",
    "load_model": "model_files",
    "load_records": "workspace",
    "open_workspace": "workspace",
    "parse_specification": "specification",
    "part_shared_values": "workspace",
    "read_specification": "specification",
    "resolve_batch": "batch",
    "search_clusters": "search",
    "train": "training",
    "value_key": "keys",
    "IndexedEdge": "linkage_index",
    "IndexedRecord": "linkage_index",
    "NewEdge": "linkage_index",
    "Change": "neighbourhood",
    "OnlineModel": "online",
    "online_model": "online",
    "Sharing": "sharing",
    "Value": "sharing",
    "LocalResolution": "local_partition",
    "resolve_changes": "local_partition",
    "Readings": "readings",
    "foresee": "foresight",
    "IndexOutdatedError": "edge_update",
}

__all__ = [
    "BatchResolution",
    "Change",
    "Cluster",
    "ClusterMatch",
    "CompiledModel",
    "Evaluation",
    "FailedConditionError",
    "IndexOutdatedError",
    "IndexedEdge",
    "IndexedRecord",
    "Join",
    "Label",
    "Linkage",
    "LocalResolution",
    "Model",
    "NewEdge",
    "OnlineModel",
    "PairConstraints",
    "PairScore",
    "Readings",
    "Refusal",
    "ResolutionError",
    "Sharing",
    "Specification",
    "SpecificationError",
    "StoredRecord",
    "Training",
    "TrainingError",
    "UncompilableConditionError",
    "Value",
    "WorkspaceFullError",
    "compile_model",
    "default_specification_text",
    "describe_evaluation",
    "dump_model",
    "evaluate_clusters",
    "evaluate_labels",
    "foresee",
    "hash_linkage_text",
    "initial_model",
    "linkage_hash",
    "linkage_text",
    "load_model",
    "load_records",
    "names_somebody",
    "online_model",
    "open_workspace",
    "parse_specification",
    "part_shared_values",
    "read_specification",
    "resolve_batch",
    "resolve_changes",
    "search_clusters",
    "train",
    "value_key",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"resolution.{_PLACES[name]}"), name)
