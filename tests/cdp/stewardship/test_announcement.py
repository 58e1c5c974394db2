"""Whom a ruling is news to."""

from __future__ import annotations

import pytest

from cdp.stewardship.announcement import SourceConcerned, announce
from cdp.stewardship.outcome import Outcome, ProfileState

SOURCE_OF = {1: "crm", 2: "whatsapp", 3: "crm", 4: "shop"}


def an_outcome(
    before: dict[str, list[int]], after: dict[str, list[int]], events: list[tuple[str, str]]
) -> Outcome:
    states = [
        [ProfileState(each, "live", 1, record_ids, {}, []) for each, record_ids in side.items()]
        for side in (before, after)
    ]
    return Outcome(None, "decision", True, 1, [], states[0], states[1], [], events)


@pytest.mark.parametrize(
    ("outcome", "events", "sources"),
    [
        pytest.param(
            an_outcome({"a": [1], "b": [2, 3]}, {"a": [1, 2, 3], "b": []}, [("profile.joined", "a")]),
            {"profile.joined": ["a"]},
            [("crm", 2), ("whatsapp", 1)],
            id="a join, of the absorbed one's systems too",
        ),
        pytest.param(
            an_outcome(
                {"a": [1, 2]},
                {"a": [1], "new-1": [2]},
                [("profile.split", "a"), ("profile.created", "new-1")],
            ),
            {"profile.split": ["a"], "profile.created": ["new-1"]},
            [("crm", 1), ("whatsapp", 1)],
            id="a split",
        ),
        pytest.param(an_outcome({"a": [1], "b": [2]}, {"a": [1], "b": [2]}, []), {}, [], id="nobody moves"),
        pytest.param(
            an_outcome({"a": [1], "b": [4]}, {"a": [1], "b": [4]}, [("profile.updated", "b")]),
            {"profile.updated": ["b"]},
            [("shop", 1)],
            id="only those who change",
        ),
        pytest.param(
            an_outcome({}, {"a": [9]}, [("profile.updated", "a")]),
            {"profile.updated": ["a"]},
            [],
            id="a record that is gone",
        ),
    ],
)
def test_announcements(
    outcome: Outcome, events: dict[str, list[str]], sources: list[tuple[str, int]]
) -> None:
    told = announce(outcome, SOURCE_OF)

    assert told.events == {**events, "stewardship.ruled": []}
    assert told.sources == [SourceConcerned(*each) for each in sources]
