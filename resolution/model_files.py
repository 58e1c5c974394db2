"""A model as what is kept of it: specification and parameters as JSON text, term frequencies as a blob.

The texts are canonical and the blob carries no time, so equal models give equal bytes; floats come back
exactly.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import types
import typing
from collections.abc import Mapping
from typing import Any

from resolution.errors import SpecificationError
from resolution.model import Model
from resolution.specification import Specification


def dump_model(model: Model) -> tuple[str, str, bytes]:
    """The specification, the parameters ({"match_probability", "probabilities": {comparison: [[m, u], ...]},
    "rare": {column: share}, "rule_names"}) and the term frequencies ({column: {term: share}}, gzip)."""
    parameters = {
        "match_probability": model.match_probability,
        "probabilities": model.probabilities,
        "rare": model.rare,
        "rule_names": model.rule_names,
    }
    frequencies = gzip.compress(_canonical(model.frequencies).encode(), mtime=0)
    return _canonical(dataclasses.asdict(model.specification)), _canonical(parameters), frequencies


def load_model(version: int, specification: str, parameters: str, term_frequencies: bytes) -> Model:
    """The model that `dump_model` took apart. Raises SpecificationError for parts of another making."""
    try:
        values = json.loads(parameters)
        return Model(
            version=version,
            specification=_built(Specification, json.loads(specification)),
            match_probability=values["match_probability"],
            probabilities={
                name: [(m, u) for m, u in levels] for name, levels in values["probabilities"].items()
            },
            frequencies=json.loads(gzip.decompress(term_frequencies)),
            rare=values["rare"],
            rule_names=tuple(values["rule_names"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OSError, EOFError) as error:
        raise SpecificationError(
            f"Model version {version} cannot be read ({error!r}): train a new one with this release."
        ) from error


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _built(kind: Any, value: Any) -> Any:
    """A value of the type `kind` from its JSON form; fields that are not there take their defaults."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        given = {name: _built(hints[name], part) for name, part in value.items()}
        return kind(**given)  # type: ignore[operator]  # a dataclass type is called
    if origin is tuple:
        return tuple(_built(arguments[0], part) for part in value)
    if origin in (Mapping, dict):
        return {name: _built(arguments[1], part) for name, part in value.items()}
    if origin in (types.UnionType, typing.Union):
        [present] = [each for each in arguments if each is not type(None)]
        return None if value is None else _built(present, value)
    return value
