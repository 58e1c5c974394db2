"""Poison over the wire: what does not arrive as HTTP frames it, at a real gunicorn."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from cdp.identity.verify import verify_store
from cdp.store import open_store, schema
from tests.api.server import Server
from tests.api.test_inputs import POISON
from tests.builders import StoreBuilder, a_record

pytestmark = pytest.mark.slow

GOOD = b'{"type": "phone", "value": "11 98765-4321"}'
LIMIT = 100_000


@dataclass(frozen=True)
class Target:
    server: Server
    people: StoreBuilder
    secret: str

    def head(self, *lines: str, method: str = "POST", path: str = "/v1/profiles/lookup") -> bytes:
        given = [f"{method} {path} HTTP/1.1", "Host: service", f"Authorization: Bearer {self.secret}"]
        return "\r\n".join([*given, "Content-Type: application/json", *lines, "", ""]).encode()

    def answers(self, sent: bytes, *, then_close: bool = True) -> list[tuple[int, bytes]]:
        """Status and body of everything that comes back until the service closes, or falls silent."""
        host, _, port = self.server.address.partition(":")
        received = b""
        with socket.create_connection((host, int(port)), timeout=3) as connection:
            try:
                connection.sendall(sent)
                if then_close:
                    connection.shutdown(socket.SHUT_WR)
                while part := connection.recv(65_536):
                    received += part
            except (TimeoutError, ConnectionError, BrokenPipeError):
                pass
        return list(split_answers(received))


def split_answers(received: bytes) -> Iterator[tuple[int, bytes]]:
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", len(rest)))
        yield int(head.split(b" ", 2)[1]), rest[:length]
        received = rest[length:]


@pytest.fixture(scope="module")
def target(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    home = tmp_path_factory.mktemp("framing")
    url = f"sqlite:///{shutil.copyfile(migrated_file, home / 'cdp.db')}"
    people = StoreBuilder(open_store(url))
    people.add_sources("crm")
    server = Server(
        url, home, workers=1, CDP_HOME=str(home), CDP_BODY_LIMIT_BYTES=str(LIMIT), CDP_RATE_LIMIT="off"
    )
    server.wait_until_ready()
    secret = people.add_key()
    assert server.call("/v1/records", secret=secret, body=a_record()) == 201
    yield Target(server, people, secret)
    assert server.stop() == 0
    log = server.log.read_text()
    assert '"status": 5' not in log
    assert "Traceback" not in log
    assert not [each for each in ("98765", "ana@example.com", "half a header", "X-Ana") if each in log]
    with people.engine.connect() as connection:
        assert "half" not in connection.scalars(select(schema.source_records.c.source_record_id)).all()
    assert verify_store(people.engine, partition=False).breaches == []
    people.engine.dispose()


def test_what_is_framed_well_is_answered(target: Target) -> None:
    whole = target.head(f"Content-Length: {len(GOOD)}") + GOOD
    chunked = target.head("Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD)

    assert [status for sent in (whole, chunked) for status, _ in target.answers(sent)] == [200, 200]


@pytest.mark.parametrize("then_close", [True, False], ids=["closed", "left open"])
def test_half_a_body_is_no_request_and_keeps_nobody_waiting(target: Target, then_close: bool) -> None:
    sent = target.head("Content-Length: 1000") + GOOD[:20]

    found = target.answers(sent, then_close=then_close)

    assert [status for status, _ in found if status < 400 or status >= 500] == []
    assert target.server.call("/v1/profiles/lookup", secret=target.secret, body=json.loads(GOOD)) == 200


def test_half_a_record_is_not_written(target: Target) -> None:
    body = json.dumps(a_record(source_record_id="half")).encode()
    sent = target.head(f"Content-Length: {len(body)}", path="/v1/records") + body[:-1]

    [(status, told)] = target.answers(sent)

    assert (status, json.loads(told)["code"]) == (400, "bad_request")


def test_a_whole_value_of_half_a_body_is_not_taken(target: Target) -> None:
    body = json.dumps(a_record(source_record_id="half")).encode()

    [(status, told)] = target.answers(
        target.head(f"Content-Length: {len(body) + 9}", path="/v1/records") + body
    )

    assert (status, json.loads(told)["code"]) == (400, "bad_request")


def test_half_a_chunk_is_not_written(target: Target) -> None:
    body = json.dumps(a_record(source_record_id="half")).encode()
    sent = target.head("Transfer-Encoding: chunked", path="/v1/records") + b"%x\r\n%b" % (len(body) + 9, body)

    assert all(400 <= status < 500 for status, _ in target.answers(sent))


def test_what_follows_a_short_length_is_nobodys_request(target: Target) -> None:
    """The rest of the body stands where the next request would begin, without the key of the first."""
    rest = b"GET /v1/candidates HTTP/1.1\r\nHost: service\r\n\r\n"

    first, second = target.answers(target.head("Content-Length: 10") + GOOD[:10] + rest)

    assert (first[0], second[0]) == (400, 401)


def test_a_long_body_under_a_short_length_is_no_json(target: Target) -> None:
    found = target.answers(target.head("Content-Length: 10") + GOOD)

    assert [status // 100 for status, _ in found] == [4] * len(found)
    assert found


FRAMES = {
    "a negative length": ["Content-Length: -5"],
    "no number": ["Content-Length: ten"],
    "a signed length": ["Content-Length: +43"],
    "two lengths": ["Content-Length: 43", "Content-Length: 44"],
    "a list of lengths": ["Content-Length: 43, 43"],
    "a length of 400 digits": [f"Content-Length: {'9' * 400}"],
    "length and chunks": ["Content-Length: 43", "Transfer-Encoding: chunked"],
    "chunks twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "a folded header": ["X-Long: a", " b", "Content-Length: 43"],
    "a NUL in a header": ["X-Nul: a\x00b", "Content-Length: 43"],
    "a header of 100 kB": [f"X-Long: {'a' * 100_000}", "Content-Length: 43"],
    "a thousand headers": [*(f"X-{number}: a" for number in range(1000)), "Content-Length: 43"],
    "no colon": ["just words", "Content-Length: 43"],
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_that_can_be_read_two_ways_is_refused(target: Target, name: str) -> None:
    found = target.answers(target.head(*FRAMES[name]) + GOOD)

    assert found
    assert [status for status, _ in found if not 400 <= status < 500] == []


UNREADABLE = {
    "an address that is none": (b"GET http://[ana@example.com HTTP/1.1\r\n\r\n", 400),
    "no version": (b"GET /ana@example.com HTTP/ana\r\n\r\n", 400),
    "no method": (b"ana@example.com / HTTP/1.1\r\n\r\n", 400),
    "no words": (b"ana@example.com\r\n\r\n", 400),
    "a name of a header that is none": (b"GET / HTTP/1.1\r\nX-Ana Reis: half a header\r\n\r\n", 400),
    "a line of 10 kB": (b"GET /" + b"ana@example.com" * 700 + b" HTTP/1.1\r\n\r\n", 414),
    "an expectation": (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: ana@example.com\r\n\r\n", 417),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_http_is_a_problem_of_its_kind_and_told_to_no_log(target: Target, name: str) -> None:
    sent, expected = UNREADABLE[name]

    [(status, told)] = target.answers(sent)

    problem = json.loads(told)
    assert (status, problem["status"]) == (expected, expected)
    assert problem["code"] == ("bad_request" if expected == 400 else "http_error")
    # It finds the request in the log.
    assert problem["request_id"] in target.server.log.read_text()
    assert b"ana" not in told.lower()


def test_a_coding_that_there_is_not_is_not_implemented(target: Target) -> None:
    """501 is what RFC 9112, 6.1 has for it; the server answers before the application is asked."""
    [(status, _)] = target.answers(target.head("Transfer-Encoding: rot13") + GOOD)

    assert status == 501


@pytest.mark.parametrize("size", [b"-1", b"zz", b"", b"ffffffffffffffffffff"])
def test_a_chunk_of_no_size_is_refused(target: Target, size: bytes) -> None:
    sent = target.head("Transfer-Encoding: chunked") + size + b"\r\n" + GOOD + b"\r\n0\r\n\r\n"

    assert [status for status, _ in target.answers(sent) if not 400 <= status < 500] == []


@pytest.mark.parametrize("frame", ["length", "chunks"])
def test_a_body_beyond_the_limit_is_refused_however_it_comes(target: Target, frame: str) -> None:
    body = b'{"type": "' + b"x" * LIMIT + b'"}'
    if frame == "length":
        sent = target.head(f"Content-Length: {len(body)}") + body
    else:
        sent = target.head("Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    [(status, told), *_] = target.answers(sent)

    assert (status, json.loads(told)["code"]) == (413, "body_too_large")


def test_a_length_beyond_the_limit_is_refused_before_its_body_comes(target: Target) -> None:
    [(status, _)] = target.answers(target.head(f"Content-Length: {10**15}"), then_close=False)

    assert status == 413


@pytest.mark.parametrize("name", [each for each, (body, _) in POISON.items() if len(body) < LIMIT])
def test_poison_is_the_same_problem_over_the_wire(target: Target, name: str) -> None:
    body, expected = POISON[name]

    [(status, told)] = target.answers(target.head(f"Content-Length: {len(body)}") + body)

    assert (status, json.loads(told)["status"]) == (expected, expected)


def test_a_bad_record_of_a_batch_stops_no_other_over_the_wire(target: Target) -> None:
    good, bad = (json.dumps(a_record(source_record_id=each)).encode() for each in ("w-1", "w-2"))
    poison = bad.replace(b'"Ana Reis"', rb'"\ud800"')
    body = b'{"records": [%b, %b]}' % (poison, good)

    [(status, told)] = target.answers(
        target.head(f"Content-Length: {len(body)}", path="/v1/records/batch") + body
    )

    refused, written = json.loads(told)["results"]
    assert (status, refused["code"]) == (200, "record_refused")
    assert written["record_id"]
