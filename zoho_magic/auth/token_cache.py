"""Where access tokens are kept beside the source that minted them: nowhere else, or shared with other processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from ..config.credentials import Credentials
from ..secret import Secret
from .oauth import Token
from .refresh_limiter import MintCount, count_of

__all__ = ["Memory", "Shelf", "Turn", "count"]


class Turn:
    """The right to mint: nobody else on the shelf does while it lasts.

    Args:
        mine: this process's count; its methods are here too, see `MintCount`.
        write: puts the token and the count where others read them; called before anybody relies on a change.
        token: the one that is there now.
    """

    def __init__(
        self, mine: MintCount, write: Callable[[Token | None], None] = lambda _: None, token: Token | None = None
    ) -> None:
        self._mine = mine
        self._write = write
        self.token = token

    def spend(self, now: float) -> None:
        self._mine.spend(now)
        self._write(self.token)

    def settle(self, now: float) -> None:
        self._mine.settle(now)
        self._write(self.token)

    def note(self, now: float) -> None:
        self._mine.note(now)
        self._write(self.token)

    def give_back(self) -> None:
        self._mine.give_back()
        self._write(self.token)

    def pause(self, now: float) -> None:
        self._mine.pause(now)
        self._write(self.token)

    def keep(self, token: Token | None) -> None:
        """From now on this is everybody's token."""
        self.token = token
        self._write(token)


class Shelf(Protocol):
    """Keeps the access token of some credentials. None of it raises: a shelf that cannot be used is as if not there."""

    def look(self, credentials: Credentials, held: Token | None) -> Token | None:
        """The token to use; `held` is the one this process has for these credentials."""

    def turn(self, credentials: Credentials) -> AbstractContextManager[Turn]:
        """Wait for the right to mint for these credentials, hold it."""

    def problem(self, credentials: Credentials) -> str:
        """Why the shelf is not used for these credentials; "" when it is."""


class Memory:
    """No shelf: the source's own token is all there is."""

    def look(self, credentials: Credentials, held: Token | None) -> Token | None:  # noqa: ARG002
        """The one this process has."""
        return held

    @contextmanager
    def turn(self, credentials: Credentials) -> Iterator[Turn]:
        """This process's count; the source's own lock keeps its threads apart."""
        yield Turn(count(credentials))

    def problem(self, credentials: Credentials) -> str:  # noqa: ARG002
        """None, ever."""
        return ""


def count(credentials: Credentials) -> MintCount:
    """This process's count of mints for these credentials."""
    # Without a refresh token (client credentials) Zoho names no limit; the client's own is the careful reading.
    return count_of(credentials.accounts, credentials.refresh_token or Secret(credentials.client_id))
