"""A request takes its place in the caller's trace; what is no traceparent begins a new one."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

import pytest
import structlog
from flask.testing import FlaskClient

from api.envelope import configure_logs
from api.tracing import read_trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the service logs, as it is written."""
    before, stream = structlog.get_config(), io.StringIO()
    configure_logs("info", stream)
    structlog.configure(cache_logger_on_first_use=False)
    yield stream
    structlog.configure(**before)


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        (f"00-{TRACE}-{SPAN}-01", 1),
        (f"00-{TRACE}-{SPAN}-00", 0),
        (f"00-{TRACE}-{SPAN}-ff", 3),
        (f"cc-{TRACE}-{SPAN}-01", 1),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", 1),
    ],
)
def test_a_trace_is_taken_up(given: str, flags: int) -> None:
    trace = read_trace(given)

    assert (trace.trace_id, trace.parent_span_id, trace.flags) == (TRACE, SPAN, flags)
    assert trace.span_id != SPAN
    assert trace.traceparent == f"00-{TRACE}-{trace.span_id}-{flags:02x}"


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"cc-{TRACE}-{SPAN}-01more",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-\u0660\u0661",
        f"00_{TRACE}_{SPAN}_01",
    ],
)
def test_what_is_no_trace_begins_another(given: str | None) -> None:
    trace = read_trace(given)

    assert trace.parent_span_id is None
    assert trace.trace_id != TRACE
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-02", trace.traceparent)


@pytest.mark.parametrize("path", ["/livez", "/v1/profiles/P1", "/nowhere"])
def test_every_answer_and_its_line_in_the_log_tell_the_trace(
    lite_client: FlaskClient, log: io.StringIO, path: str
) -> None:
    answer = lite_client.get(path, headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})

    [line] = [each for each in map(json.loads, log.getvalue().splitlines()) if each["event"] == "request"]
    assert (line["trace_id"], line["parent_span_id"]) == (TRACE, SPAN)
    assert answer.headers["traceparent"] == f"00-{TRACE}-{line['span_id']}-01"


def test_requests_without_a_trace_have_each_their_own(lite_client: FlaskClient) -> None:
    first, second = (lite_client.get("/livez").headers["traceparent"] for _ in range(2))

    assert first[:35] != second[:35]
