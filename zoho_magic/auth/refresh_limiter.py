"""Our own count of minted access tokens, so that Zoho's limit is never tripped.

Zoho mints at most 10 access tokens per refresh token in 10 minutes and blocks the rest of that window
(https://www.zoho.com/crm/developer/docs/api/v8/token-validity.html). Whether its window rolls is not documented; a
rolling count is safe either way.
"""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Iterable

from ..errors import ThrottledError
from ..secret import Secret

__all__ = ["MintCount", "count_of"]

MINTS, WINDOW_SECONDS, PAUSE_SECONDS = 10, 600.0, 60.0


class MintCount:
    """Counts mints and refuses the eleventh within ten minutes, with the seconds to wait.

    Times are seconds since the epoch, by the clock of whoever mints.
    """

    def __init__(self) -> None:
        self._minted: deque[float] = deque()
        self._paused_until = 0.0
        self._lock = threading.Lock()

    def spend(self, now: float) -> None:
        """Count one mint that is about to happen. Raises ThrottledError, with `wait`, when there is none left."""
        with self._lock:
            while self._minted and self._minted[0] <= now - WINDOW_SECONDS:
                self._minted.popleft()
            free_at = self._minted[0] + WINDOW_SECONDS if len(self._minted) >= MINTS else now
            wait = max(free_at, self._paused_until) - now
            if wait <= 0:
                self._minted.append(now)
        if wait > 0:
            raise _refused(wait)

    def note(self, now: float) -> None:
        """Count one mint that did happen."""
        with self._lock:
            self._minted.append(now)

    def settle(self, now: float) -> None:
        """The mint counted last has been answered: Zoho counted it at some moment until now."""
        with self._lock:
            if self._minted:
                self._minted[-1] = now

    def give_back(self) -> None:
        """The mint counted last did not happen: Zoho was not reached, or refused."""
        with self._lock:
            if self._minted:
                self._minted.pop()

    def pause(self, now: float) -> None:
        """Zoho throttled us after all (another program shares the refresh token): ask nothing for a minute."""
        with self._lock:
            self._paused_until = now + PAUSE_SECONDS

    @property
    def state(self) -> tuple[tuple[float, ...], float]:
        """When the mints were, and until when nothing is asked: what another process needs to `learn`."""
        with self._lock:
            return tuple(self._minted), self._paused_until

    def learn(self, minted: Iterable[float], paused_until: float, now: float) -> None:
        """Count what other processes minted as well; what both know of is counted once."""
        with self._lock:
            # A moment this far ahead comes from a clock that was wrong, and would lock everyone out until then.
            known = Counter(self._minted) | Counter(then for then in minted if then < now + WINDOW_SECONDS)
            self._minted = deque(sorted(known.elements()))
            if paused_until < now + WINDOW_SECONDS:
                self._paused_until = max(self._paused_until, paused_until)


_counts: list[tuple[str, Secret, MintCount]] = []
_counts_lock = threading.Lock()


def count_of(accounts: str, key: Secret) -> MintCount:
    """The one count of a refresh token in this process, however many sessions use it.

    Args:
        accounts: origin of the accounts server.
        key: the refresh token, or what stands for it where there is none.
    """
    with _counts_lock:
        for where, known, count in _counts:
            if where == accounts and known == key:
                return count
        _counts.append((accounts, key, MintCount()))
        return _counts[-1][2]


def _refused(wait: float) -> ThrottledError:
    seconds = math.ceil(wait)
    error = ThrottledError(
        f"No new token for another {seconds} s: Zoho mints 10 in 10 minutes, then blocks the refresh token.",
        hint=f"Wait {seconds} s and run it again; several kernels on one refresh token share that limit.",
        code="Access Denied",
        doing="refresh",
    )
    error.wait = wait
    return error
