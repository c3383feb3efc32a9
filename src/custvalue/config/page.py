"""Where the managers' page is reached, how long a session lasts, and who signs people in."""

from __future__ import annotations

from typing import Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from custvalue.config.base import Settings

RoleName = Literal["manager", "lead", "analyst", "admin"]
LOOPBACK = ("127.0.0.1", "localhost")


class OidcConfig(Settings):
    """An OpenID Connect provider that signs people in; whoever it names must be one of the page's users.

    Attributes
    ----------
    issuer : str
        Its address; ``<issuer>/.well-known/openid-configuration`` is read there.
    client_id, client_secret
        As registered at the provider, with the redirect address ``<page.url>/oidc/callback``. Write the secret as
        ``${CUSTVALUE_OIDC_SECRET}``.
    claim : str
        Claim of the ID token that holds the user's name here; ``email`` counts only where ``email_verified`` is true.
    scope : str
        Scopes to ask for, separated by spaces.
    """

    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    claim: str = "preferred_username"
    scope: str = "openid profile"

    @field_validator("issuer")
    @classmethod
    def _private(cls, value: str) -> str:
        _private_address(value)
        return value.rstrip("/")


class PageConfig(Settings):
    """The managers' page.

    Attributes
    ----------
    url : str, optional
        Address under which people reach it, ``https://host``; a proxy in front ends the encryption. Without it the page answers on this
        machine alone.
    idle_minutes, hours : int
        A session ends after so many minutes without a click, and after so many hours in any case.
    reveal : tuple of str
        Roles that may see a customer's full number; every time is written to the audit log.
    oidc : OidcConfig, optional
        Without it people sign in with a password of this page.
    """

    url: str | None = None
    idle_minutes: int = Field(default=60, ge=1)
    hours: int = Field(default=10, ge=1, le=24)
    reveal: tuple[RoleName, ...] = ("manager", "lead")
    oidc: OidcConfig | None = None

    @field_validator("url")
    @classmethod
    def _reached_privately(cls, value: str | None) -> str | None:
        if not value:
            return None
        address = _private_address(value)
        if address.path.strip("/") or address.query or address.fragment:
            raise ValueError(f"{value!r} must end after the host: the page needs a host, or a port, of its own")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _reached_by_the_provider(self) -> PageConfig:
        if self.oidc is not None and self.url is None:
            raise ValueError("oidc needs url: the provider sends people back to <url>/oidc/callback")
        return self

    @property
    def host(self) -> str | None:
        """Host of `url`."""
        return urlsplit(self.url).hostname if self.url else None

    @property
    def secure(self) -> bool:
        """Whether people reach it over https."""
        return self.url is not None and self.url.startswith("https:")


def _private_address(value: str) -> SplitResult:
    address = urlsplit(value)
    if address.username or address.password or not address.hostname:
        raise ValueError(f"{address.scheme}://{address.hostname or ''}: write https://host, without user or password")
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
        raise ValueError(f"{value!r} must begin with https://; http:// would show passwords and customers to the network")
    return address
