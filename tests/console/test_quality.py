"""The quality sample with plain forms: read blind by somebody else, and what it tells."""

from __future__ import annotations

import pytest
from flask import Flask

from cdp.stewardship.desk_rules import DeskRules
from cdp.stewardship.quality import draw_samples
from tests.builders import NOW, StoreBuilder
from tests.console.conftest import Visitor, signed_in
from tests.console.test_review import SCRIPT, answer, hidden, page, take
from tests.console.test_review import item as item

SAMPLE = "/console/quality/sample"


@pytest.fixture
def drawn(app: Flask, people: StoreBuilder, item: str) -> Visitor:
    """Somebody who may read what the steward decided, which is drawn."""
    steward = signed_in(app, "steward")
    answer(steward, item, "same", take(steward, item))
    everything = DeskRules(quality_decision_share=1.0, quality_join_share=0.0)
    assert draw_samples(people.engine, everything, author="test", now=NOW) == 1
    return signed_in(app, "lead")


def read_sample(visitor: Visitor, decision: str) -> object:
    sample_id = hidden(page(visitor.get(SAMPLE)), "sample_id")
    return visitor.post(SAMPLE, sample_id=sample_id, decision=decision)


def test_a_sample_is_read_without_a_hint(drawn: Visitor) -> None:
    shown = page(drawn.get(SAMPLE))

    main = shown[shown.index("<main") : shown.index("</main>")]
    assert "/console/profiles/" not in main
    assert "/console/review/" not in main
    assert "steward" not in main
    assert "39053344705" not in main
    assert SCRIPT not in main
    assert 'class="verdict"' in main


def test_its_reading_is_counted_and_changes_nobody(drawn: Visitor, people: StoreBuilder, item: str) -> None:
    before = page(drawn.get("/console/quality"))

    told = page(read_sample(drawn, "different"))

    assert "No decision was read a second time yet" in before
    assert "Your reading is kept." in told
    assert '<p class="figure">0%</p>' in told
    assert "95% interval: 0% to 79.3%" in told
    assert "This item is closed: same person." in page(drawn.get(item))


def test_the_queue_and_home_lead_to_what_waits(app: Flask, drawn: Visitor) -> None:
    other = signed_in(app, "steward")

    assert "Quality: 1 pair to read again" in page(drawn.get("/console/queue"))
    assert "to read again</a>" not in page(other.get("/console/queue"))
    assert 'for quality</a></th><td class="n">1</td>' in page(drawn.get("/console/"))


def test_nobody_reads_their_own(app: Flask, drawn: Visitor) -> None:
    own = signed_in(app, "steward")
    own.get("/console/quality")

    left = own.get(SAMPLE)
    forced = own.post(SAMPLE, sample_id="1", decision="same")

    assert left.location == "/console/quality"
    assert forced.status_code == 409
    assert "This pair is not there for you to read." in page(forced)


def test_a_sample_is_read_once(drawn: Visitor) -> None:
    read_sample(drawn, "same")

    again = drawn.post(SAMPLE, sample_id="1", decision="same")

    assert again.status_code == 409


@pytest.mark.parametrize(
    "wrong", [{"decision": "skip"}, {"sample_id": "x"}, {"sample_id": "9" * 19}, {"sample_id": ""}]
)
def test_an_odd_reading_is_refused(drawn: Visitor, wrong: dict[str, str]) -> None:
    drawn.get(SAMPLE)

    told = drawn.post(SAMPLE, **{"sample_id": "1", "decision": "same", **wrong})

    assert told.status_code == 422


def test_who_reads_is_in_the_audit(drawn: Visitor, people: StoreBuilder) -> None:
    drawn.get(SAMPLE)
    drawn.client.application.extensions["cdp"].read_audit.flush()

    told = [each for each in people.audited() if each["action"] == "profile.read_sample"]

    assert [each["actor"] for each in told] == ["user:2"]
    assert told[0]["details"]["sample_id"] == 1
