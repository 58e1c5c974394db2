"""Clients that keep a server busy: plain sockets, one thread each, requests written beforehand."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# An identifier that nobody is known by, or several people are, is answered so.
NOT_FOUND, CONFLICT = 404, 409


@dataclass
class Load:
    """What the clients saw. seconds: of each answered request, in any order."""

    seconds: list[float] = field(default_factory=list)
    duration: float = 0.0
    failures: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.duration

    def add(self, other: Load) -> None:
        """What came after it."""
        self.seconds += other.seconds
        self.duration += other.duration
        self.failures += other.failures
        self.statuses += other.statuses

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request_bytes(
    method: str, path: str, *, body: bytes = b"", secret: str = "", headers: Mapping[str, str] | None = None
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
    if body:
        lines.append("Content-Type: application/json")
    if secret:
        lines.append(f"Authorization: Bearer {secret}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def read_etags(address: tuple[str, int], requests: Sequence[bytes]) -> list[str]:
    """The ETag of each answer, in their order."""
    connection = _Connection(address)
    etags = []
    for request in requests:
        connection.ask(request)
        etags.append(connection.header("etag"))
    connection.close()
    return etags


def send_all(address: tuple[str, int], requests: Sequence[bytes], *, clients: int) -> Load:
    """Every request once, shared out to the clients as they become free."""
    load = Load()
    waiting = iter(requests)
    handing_out = threading.Lock()

    def work() -> None:
        connection = _Connection(address)
        while True:
            with handing_out:
                request = next(waiting, None)
            if request is None:
                connection.close()
                return
            begun = time.perf_counter()
            status = connection.ask(request)
            load.seconds.append(time.perf_counter() - begun)
            load.statuses[status] += 1
            if status >= 400 and status not in (NOT_FOUND, CONFLICT):
                load.failures += 1

    threads = [threading.Thread(target=work) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.duration = time.perf_counter() - begun
    return load


def send_in_turns(
    asked: Mapping[str, tuple[tuple[str, int], Sequence[bytes]]], *, clients: int, rounds: int
) -> dict[str, Load]:
    """Every request once, a part of each kind in each round. asked: by kind, the address and the requests."""
    loads = {kind: Load() for kind in asked}
    for part in range(rounds):
        for kind, (address, requests) in asked.items():
            loads[kind].add(send_all(address, requests[part::rounds], clients=clients))
    return loads


class _Connection:
    """One kept-alive HTTP/1.1 connection; opened again when the server closes it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._head = b""

    def ask(self, request: bytes) -> int:
        if self._socket is None:
            self._socket = socket.create_connection(self._address)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        head, _, body = self._read_until_head().partition(b"\r\n\r\n")
        self._head = head
        lower = head.lower()
        status = int(head[9:12])
        # An answer without a body may leave its length out.
        length = 0 if status == 304 else int(self.header("content-length"))
        while len(body) < length:
            body += self._receive()
        if b"connection: close" in lower:
            self.close()
        return status

    def header(self, name: str) -> str:
        """Of the last answer."""
        lines = (line.partition(b":") for line in self._head.split(b"\r\n")[1:])
        [value] = [value.strip() for found, _, value in lines if found.lower() == name.encode()]
        return value.decode()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _read_until_head(self) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        return received

    def _receive(self) -> bytes:
        assert self._socket is not None
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        return received
