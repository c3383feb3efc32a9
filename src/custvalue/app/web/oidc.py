"""Signing in through an OpenID Connect provider: authorization code with PKCE, the ID token checked against the provider's keys."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custvalue.config.page import OidcConfig
from custvalue.errors import ConfigError, CustValueError, TryAgainError

_KEPT_SECONDS = 3600
_TIMEOUT_SECONDS = 10
_LEEWAY_SECONDS = 60
_SIGNED_WITH = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Public-key signatures alone: with a shared secret, whoever knows the client's could sign in as anybody."""


class NotSignedInError(CustValueError):
    """What the provider answered proves nobody's identity."""


@dataclass(frozen=True)
class Secrets:
    """What ties an answer of the provider to the browser that asked; all of it follows from one random cookie."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """The provider, whose addresses and keys are read when first needed and then kept for an hour.

    Parameters
    ----------
    config : OidcConfig
        Issuer and client.
    callback : str
        The page's own address to which the provider sends people back.

    Raises
    ------
    ConfigError
        The packages for it are not installed.
    """

    def __init__(self, config: OidcConfig, callback: str) -> None:
        try:
            import authlib  # noqa: F401
            import httpx2  # noqa: F401
        except ImportError as error:
            raise ConfigError(f"page.oidc needs {error.name}: pip install 'custvalue[oidc]'.") from None
        self._config, self._callback = config, callback
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def address(self, secrets: Secrets) -> str:
        """Give the provider's address where a person signs in; raises TryAgainError where the provider does not answer."""
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._metadata()["authorization_endpoint"], state=secrets.state, nonce=secrets.nonce, code_verifier=secrets.verifier
            )
        return str(url)

    def user(self, code: str, secrets: Secrets) -> str:
        """Exchange the code that came back, and give the user's name from the ID token.

        Raises
        ------
        NotSignedInError
            The code or the token is not right, or the token names nobody.
        TryAgainError
            The provider does not answer.
        """
        import httpx2
        from authlib.common.errors import AuthlibBaseError

        try:
            with self._client() as client:
                token = client.fetch_token(self._metadata()["token_endpoint"], code=code, code_verifier=secrets.verifier)
        except AuthlibBaseError as error:
            raise NotSignedInError(f"the provider refuses the code: {error.error}") from None
        except httpx2.HTTPError:
            raise self._away() from None
        claims = self._claims(token, secrets)
        name = claims.get(self._config.claim)
        if not isinstance(name, str) or not name:
            raise NotSignedInError(f"the ID token has no claim {self._config.claim!r}")
        if self._config.claim == "email" and claims.get("email_verified") is not True:
            raise NotSignedInError("the provider has not verified the address")
        return name

    def _claims(self, token: Mapping[str, Any], secrets: Secrets) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError, JoseError
        from joserfc.jwk import KeySet

        if not isinstance(token.get("id_token"), str):
            raise NotSignedInError("the provider gave no ID token; page.oidc.scope must hold openid")
        try:
            try:
                found = jwt.decode(token["id_token"], KeySet.import_key_set(self._keys()), algorithms=_SIGNED_WITH)  # type: ignore[arg-type]
            except InvalidKeyIdError:  # the provider may have new keys
                found = jwt.decode(token["id_token"], KeySet.import_key_set(self._keys(anew=True)), algorithms=_SIGNED_WITH)  # type: ignore[arg-type]
            options = {name: {"essential": True, "value": value} for name, value in self._expected().items()}
            params = {"nonce": secrets.nonce, "client_id": self._config.client_id, "access_token": token.get("access_token")}
            claims = CodeIDToken(found.claims, found.header, options, params)
            claims.validate(leeway=_LEEWAY_SECONDS)
        except (JoseError, ValueError) as error:
            raise NotSignedInError(f"the ID token is not valid: {type(error).__name__}") from None
        return dict(claims)

    def _expected(self) -> dict[str, str]:
        return {"iss": self._metadata()["issuer"], "aud": self._config.client_id}

    def _metadata(self) -> dict[str, Any]:
        found = self._read(f"{self._config.issuer}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != self._config.issuer:
            raise TryAgainError(f"page.oidc.issuer: {self._config.issuer} calls itself otherwise; write the issuer as it does.")
        return found

    def _keys(self, *, anew: bool = False) -> dict[str, Any]:
        return self._read(self._metadata()["jwks_uri"], anew=anew)

    def _read(self, url: str, *, anew: bool = False) -> dict[str, Any]:
        import httpx2

        with self._lock:
            kept = self._kept.get(url)
        if kept is not None and not anew and time.monotonic() - kept[0] < _KEPT_SECONDS:
            return kept[1]
        try:
            answer = httpx2.get(url, timeout=_TIMEOUT_SECONDS)
            found: dict[str, Any] = answer.raise_for_status().json()
        except (httpx2.HTTPError, ValueError):
            raise self._away() from None
        with self._lock:
            self._kept[url] = time.monotonic(), found
        return found

    def _client(self) -> Any:
        from authlib.integrations.httpx_client import OAuth2Client

        return OAuth2Client(
            self._config.client_id,
            self._config.client_secret.get_secret_value(),
            scope=self._config.scope,
            redirect_uri=self._callback,
            code_challenge_method="S256",
            timeout=_TIMEOUT_SECONDS,
        )

    def _away(self) -> TryAgainError:
        return TryAgainError(f"{self._config.issuer}: the sign-in does not answer.")
