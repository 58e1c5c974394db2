"""A small provider of OpenID Connect on this machine: it keeps the standard, unless a test asks it not to."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet
from joserfc.jws import JWSRegistry

CLIENT_ID, CLIENT_SECRET = "console", "s3cret of the console"
SUBJECT = "248289761001"


@dataclass
class Provider:
    """claims: what its ID tokens say instead of the truth; signs_by: instead of its own key."""

    address: str
    subject: str = SUBJECT
    claims: dict[str, Any] = field(default_factory=dict)
    signs_by: tuple[str, Key | None] | None = None
    denies: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    issued: dict[str, dict[str, str]] = field(default_factory=dict)
    token_requests: list[dict[str, str]] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://{self.address}"

    def discovery(self) -> dict[str, Any]:
        known = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/out",
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        }
        return known | self.metadata

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is led back to."""
        assert (asked["client_id"], asked["response_type"]) == (CLIENT_ID, "code")
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        if self.denies:
            given = {"error": "access_denied"}
        else:
            given = {"code": secrets.token_urlsafe(16)}
            self.issued[given["code"]] = asked
        return asked["redirect_uri"] + "?" + urllib.parse.urlencode(given | {"state": asked["state"]})

    def token(self, asked: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        self.token_requests.append(asked)
        name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (name, urllib.parse.unquote_plus(secret)) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        begun = self.issued.pop(asked["code"], None)
        if begun is None or not self._is_same_client(asked, begun):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self._id_token(begun)}

    def _is_same_client(self, asked: dict[str, str], begun: dict[str, str]) -> bool:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(asked["code_verifier"].encode()).digest())
        is_proved = challenge.rstrip(b"=").decode() == begun["code_challenge"]
        return is_proved and asked["redirect_uri"] == begun["redirect_uri"]

    def _id_token(self, begun: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": begun["nonce"],
            "preferred_username": "José Ana",
        }
        algorithm, key = self.signs_by or ("ES256", self.key)
        header = {"alg": algorithm, "kid": self.key.kid}
        said = {name: value for name, value in (claims | self.claims).items() if value is not None}
        if key is None:
            return f"{_encoded(header)}.{_encoded(said)}."
        return jwt.encode(header, said, key, registry=JWSRegistry(algorithms=[algorithm]))


def _encoded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


@contextmanager
def run_provider() -> Iterator[Provider]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.provider = provider = Provider(f"127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def follow(url: str) -> str:
    """Where the provider leads a browser that opens the address."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    connection.close()
    assert answer.status == 302
    return str(answer.headers["Location"])


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        path, _, query = self.path.partition("?")
        if path == "/authorize":
            self.send_response(302)
            self.send_header("Location", provider.authorize(dict(urllib.parse.parse_qsl(query))))
            self.end_headers()
        elif path == "/keys":
            self._answer(200, KeySet([provider.key]).as_dict(private=False))
        else:
            self._answer(200, provider.discovery())

    def do_POST(self) -> None:
        provider: Provider = self.server.provider  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = dict(urllib.parse.parse_qsl(body))
        self._answer(*provider.token(asked, self.headers.get("Authorization", "")))

    def _answer(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
