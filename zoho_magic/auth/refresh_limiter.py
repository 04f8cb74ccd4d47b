"""Our own count of issued access tokens, so that Zoho's limit is never tripped.

Zoho issues at most 10 access tokens per refresh token in 10 minutes and blocks the rest of that window
(https://www.zoho.com/crm/developer/docs/api/v8/token-validity.html). Whether its window rolls is not documented; a
rolling count is safe either way.
"""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Iterable

from ..errors import ThrottledError
from ..fork_safety import renew_after_fork
from ..secret import Secret

__all__ = ["RefreshRateLimiter", "limiter_for"]

MAX_TOKENS_PER_WINDOW, WINDOW_SECONDS, BLOCK_SECONDS = 10, 600.0, 60.0


class RefreshRateLimiter:
    """Counts token requests and refuses the eleventh within ten minutes, with the seconds to wait.

    Times are seconds since the epoch, by the clock of whoever requests.
    """

    def __init__(self) -> None:
        self._timestamps: deque[float] = deque()
        self._paused_until = 0.0
        self._lock = threading.Lock()
        renew_after_fork(self, _lock=threading.Lock)

    def acquire(self, now: float) -> None:
        """Count one request that is about to happen. Raises ThrottledError, with `wait`, when there is none left."""
        with self._lock:
            self._forget_other_times(now)
            free_at = self._timestamps[0] + WINDOW_SECONDS if len(self._timestamps) >= MAX_TOKENS_PER_WINDOW else now
            wait = max(free_at, self._paused_until) - now
            if wait <= 0:
                self._timestamps.append(now)
        if wait > 0:
            raise _throttled(wait)

    def _forget_other_times(self, now: float) -> None:
        # Moments ahead come from a clock that was set back since, and would lock everyone out until they pass again.
        self._timestamps = deque(then for then in self._timestamps if now - WINDOW_SECONDS < then <= now + 1.0)
        if self._paused_until > now + BLOCK_SECONDS:
            self._paused_until = 0.0

    def record(self, now: float) -> None:
        """Count one request that did happen."""
        with self._lock:
            self._timestamps.append(now)

    def confirm(self, now: float) -> None:
        """The request counted last has been answered: Zoho counted it at some moment until now."""
        with self._lock:
            if self._timestamps:
                self._timestamps[-1] = now

    def release(self) -> None:
        """The request counted last did not happen: Zoho was not reached, or refused."""
        with self._lock:
            if self._timestamps:
                self._timestamps.pop()

    def block(self, now: float) -> None:
        """Zoho throttled us after all (another program shares the refresh token): ask nothing for a minute."""
        with self._lock:
            self._paused_until = now + BLOCK_SECONDS

    @property
    def snapshot(self) -> tuple[tuple[float, ...], float]:
        """When the requests were, and until when nothing is asked: what another process needs to `merge`."""
        with self._lock:
            return tuple(self._timestamps), self._paused_until

    def merge(self, issued: Iterable[float], paused_until: float, now: float) -> None:
        """Count what other processes issued as well; what both know of is counted once."""
        with self._lock:
            # A moment this far ahead comes from a clock that was wrong, and would lock everyone out until then.
            known = Counter(self._timestamps) | Counter(then for then in issued if then < now + WINDOW_SECONDS)
            self._timestamps = deque(sorted(known.elements()))
            if paused_until < now + WINDOW_SECONDS:
                self._paused_until = max(self._paused_until, paused_until)


class _Limiters:
    """The count of every refresh token in this process."""

    def __init__(self) -> None:
        self.known: list[tuple[str, Secret, RefreshRateLimiter]] = []
        self.lock = threading.Lock()
        renew_after_fork(self, lock=threading.Lock)


_limiters = _Limiters()


def limiter_for(accounts: str, key: Secret) -> RefreshRateLimiter:
    """The one count of a refresh token in this process, however many sessions use it.

    Args:
        accounts: origin of the accounts server.
        key: the refresh token, or what stands for it where there is none.
    """
    with _limiters.lock:
        for where, known, count in _limiters.known:
            if where == accounts and known == key:
                return count
        _limiters.known.append((accounts, key, RefreshRateLimiter()))
        return _limiters.known[-1][2]


def _throttled(wait: float) -> ThrottledError:
    seconds = math.ceil(wait)
    error = ThrottledError(
        f"No new token for another {seconds} s: Zoho issues 10 in 10 minutes, then blocks the refresh token.",
        hint=f"Wait {seconds} s and run it again; several kernels on one refresh token share that limit.",
        code="Access Denied",
        operation="refresh",
    )
    error.retry_after = wait
    return error
