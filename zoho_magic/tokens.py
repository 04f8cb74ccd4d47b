"""The current access token: fresh when asked for, minted once however many threads ask."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

from . import oauth
from .credentials import Credentials
from .errors import AuthError, ThrottledError, TransportError, ZohoError
from .mints import MintCount, count_of
from .oauth import PostForm, Token
from .secret import Secret

__all__ = ["Identity", "TokenSource", "identity"]

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
        self._one_flight = threading.Lock()
        # Replaced whole, never changed: read without a lock.
        self._held: tuple[Token | None, Identity] = (None, ())
        self._failed: tuple[ZohoError | None, Identity] = (None, ())
        self._flights = 0

    def fresh(self, stale: Token | None = None) -> Token:
        """A token with at least 60 s left and which is not `stale`; minted if there is none.

        Raises:
            CredentialsMissing, AuthError, ThrottledError, TransportError.
        """
        credentials, asked_after = self._credentials(), self._flights
        if (token := self._usable(credentials)) is not None and token is not stale:
            return token
        with self._one_flight:
            if (token := self._usable(credentials)) is not None and token is not stale:
                return token
            if self._flights > asked_after and (failure := self._shared_failure(credentials)) is not None:
                raise failure
            return self._fly(credentials)

    def at_hand(self) -> Token | None:
        """The token there is now, if it is usable; nothing is minted."""
        return self._usable(self._credentials())

    def renewed(self) -> Token:
        """A new token, minted now. Raises as `fresh`."""
        return self.fresh(stale=self._held[0])

    def adopt(self, token: Token) -> None:
        """Use a token that came with an exchange; it counts as the first mint of its refresh token."""
        credentials = self._credentials()
        if token.refresh_token is not None:
            _count(credentials).note(self._clock())
        self._held = token, identity(credentials)

    def drop(self) -> None:
        """Forget the token."""
        self._held = None, ()

    def _usable(self, credentials: Credentials) -> Token | None:
        token, owner = self._held
        if token is None or owner != identity(credentials) or token.expires_in < EXPIRY_MARGIN_SECONDS:
            return None
        return token

    def _shared_failure(self, credentials: Credentials) -> ZohoError | None:
        """What a flight that ended while this thread waited failed with; a copy, which no other thread raises."""
        failure, owner = self._failed
        return copy.copy(failure) if owner == identity(credentials) else None

    def _fly(self, credentials: Credentials) -> Token:
        before, owner, failure = self._held, identity(credentials), None
        try:
            token = self._minted(credentials)
        except ZohoError as error:
            failure = copy.copy(error)
        self._failed, self._flights = (failure, owner), self._flights + 1
        if failure is not None:
            raise copy.copy(failure)
        if self._held is before:  # else an exchange went by, whose token is the newer one
            self._held = token, owner
        return token

    def _minted(self, credentials: Credentials) -> Token:
        by_refresh_token = credentials.refresh_token is not None or not credentials.soid
        credentials.require("client_id", "client_secret", *(("refresh_token",) if by_refresh_token else ()))
        count = _count(credentials)
        count.spend(self._clock())
        try:
            return self._asked(credentials, by_refresh_token)
        except ThrottledError:
            count.pause(self._clock())
            raise
        except (AuthError, TransportError) as error:
            # Only what Zoho may have minted counts: ten failures without a network must not lock anyone out.
            if isinstance(error, AuthError) or not error.sent:
                count.give_back()
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


def _count(credentials: Credentials) -> MintCount:
    # Without a refresh token (client credentials) Zoho names no limit; the client's own is the careful reading.
    return count_of(credentials.accounts, credentials.refresh_token or Secret(credentials.client_id))
