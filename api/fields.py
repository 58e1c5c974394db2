"""The fields of answers. None that can hold a text is made without saying how it is masked, or that it is shown.

Numbers, yes or no and instants are shown: in answers they are the service's own ids, counts and times, and amounts.
`api/dumping.py` does what the fields say; the description tells it as `x-masked-as`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import marshmallow as ma

from api.masks import SHOWN, Mask
from cdp.store.instants import format_instant


class InstantField(ma.fields.String):
    """A UTC instant as text."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else instant_text(value)


class MaskedField(ma.fields.Field[Any]):
    """What all that can hold a text have in common."""

    def __init__(self, masked_as: Mask, *args: Any, **told: Any) -> None:
        if masked_as is not SHOWN:
            told["metadata"] = {**told.get("metadata", {}), "x-masked-as": masked_as.name}
        super().__init__(*args, **told)
        self.masked_as = masked_as

    def _serialize(self, value: Any, attr: str | None, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """marshmallow knows no masks: raises TypeError rather than show a value whole."""
        if self.masked_as.rule is not None:
            raise TypeError(f"{attr} is masked: dump it by what api.dumping makes of its schema.")
        return super()._serialize(value, attr, obj, *args, **kwargs)


class TextField(MaskedField, ma.fields.String):
    pass


class ValueField(MaskedField, ma.fields.Raw):
    """A value of any kind."""


class MapField(MaskedField, ma.fields.Dict):
    """Names and values that no schema knows."""


class AttributeField(MaskedField, ma.fields.Nested):  # type: ignore[misc]
    """The value of one attribute of a person, perhaps with where it comes from. The mask is of its `value`."""


class FreeAttributesField(ma.fields.Dict):
    """Attributes that no schema knows: a golden record has them in one value, each with its own provenance."""

    def __init__(self, each: AttributeField) -> None:
        super().__init__(keys=ma.fields.String(), values=each)
        self.each = each


class IdentifiersField(ma.fields.List[Any]):
    """A person's identifiers: the document is of that person. kinds: those that it shows; all by default."""

    def __init__(self, identifier: type[ma.Schema], *, kinds: Collection[str] | None = None) -> None:
        self.each = ma.fields.Nested(identifier)
        super().__init__(self.each, required=True)
        self.kinds = kinds


def instant_text(value: Any) -> str:
    return value if isinstance(value, str) else format_instant(value)
