"""A whole Zoho on loopback, to start, to ask and to stop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from .accounts.model import Client, Code, Grant
from .accounts.scopes import DEFAULT_SCOPES, split_scopes
from .accounts.state import Accounts
from .app import build_app
from .clock import Clock
from .context import SimulatorContext
from .crm.org import Crm
from .data_centres import LOCATIONS
from .faults import Faults
from .options import Behaviour, Options
from .server import Server
from .traffic import RequestLog

__all__ = ["REDIRECT_URI", "Simulator"]

REDIRECT_URI = "http://localhost:8976/callback"
Scopes = str | Iterable[str] | None


class Simulator:
    """A local Zoho: accounts server and CRM API of one or more data centres, over real HTTP.

    Args:
        rows: leads of the demo organisation; the other modules follow.
        seed: the same one makes the same rows.
        port: the first data centre's, 0 for any that is free; further data centres follow it.
        data_centres: names as in `ZOHO_DC`: `us`, `eu`, ...
        redirect_uri: registered for the one client there is at first.
        options: what Zoho's documents leave open.
        multi_dc: whether that client is known in every data centre, as switched on in the API console.
        own_secrets: whether it has another secret in each.
        separate_api: puts the API on an origin of its own in every data centre.
        begin: what the clock says at first, with a time zone; None for now.
        behaviour: "documented", or "worst" for a Zoho that answers as the least kind report says. An option that has
            another value than its default stays as it is.
        record: a file that gets every call as a line of JSON: method, path, query, status, credits; never a secret.

    Raises:
        ValueError: a data centre or a behaviour does not exist.
        OSError: on `start`, when the port is taken.

    Example::

        with Simulator(rows=100) as zoho:
            requests.get(f"{zoho.url}/crm/v8/org", headers={"Authorization": f"Bearer {zoho.access_token()}"})
    """

    def __init__(
        self,
        rows: int = 2000,
        seed: int = 7,
        port: int = 0,
        data_centres: Iterable[str] = ("us",),
        redirect_uri: str = REDIRECT_URI,
        options: Options | None = None,
        multi_dc: bool = True,
        own_secrets: bool = False,
        separate_api: bool = False,
        begin: datetime | None = None,
        behaviour: Behaviour = "documented",
        record: str | Path | None = None,
    ) -> None:
        self.data_centres = _checked_data_centres(data_centres)
        self.options = (options or Options()).apply(behaviour)
        self.clock = Clock(begin)
        self.faults = Faults()
        self.traffic = RequestLog(self.clock, None if record is None else Path(record))
        self.accounts = Accounts(self.clock, self.options, self.data_centres)
        self.crm = Crm(clock=self.clock, rows=rows, seed=seed, options=self.options)
        self.client = self.register([redirect_uri], multi_dc=multi_dc, own_secrets=own_secrets)
        self.redirect_uri = redirect_uri
        self._port = port
        self._separate_api = separate_api
        self._origins: dict[str, str] = {}
        self._apis: dict[str, str] = {}
        self._servers: list[Server] = []

    def start(self) -> Simulator:
        """Serve from daemon threads until `stop`. Starting twice is starting once."""
        if not self._servers:
            try:
                self._listen()
            except OSError:
                self.stop()
                raise
        return self

    def stop(self) -> None:
        """Close every socket and wait for every thread. What was issued and written stays for the next `start`."""
        for server in self._servers:
            server.stop()
        self._servers.clear()

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The first data centre's origin: accounts server and CRM API."""
        return self.origin()

    def origin(self, data_centre: str | None = None) -> str:
        """A data centre's accounts server, which is also its API unless `separate_api`."""
        return self._origins[data_centre or self.data_centres[0]]

    def api(self, data_centre: str | None = None) -> str:
        """A data centre's API origin."""
        return self._apis[data_centre or self.data_centres[0]]

    @property
    def client_id(self) -> str:
        """The client there is from the start. It may use every grant."""
        return self.client.id

    @property
    def client_secret(self) -> str:
        """Its secret in the first data centre."""
        return self.secret()

    def secret(self, data_centre: str | None = None) -> str:
        """Its secret in a data centre; they differ with `own_secrets`."""
        return self.client.secrets[data_centre or self.data_centres[0]]

    @property
    def soid(self) -> str:
        """What client_credentials wants as `soid`."""
        return f"ZohoCRM.{self.options.org_id}"

    def register(self, redirect_uris: Iterable[str] = (), **settings: Any) -> Client:
        """Another client, as from the API console.

        Args:
            redirect_uris: what is registered for it.
            settings: `kinds` (the client types; by default all), `home` (its data centre),
                `multi_dc` and `own_secrets` as for the first client.

        Example::

            zoho.register(["http://localhost:8000/callback"], own_secrets=True).id
        """
        return self.accounts.clients.register(redirect_uris, **settings)

    def grant_code(self, scopes: Scopes = None, lifetime: float = 180, data_centre: str | None = None) -> str:
        """A fresh self-client code, as from the console's Generate Code tab.

        Args:
            scopes: names, or a text with commas between them; by default all that the demo needs.
            lifetime: seconds until it expires.
            data_centre: whose user it is for; by default the first.
        """
        code = Code(self._grant(scopes, data_centre), self.clock.time() + lifetime)
        return self.accounts.tokens.issue_code(code)

    def refresh_token(self, scopes: Scopes = None, data_centre: str | None = None) -> str:
        """A ready refresh token. Counts towards the cap of 20, not towards how many may be made in a while."""
        with self.accounts.lock:
            return self.accounts.tokens.issue_refresh_token(self._grant(scopes, data_centre)).token

    def access_token(self, scopes: Scopes = None, data_centre: str | None = None) -> str:
        """A ready access token, for a call where its origin does not matter."""
        with self.accounts.lock:
            return self.accounts.tokens.issue_access_token(self._grant(scopes, data_centre))

    def connection(self) -> dict[str, str]:
        """All a client needs: url, client_id, client_secret, grant_code (ten minutes), refresh_token."""
        return {
            "url": self.url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "grant_code": self.grant_code(lifetime=600),
            "refresh_token": self.refresh_token(),
        }

    def _grant(self, scopes: Scopes, data_centre: str | None) -> Grant:
        wanted = (
            DEFAULT_SCOPES if scopes is None else split_scopes(scopes) if isinstance(scopes, str) else tuple(scopes)
        )
        return Grant(self.client.id, self.accounts.user(data_centre or self.data_centres[0]), wanted)

    def _listen(self) -> None:
        for number, place in enumerate(self.data_centres):
            accounts = self._open(self._port and self._port + number)
            api = self._open(0) if self._separate_api else accounts
            self._origins[place], self._apis[place] = accounts.url, api.url
            self._serve(place, accounts, api)

    def _open(self, port: int) -> Server:
        server = Server(port)
        self._servers.append(server)
        return server

    def _serve(self, place: str, accounts: Server, api: Server) -> None:
        here = SimulatorContext(
            place,
            self._origins,
            self._apis,
            self.clock,
            self.options,
            self.accounts,
            self.crm,
            self.faults,
            self.traffic,
        )
        accounts.start(here, build_app(here, crm=accounts is api))
        if api is not accounts:
            api.start(here, build_app(here, accounts=False))


def _checked_data_centres(data_centres: Iterable[str]) -> tuple[str, ...]:
    places = tuple(dict.fromkeys(data_centres))
    if not places or not LOCATIONS.keys() >= set(places):
        raise ValueError(f"data_centres: one or more of {', '.join(LOCATIONS)}")
    return places
