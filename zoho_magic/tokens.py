"""The current access token: fresh when asked for, minted once however many threads ask."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from . import oauth
from .credentials import Credentials
from .errors import ThrottledError, TransportError, ZohoError
from .mints import MintCount
from .oauth import PostForm, Token
from .secret import Secret

__all__ = ["TokenSource", "identity"]

EXPIRY_MARGIN_SECONDS = 60
_IDENTITY = ("client_id", "client_secret", "refresh_token", "dc", "environment", "soid", "accounts_url", "api_url")

Identity = tuple[Any, ...]


def identity(credentials: Credentials) -> Identity:
    """What a token belongs to: with other credentials it is somebody else's."""
    return tuple(getattr(credentials, name) for name in _IDENTITY)


class TokenSource:
    """Access tokens for whatever the credentials are at the moment.

    One refresh is in flight at a time; the threads that wait for it share its result, or its failure.

    Args:
        credentials: gives the credentials now.
        post: sends a form to the accounts server.
        clock: seconds since the epoch.
    """

    def __init__(self, credentials: Callable[[], Credentials], post: PostForm, clock: Callable[[], float]) -> None:
        self._credentials = credentials
        self._post = post
        self._clock = clock
        self._mints = MintCount(clock)
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._token_of: Identity = ()
        self._flight: Future[Token] | None = None

    def fresh(self, stale: Token | None = None) -> Token:
        """A token with at least 60 s left and which is not `stale`; minted if there is none.

        Raises:
            CredentialsMissing, AuthError, ThrottledError, TransportError.
        """
        credentials = self._credentials()
        with self._lock:
            if (token := self._usable(credentials)) is not None and token is not stale:
                return token
            flight, mine = self._flight or Future(), self._flight is None
            self._flight = flight
        if mine:
            self._fly(flight, credentials)
        if (failure := flight.exception()) is not None:
            raise copy.copy(failure)
        return flight.result()

    def at_hand(self) -> Token | None:
        """The token there is now, if it is usable; nothing is minted."""
        with self._lock:
            return self._usable(self._credentials())

    def renewed(self) -> Token:
        """A new token, minted now. Raises as `fresh`."""
        return self.fresh(stale=self._token)

    def adopt(self, token: Token) -> None:
        """Use a token that came with an exchange; a new refresh token has a count of mints of its own."""
        with self._lock:
            if token.refresh_token is not None:
                self._mints.restart()
            self._token, self._token_of = token, identity(self._credentials())

    def drop(self) -> None:
        """Forget the token."""
        with self._lock:
            self._token = None

    def _usable(self, credentials: Credentials) -> Token | None:
        token = self._token if self._token_of == identity(credentials) else None
        return token if token is not None and token.expires_in >= EXPIRY_MARGIN_SECONDS else None

    def _fly(self, flight: Future[Token], credentials: Credentials) -> None:
        try:
            token = self._mint(credentials)
        except BaseException as error:
            self._land(None, credentials)
            if not isinstance(error, ZohoError):
                flight.set_exception(TransportError("The refresh was interrupted.", hint="Run it again."))
                raise
            flight.set_exception(error)
        else:
            self._land(token, credentials)
            flight.set_result(token)

    def _land(self, token: Token | None, credentials: Credentials) -> None:
        with self._lock:
            self._flight = None
            if token is not None:
                self._token, self._token_of = token, identity(credentials)

    def _mint(self, credentials: Credentials) -> Token:
        by_refresh_token = credentials.refresh_token is not None or not credentials.soid
        credentials.require("client_id", "client_secret", *(("refresh_token",) if by_refresh_token else ()))
        self._mints.spend()
        try:
            return self._asked(credentials, by_refresh_token)
        except ThrottledError:
            self._mints.pause()
            raise

    def _asked(self, credentials: Credentials, by_refresh_token: bool) -> Token:
        common: dict[str, Any] = {
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "post": self._post,
            "clock": self._clock,
            "facts": credentials.facts,
        }
        if by_refresh_token:
            return oauth.refresh(credentials.accounts, refresh_token=credentials.refresh_token or Secret(""), **common)
        return oauth.client_credentials(
            credentials.accounts, scopes=credentials.scopes, soid=credentials.soid, **common
        )
