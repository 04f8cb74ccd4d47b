"""The applications registered with this Zoho, and whether one is who it says."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from .answers import refuse
from .model import KINDS, Client, new_client_id

__all__ = ["Clients"]


class Clients:
    """The API console of a Zoho with these data centres."""

    def __init__(self, data_centres: tuple[str, ...]) -> None:
        self._data_centres = data_centres
        self._known: dict[str, Client] = {}

    def register(
        self,
        redirect_uris: Iterable[str] = (),
        kinds: Iterable[str] = KINDS,
        home: str | None = None,
        multi_dc: bool = True,
        own_secrets: bool = False,
    ) -> Client:
        """Add an application; `own_secrets` gives it a different client secret per data centre (Zoho's default)."""
        shared = secrets.token_hex(21)
        client = Client(
            id=new_client_id(),
            home=home or self._data_centres[0],
            redirect_uris=tuple(redirect_uris),
            secrets={place: secrets.token_hex(21) if own_secrets else shared for place in self._data_centres},
            multi_dc=multi_dc,
            kinds=frozenset(kinds),
        )
        self._known[client.id] = client
        return client

    def find(self, client_id: str | None, data_centre: str) -> Client | None:
        """The client of that id, if this data centre knows it."""
        client = self._known.get(client_id or "")
        return client if client and client.known_at(data_centre) else None

    def identify(self, given: Mapping[str, str], data_centre: str, kind: str | None = None) -> Client:
        """The client a request names, or `invalid_client`."""
        client = self.find(given.get("client_id"), data_centre)
        if client is None or (kind and kind not in client.kinds):
            refuse("invalid_client")
        return client

    def authenticate(self, given: Mapping[str, str], data_centre: str, kind: str | None = None) -> Client:
        """The same, its secret checked. Its secret of another data centre is `invalid_client` (oauth.md 3)."""
        client = self.identify(given, data_centre, kind)
        secret = given.get("client_secret", "")
        if secret != client.secrets[data_centre]:
            refuse("invalid_client" if secret in client.secrets.values() else "invalid_client_secret")
        return client
