"""The data classes of the accounts server. Secrets are kept out of every repr."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "Access",
    "AccessToken",
    "AccountUser",
    "Client",
    "Code",
    "Grant",
    "RefreshToken",
    "new_client_id",
    "new_token",
]

ID_LETTERS = string.ascii_uppercase + string.digits
KINDS = frozenset({"self", "server", "javascript", "mobile", "device"})


@dataclass(frozen=True)
class Access:
    """Whose call this is. `user_id` is the user's ZUID; `token_id` names the token without being it."""

    user_id: str
    client_id: str
    data_centre: str
    scopes: frozenset[str]
    token_id: str


@dataclass(frozen=True)
class AccountUser:
    """A user with an account, which is in one data centre."""

    zuid: str
    data_centre: str
    first_name: str
    last_name: str
    email: str


@dataclass(frozen=True)
class Client:
    """An application registered in the API console of its `home` data centre.

    `secrets` has one per data centre. Without `multi_dc` no data centre but home knows the client.
    """

    id: str
    home: str
    redirect_uris: tuple[str, ...]
    secrets: Mapping[str, str] = field(repr=False)
    multi_dc: bool = True
    kinds: frozenset[str] = KINDS

    def known_at(self, data_centre: str) -> bool:
        """True when that data centre's accounts server has heard of this client."""
        return self.multi_dc or data_centre == self.home


@dataclass(frozen=True)
class Grant:
    """What one user allowed one client. `prefix` begins every token made of it: 1004 for devices, else 1000."""

    client_id: str
    user: AccountUser
    scopes: tuple[str, ...]
    prefix: str = "1000"

    @property
    def owner(self) -> tuple[str, str, str]:
        """Whose it is, as limits count: the client, the user and the user's data centre."""
        return self.client_id, self.user.zuid, self.user.data_centre


@dataclass(frozen=True)
class Code:
    """A grant code, not used yet. `redirect_uri` is None for a self client's; `challenge` is (method, value)."""

    grant: Grant
    expires: float
    offline: bool = True
    redirect_uri: str | None = None
    challenge: tuple[str, str] | None = field(default=None, repr=False)


@dataclass
class RefreshToken:
    """A refresh token and the access tokens it keeps alive, oldest first."""

    token: str = field(repr=False)
    grant: Grant
    live: list[str] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class AccessToken:
    """An access token's meaning; `id` names it in reports and tests without giving it away."""

    grant: Grant
    expires: float
    id: str


def new_token(prefix: str = "1000") -> str:
    """A fresh token or code in Zoho's shape."""
    return f"{prefix}.{secrets.token_hex(16)}.{secrets.token_hex(16)}"


def new_client_id() -> str:
    """A fresh client id in Zoho's shape."""
    return "1000." + "".join(secrets.choice(ID_LETTERS) for _ in range(30))
