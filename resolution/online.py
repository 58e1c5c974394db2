"""A model as one record at a time needs it: its keys, its values parted, its pairs scored, without SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from resolution.compile import CompiledModel, compile_model
from resolution.keys import Linkage, keyed_caps
from resolution.model import Model
from resolution.sharing import Value, held_columns, held_values, part_values

# The match weight of a pair, and what an explanation needs (see NewEdge).
Evidence = tuple[float, str]

# As the batch rounds them: levels and these add up to the match weight within a billionth.
EVIDENCE_DIGITS = 10


@dataclass(frozen=True)
class OnlineModel:
    """Built once per process and model version; many threads may use it."""

    model: Model
    compiled: CompiledModel = field(repr=False)
    columns: tuple[str, ...]
    keys_of: Callable[[Linkage], dict[int, int]] = field(repr=False)

    def held_values(self, linkage: Linkage) -> list[Value]:
        return held_values(linkage, self.columns)

    def part_values(self, linkage: Linkage, sharing: Mapping[Value, str]) -> Linkage:
        return part_values(linkage, sharing, self.columns)

    def keys(self, linkage: Linkage) -> dict[int, int]:
        """Blocking key to the cap of its rule."""
        return self.keys_of(linkage)

    def prepare(self, parted: Linkage) -> Any:
        return self.compiled.prepare(parted)

    def weigh(self, prepared_l: Any, prepared_r: Any) -> float:
        return self.compiled.score(prepared_l, prepared_r).match_weight

    def evidence(self, prepared_l: Any, prepared_r: Any) -> Evidence | None:
        """Of a pair; None below the floor."""
        score = self.compiled.score(prepared_l, prepared_r)
        if score.match_weight < self.model.specification.thresholds.floor:
            return None
        found = {
            "levels": score.levels,
            "frequency_weights": {
                name: round(weight, EVIDENCE_DIGITS)
                for name, weight in score.frequency_weights.items()
                if weight
            },
        }
        return score.match_weight, orjson.dumps(found).decode()


def online_model(model: Model) -> OnlineModel:
    """Raises UncompilableConditionError."""
    return OnlineModel(
        model, compile_model(model), held_columns(model.specification), keyed_caps(model.blocking_rules)
    )
