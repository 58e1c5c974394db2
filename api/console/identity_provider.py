"""The provider of OpenID Connect that people may sign in with: the way there, and who it says came back.

Authlib speaks the protocol: a code with PKCE, and an ID token whose signature, issuer, audience, time and nonce are
looked at. What a provider says is believed of people alone, and in no other shape than the standard's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import structlog
from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask
from joserfc.errors import ExpiredTokenError, JoseError
from requests import RequestException

from api.console.states import PageError
from cdp.settings import OidcSettings

_DISCOVERY = "/.well-known/openid-configuration"
_SCOPES = "openid profile email"
_TIMEOUT_SECONDS = 5
# By the provider's own keys: neither none nor what anybody signs who knows a secret or a public key.
_SIGNATURES = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
# How far its clock may be from ours.
_LEEWAY_SECONDS = 60

logger = structlog.get_logger(__name__)


class IdentityProvider:
    """Its addresses and keys are asked for when they are first needed, and kept."""

    def __init__(self, app: Flask, settings: OidcSettings) -> None:
        self.settings = settings
        self._client = OAuth(app).register(
            "oidc",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=settings.issuer.rstrip("/") + _DISCOVERY,
            client_kwargs={
                "scope": _SCOPES,
                "code_challenge_method": "S256",
                "default_timeout": _TIMEOUT_SECONDS,
            },
        )

    def begin(self, redirect_uri: str) -> Mapping[str, str]:
        """url: where to send the browser; state, nonce and code_verifier: to be kept until it is back."""
        with _told_as_pages():
            self._load()
            begun: Mapping[str, str] = self._client.create_authorization_url(redirect_uri)
        return begun

    def identify(self, code: str, begun: Mapping[str, str], redirect_uri: str) -> Mapping[str, Any]:
        """The claims of who is back with a code. Raises PageError when they cannot be believed."""
        with _told_as_pages():
            self._load()
            token = self._client.fetch_access_token(
                redirect_uri, code=code, state=begun["state"], code_verifier=begun["code_verifier"]
            )
            claims: Mapping[str, Any] | None = self._client.parse_id_token(
                token, begun["nonce"], claims_options=self._expected(), leeway=_LEEWAY_SECONDS
            )
        if claims is None or not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            _refuse("no subject")
        return claims

    def sign_out_url(self, back_to: str) -> str | None:
        """Where the browser signs out of the provider too; None when it has no such page."""
        with _told_as_pages():
            if not self._load().get("end_session_endpoint"):
                return None
            url: str = self._client.create_logout_url(back_to, client_id=self.settings.client_id)["url"]
        return url

    def _load(self) -> Mapping[str, Any]:
        metadata: dict[str, Any] = self._client.load_server_metadata()
        if metadata.get("issuer") != self.settings.issuer:
            # Kept, it would be believed by the next who asks.
            metadata.clear()
            _refuse("another issuer in its discovery document")
        metadata["id_token_signing_alg_values_supported"] = list(_SIGNATURES)
        self._client.client_kwargs["token_endpoint_auth_method"] = self._authenticates_by(metadata)
        return metadata

    def _authenticates_by(self, metadata: Mapping[str, Any]) -> str:
        if self.settings.client_secret is None:
            return "none"
        ways = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"

    def _expected(self) -> dict[str, Any]:
        return {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "value": self.settings.client_id},
        }


@contextmanager
def _told_as_pages() -> Iterator[None]:
    """What goes wrong with the provider, as pages; the log has its kind and never what a token says of somebody."""
    try:
        yield
    except RequestException as error:
        logger.warning("oidc.unreachable", error=type(error).__name__)
        raise PageError("provider_unreachable") from error
    except OAuthError as error:
        logger.warning("oidc.refused", error=error.error)
        raise PageError("sign_in_stale" if error.error == "invalid_grant" else "provider_refused") from error
    except ExpiredTokenError as error:
        logger.warning("oidc.refused", error="expired_token")
        raise PageError("sign_in_stale") from error
    except (JoseError, KeyError, RuntimeError, TypeError, ValueError) as error:
        # A provider's documents may have any shape.
        _refuse(str(error.error) if isinstance(error, JoseError) else type(error).__name__, error)


def _refuse(what: str, error: Exception | None = None) -> NoReturn:
    logger.warning("oidc.unverified", what=what)
    raise PageError("identity_unverified") from error
