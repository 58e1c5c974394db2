"""How stewards work together: how long a claim holds, what is put back, how long a candidate may wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cdp.settings import Settings


@dataclass(frozen=True)
class DeskRules:
    """lease: how long a claim holds. hidden: how long what somebody skipped is not shown to them. review_days: when a
    candidate is due, counted from the day it was opened. four_eyes_records: a join into so many
    records needs a second person. quality shares: of decisions and of automatic joins, what is read again."""

    lease: timedelta = timedelta(minutes=15)
    hidden: timedelta = timedelta(hours=8)
    review_days: float = 7.0
    four_eyes_records: int = 50
    quality_decision_share: float = 0.05
    quality_join_share: float = 0.01


def desk_rules(settings: Settings) -> DeskRules:
    return DeskRules(
        lease=timedelta(seconds=settings.lease_seconds),
        hidden=timedelta(seconds=settings.skip_seconds),
        review_days=settings.review_days,
        four_eyes_records=settings.four_eyes_records,
        quality_decision_share=settings.quality_decision_share,
        quality_join_share=settings.quality_join_share,
    )
