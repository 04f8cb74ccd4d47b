"""The current access token: fresh when asked for, requested once however many threads ask."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

from ..config.credentials import Credentials
from ..errors import AuthError, ThrottledError, TransportError, ZohoError
from ..fork_safety import renew_after_fork
from ..secret import Secret
from . import oauth
from .oauth import PostForm, Token
from .shared_token_cache import SharedTokenCache
from .token_cache import InMemoryTokenCache, RefreshLease, TokenCache

__all__ = ["CacheKey", "TokenManager", "cache_key"]

EXPIRY_MARGIN_SECONDS = 60
_CACHE_KEY_FIELDS = (
    "client_id",
    "client_secret",
    "refresh_token",
    "dc",
    "environment",
    "soid",
    "accounts_url",
    "api_url",
)

CacheKey = tuple[Any, ...]


def cache_key(credentials: Credentials) -> CacheKey:
    """What a token belongs to: with other credentials it is somebody else's."""
    return tuple(getattr(credentials, name) for name in _CACHE_KEY_FIELDS)


class TokenManager:
    """Access tokens for whatever the credentials are at the moment.

    One refresh is in flight at a time; the threads that wait for it share its result, or its failure. With
    `ZOHO_TOKEN_CACHE=1` that holds for all processes of this user.

    Args:
        credentials: gives the credentials now.
        post: sends a form to the accounts server.
        clock: seconds since the epoch.
        explain: gives a refused request a better next step; it may ask Zoho's servers.
    """

    def __init__(
        self,
        credentials: Callable[[], Credentials],
        post: PostForm,
        clock: Callable[[], float],
        explain: Callable[[ZohoError, Credentials], ZohoError] = lambda error, _: error,
    ) -> None:
        self._explain = explain
        self._credentials = credentials
        self._post = post
        self._clock = clock
        self._memory, self._shared = InMemoryTokenCache(), SharedTokenCache(clock)
        self._refresh_lock = threading.Lock()
        # Replaced whole, never changed: read without a lock.
        self._cached: tuple[Token | None, CacheKey] = (None, ())
        self._last_error: tuple[ZohoError | None, CacheKey] = (None, ())
        self._refresh_count = 0
        renew_after_fork(self, _refresh_lock=threading.Lock)

    def get_token(self, stale: Token | None = None) -> Token:
        """A token with at least 60 s left and which is not `stale`; requested if there is none.

        Raises:
            CredentialsMissing, AuthError, ThrottledError, TransportError.
        """
        credentials, refresh_count_before = self._credentials(), self._refresh_count
        if (token := self._valid_token(credentials, stale)) is not None:
            return token
        with self._refresh_lock:
            if (token := self._valid_token(credentials, stale)) is not None:
                return token
            if (
                self._refresh_count > refresh_count_before
                and (failure := self._error_of_concurrent_refresh(credentials)) is not None
            ):
                raise failure
            return self._refresh_locked(credentials, stale)

    def cached_token(self) -> Token | None:
        """The token there is now, if it is usable; nothing is requested."""
        return self._valid_token(self._credentials())

    def refresh(self) -> Token:
        """A new token, requested now. Raises as `get_token`."""
        return self.get_token(stale=self.cached_token())

    def replace_rejected(self, refused: Token) -> Token:
        """Another token than this one, which Zoho refused and nobody is to use again. Raises as `fresh`."""
        credentials = self._credentials()
        self._invalidate(credentials, refused)
        if (held := self._cached[0]) is not None and held.access_token == refused.access_token:
            self._cached = None, ()
        return self.get_token(stale=refused)

    def store(self, token: Token) -> None:
        """Use a token that came with an exchange; it counts as the first token of its refresh token."""
        credentials = self._credentials()
        self._cached = token, cache_key(credentials)
        with self._cache(credentials).acquire(credentials) as turn:
            if token.refresh_token is not None:
                turn.record(self._clock())
            turn.store(token)

    def clear(self) -> None:
        """Forget the token, for everybody it is shared with."""
        credentials = self._credentials()
        if (token := self._valid_token(credentials)) is not None:
            self._invalidate(credentials, token)
        self._cached = None, ()

    def cache_problem(self) -> str:
        """Why tokens are not shared although they should be; "" otherwise."""
        credentials = self._credentials()
        return self._cache(credentials).problem(credentials)

    def _cache(self, credentials: Credentials) -> TokenCache:
        return self._shared if credentials.token_cache else self._memory

    def _invalidate(self, credentials: Credentials, token: Token) -> None:
        with self._cache(credentials).acquire(credentials) as turn:
            if turn.token is not None and turn.token.access_token == token.access_token:
                turn.store(None)

    def _valid_token(self, credentials: Credentials, stale: Token | None = None) -> Token | None:
        held, owner = self._cached
        token = self._cache(credentials).get(credentials, held if owner == cache_key(credentials) else None)
        if token is None or token.expires_in < EXPIRY_MARGIN_SECONDS:
            return None
        return None if stale is not None and token.access_token == stale.access_token else token

    def _error_of_concurrent_refresh(self, credentials: Credentials) -> ZohoError | None:
        """What a flight that ended while this thread waited failed with; a copy, which no other thread raises."""
        failure, owner = self._last_error
        return copy.copy(failure) if owner == cache_key(credentials) else None

    def _refresh_locked(self, credentials: Credentials, stale: Token | None) -> Token:
        before, owner, failure = self._cached, cache_key(credentials), None
        try:
            token = self._refresh_under_lease(credentials, stale)
        except ZohoError as error:
            failure = copy.copy(error)
        failure = copy.copy(self._explain(failure, credentials)) if failure is not None else None
        self._last_error, self._refresh_count = (failure, owner), self._refresh_count + 1
        if failure is not None:
            raise copy.copy(failure)
        if self._cached is before:  # else an exchange went by, whose token is the newer one
            self._cached = token, owner
        return token

    def _refresh_under_lease(self, credentials: Credentials, stale: Token | None) -> Token:
        by_refresh_token = credentials.refresh_token is not None or not credentials.soid
        credentials.require("client_id", "client_secret", *(("refresh_token",) if by_refresh_token else ()))
        with self._cache(credentials).acquire(credentials) as turn:
            if (token := self._valid_token(credentials, stale)) is not None:  # issued elsewhere while we waited
                return token
            token = self._request_with_rate_limit(credentials, turn, by_refresh_token)
            turn.store(token)
            return token

    def _request_with_rate_limit(self, credentials: Credentials, turn: RefreshLease, by_refresh_token: bool) -> Token:
        turn.acquire(self._clock())
        try:
            token = self._request_token(credentials, by_refresh_token)
            turn.confirm(self._clock())
            return token
        except ThrottledError:
            turn.block(self._clock())
            raise
        except (AuthError, TransportError) as error:
            # Only what Zoho may have issued counts: ten failures without a network must not lock anyone out.
            if isinstance(error, AuthError) or not error.may_have_been_sent:
                turn.release()
            else:
                turn.confirm(self._clock())
            raise

    def _request_token(self, credentials: Credentials, by_refresh_token: bool) -> Token:
        common: dict[str, Any] = {
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "post": self._post,
            "clock": self._clock,
            "error_context": credentials.error_context,
        }
        if by_refresh_token:
            return oauth.refresh(credentials.accounts, refresh_token=credentials.refresh_token or Secret(""), **common)
        return oauth.client_credentials(
            credentials.accounts, scopes=credentials.scopes, soid=credentials.soid, **common
        )
