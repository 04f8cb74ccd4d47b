"""The current access token: fresh when asked for, minted once however many threads ask."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

from ..config.credentials import Credentials
from ..errors import AuthError, ThrottledError, TransportError, ZohoError
from ..secret import Secret
from . import oauth
from .oauth import PostForm, Token
from .shared_token_cache import SharedCache
from .token_cache import Memory, Shelf, Turn

__all__ = ["Identity", "TokenSource", "identity"]

EXPIRY_MARGIN_SECONDS = 60
_IDENTITY = ("client_id", "client_secret", "refresh_token", "dc", "environment", "soid", "accounts_url", "api_url")

Identity = tuple[Any, ...]


def identity(credentials: Credentials) -> Identity:
    """What a token belongs to: with other credentials it is somebody else's."""
    return tuple(getattr(credentials, name) for name in _IDENTITY)


class TokenSource:
    """Access tokens for whatever the credentials are at the moment.

    One refresh is in flight at a time; the threads that wait for it share its result, or its failure. With
    `ZOHO_TOKEN_CACHE=1` that holds for all processes of this user.

    Args:
        credentials: gives the credentials now.
        post: sends a form to the accounts server.
        clock: seconds since the epoch.
    """

    def __init__(self, credentials: Callable[[], Credentials], post: PostForm, clock: Callable[[], float]) -> None:
        self._credentials = credentials
        self._post = post
        self._clock = clock
        self._memory, self._shared = Memory(), SharedCache(clock)
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
        if (token := self._usable(credentials, stale)) is not None:
            return token
        with self._one_flight:
            if (token := self._usable(credentials, stale)) is not None:
                return token
            if self._flights > asked_after and (failure := self._shared_failure(credentials)) is not None:
                raise failure
            return self._fly(credentials, stale)

    def at_hand(self) -> Token | None:
        """The token there is now, if it is usable; nothing is minted."""
        return self._usable(self._credentials())

    def renewed(self) -> Token:
        """A new token, minted now. Raises as `fresh`."""
        return self.fresh(stale=self.at_hand())

    def instead_of(self, refused: Token) -> Token:
        """Another token than this one, which Zoho refused and nobody is to use again. Raises as `fresh`."""
        credentials = self._credentials()
        self._withdraw(credentials, refused)
        return self.fresh(stale=refused)

    def adopt(self, token: Token) -> None:
        """Use a token that came with an exchange; it counts as the first mint of its refresh token."""
        credentials = self._credentials()
        self._held = token, identity(credentials)
        with self._shelf(credentials).turn(credentials) as turn:
            if token.refresh_token is not None:
                turn.note(self._clock())
            turn.keep(token)

    def drop(self) -> None:
        """Forget the token, for everybody it is shared with."""
        credentials = self._credentials()
        if (token := self._usable(credentials)) is not None:
            self._withdraw(credentials, token)
        self._held = None, ()

    def problem(self) -> str:
        """Why tokens are not shared although they should be; "" otherwise."""
        credentials = self._credentials()
        return self._shelf(credentials).problem(credentials)

    def _shelf(self, credentials: Credentials) -> Shelf:
        return self._shared if credentials.token_cache else self._memory

    def _withdraw(self, credentials: Credentials, token: Token) -> None:
        with self._shelf(credentials).turn(credentials) as turn:
            if turn.token is not None and turn.token.access_token == token.access_token:
                turn.keep(None)

    def _usable(self, credentials: Credentials, stale: Token | None = None) -> Token | None:
        held, owner = self._held
        token = self._shelf(credentials).look(credentials, held if owner == identity(credentials) else None)
        if token is None or token.expires_in < EXPIRY_MARGIN_SECONDS:
            return None
        return None if stale is not None and token.access_token == stale.access_token else token

    def _shared_failure(self, credentials: Credentials) -> ZohoError | None:
        """What a flight that ended while this thread waited failed with; a copy, which no other thread raises."""
        failure, owner = self._failed
        return copy.copy(failure) if owner == identity(credentials) else None

    def _fly(self, credentials: Credentials, stale: Token | None) -> Token:
        before, owner, failure = self._held, identity(credentials), None
        try:
            token = self._obtained(credentials, stale)
        except ZohoError as error:
            failure = copy.copy(error)
        self._failed, self._flights = (failure, owner), self._flights + 1
        if failure is not None:
            raise copy.copy(failure)
        if self._held is before:  # else an exchange went by, whose token is the newer one
            self._held = token, owner
        return token

    def _obtained(self, credentials: Credentials, stale: Token | None) -> Token:
        by_refresh_token = credentials.refresh_token is not None or not credentials.soid
        credentials.require("client_id", "client_secret", *(("refresh_token",) if by_refresh_token else ()))
        with self._shelf(credentials).turn(credentials) as turn:
            if (token := self._usable(credentials, stale)) is not None:  # minted elsewhere while we waited
                return token
            token = self._minted(credentials, turn, by_refresh_token)
            turn.keep(token)
            return token

    def _minted(self, credentials: Credentials, turn: Turn, by_refresh_token: bool) -> Token:
        turn.spend(self._clock())
        try:
            token = self._asked(credentials, by_refresh_token)
            turn.settle(self._clock())
            return token
        except ThrottledError:
            turn.pause(self._clock())
            raise
        except (AuthError, TransportError) as error:
            # Only what Zoho may have minted counts: ten failures without a network must not lock anyone out.
            if isinstance(error, AuthError) or not error.sent:
                turn.give_back()
            else:
                turn.settle(self._clock())
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
