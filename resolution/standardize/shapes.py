"""The nouns of standardization: a source's settings, a typed identifier, a refusal, a standardized record."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class SourceSettings:
    """A source's habits: region (ISO 3166), area code (DDD), date order (dmy, mdy, ymd), own domains.

    claims: the public types identifiers there without proving them (web form, newsletter, bot, kiosk); what the record
    does not name in `verified` is a claim.
    """

    default_region: str = "BR"
    default_area_code: str | None = None
    date_order: str = "dmy"
    own_domains: frozenset[str] = frozenset()
    claims: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A raw value that was not used: `field` is a JSON pointer into the record, `reason` a stable word."""

    field: str
    reason: str


class Identifier(NamedTuple):
    """A typed value that points at a person; `variant` is a phone's variant key, None for other kinds."""

    kind: str
    value: str
    variant: str | None
    verified: bool


class StandardizedRecord(NamedTuple):
    """`values` is for people and survivorship, `linkage` for comparing; both hold plain JSON types."""

    values: dict[str, object]
    identifiers: tuple[Identifier, ...]
    linkage: dict[str, str | list[str]]
    refusals: tuple[Refusal, ...]


class RefusedValueError(ValueError):
    """A raw value is not usable; `reason` is the stable word that a Refusal carries."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
