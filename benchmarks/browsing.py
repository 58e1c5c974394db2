"""A browser's part of the console: one connection kept open, the cookie, the token of forms, redirects."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from html import unescape
from http.client import HTTPConnection
from urllib.parse import urlencode

from benchmarks.serving import Address

TIMEOUT_SECONDS = 60
# The server closes a connection that rests for five seconds.
REST_SECONDS = 4.0
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class UnexpectedPageError(Exception):
    """The page is not the one that was to be measured."""


class Browser:
    """What it shows is the last page: its path and its text."""

    def __init__(self, address: Address) -> None:
        self._connection = HTTPConnection(*address, timeout=TIMEOUT_SECONDS)
        self._cookie = ""
        self._used_at = 0.0
        self.path = ""
        self.page = ""

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> None:
        """Raises UnexpectedPageError unless the answer is a page or leads to one."""
        self._ask("GET", path, {})

    def post(self, path: str, fields: Mapping[str, str]) -> None:
        """A form of the last page, and the page that it leads to. Raises UnexpectedPageError."""
        body = urlencode({"csrf_token": self.find(_TOKEN), **fields})
        self._ask("POST", path, {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def sign_in(self, name: str, password: str) -> None:
        self.get("/console/sign-in")
        self.post("/console/sign-in", {"name": name, "password": password})

    def find(self, pattern: re.Pattern[str]) -> str:
        """What the first group of it finds in the last page. Raises UnexpectedPageError."""
        found = pattern.search(self.page)
        if found is None:
            raise UnexpectedPageError(f"{self.path} has nothing like {pattern.pattern}")
        return unescape(found[1])

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: str | None = None) -> None:
        if time.monotonic() - self._used_at > REST_SECONDS:
            self._connection.close()
        common = {"Accept-Language": "en", "Cookie": self._cookie}
        self._connection.request(method, path, body, {**common, **headers})
        answer = self._connection.getresponse()
        self._used_at = time.monotonic()
        self.path, self.page = path, answer.read().decode()
        self._cookie = (answer.getheader("Set-Cookie") or self._cookie).partition(";")[0]
        if answer.status == 303:
            self._ask("GET", answer.headers["Location"], {})
        elif answer.status != 200:
            raise UnexpectedPageError(f"{method} {path} was answered with {answer.status}")
