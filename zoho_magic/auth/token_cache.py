"""Where access tokens are kept beside the source that requested them: nowhere else, or shared with other processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from ..config.credentials import Credentials
from ..secret import Secret
from .oauth import Token
from .refresh_limiter import RefreshRateLimiter, limiter_for

__all__ = ["InMemoryTokenCache", "RefreshLease", "TokenCache", "refresh_limiter_for"]


class RefreshLease:
    """The right to request a token: no other process that shares the cache does while it lasts.

    Args:
        mine: this process's count; its methods are here too, see `RefreshRateLimiter`.
        write: puts the token and the count where others read them; called before anybody relies on a change.
        token: the one that is there now.
    """

    def __init__(
        self,
        mine: RefreshRateLimiter,
        write: Callable[[Token | None], None] = lambda _: None,
        token: Token | None = None,
    ) -> None:
        self._limiter = mine
        self._write = write
        self.token = token

    def acquire(self, now: float) -> None:
        self._limiter.acquire(now)
        self._write(self.token)

    def confirm(self, now: float) -> None:
        self._limiter.confirm(now)
        self._write(self.token)

    def record(self, now: float) -> None:
        self._limiter.record(now)
        self._write(self.token)

    def release(self) -> None:
        self._limiter.release()
        self._write(self.token)

    def block(self, now: float) -> None:
        self._limiter.block(now)
        self._write(self.token)

    def store(self, token: Token | None) -> None:
        """From now on this is everybody's token."""
        self.token = token
        self._write(token)


class TokenCache(Protocol):
    """Keeps the access token of some credentials. None of it raises: a cache that cannot be used is as if not there."""

    def get(self, credentials: Credentials, held: Token | None) -> Token | None:
        """The token to use; `held` is the one this process has for these credentials."""

    def acquire(self, credentials: Credentials) -> AbstractContextManager[RefreshLease]:
        """Wait for the right to request a token for these credentials, hold it."""

    def problem(self, credentials: Credentials) -> str:
        """Why the cache is not used for these credentials; "" when it is."""


class InMemoryTokenCache:
    """No shared cache: the source's own token is all there is."""

    def get(self, credentials: Credentials, held: Token | None) -> Token | None:  # noqa: ARG002
        """The one this process has."""
        return held

    @contextmanager
    def acquire(self, credentials: Credentials) -> Iterator[RefreshLease]:
        """This process's count; the source's own lock keeps its threads apart."""
        yield RefreshLease(refresh_limiter_for(credentials))

    def problem(self, credentials: Credentials) -> str:  # noqa: ARG002
        """None, ever."""
        return ""


def refresh_limiter_for(credentials: Credentials) -> RefreshRateLimiter:
    """This process's count of token requests for these credentials."""
    # Without a refresh token (client credentials) Zoho names no limit; the client's own is the careful reading.
    return limiter_for(credentials.accounts, credentials.refresh_token or Secret(credentials.client_id))
