"""Our own count of minted access tokens, so that Zoho's limit is never tripped.

Zoho mints at most 10 access tokens per refresh token in 10 minutes and blocks the rest of that window
(https://www.zoho.com/crm/developer/docs/api/v8/token-validity.html). Whether its window rolls is not documented; a
rolling count is safe either way.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from .errors import ThrottledError

__all__ = ["MintCount"]

MINTS, WINDOW_SECONDS, PAUSE_SECONDS = 10, 600.0, 60.0


class MintCount:
    """Counts mints and refuses the eleventh within ten minutes, with the seconds to wait.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._minted: deque[float] = deque()
        self._paused_until = 0.0
        self._lock = threading.Lock()

    def spend(self) -> None:
        """Count one mint that is about to happen. Raises ThrottledError, with `wait`, when there is none left."""
        with self._lock:
            now = self._clock()
            while self._minted and self._minted[0] <= now - WINDOW_SECONDS:
                self._minted.popleft()
            free_at = self._minted[0] + WINDOW_SECONDS if len(self._minted) >= MINTS else now
            wait = max(free_at, self._paused_until) - now
            if wait <= 0:
                self._minted.append(now)
        if wait > 0:
            raise _refused(wait)

    def pause(self) -> None:
        """Zoho throttled us after all (another program shares the refresh token): ask nothing for a minute."""
        with self._lock:
            self._paused_until = self._clock() + PAUSE_SECONDS

    def restart(self) -> None:
        """Another refresh token has a count of its own; this one begins with the token that came with it."""
        with self._lock:
            self._minted = deque([self._clock()])
            self._paused_until = 0.0


def _refused(wait: float) -> ThrottledError:
    error = ThrottledError(
        f"No new token for another {round(wait) or 1} s: Zoho mints 10 in 10 minutes, then blocks the refresh token.",
        hint=f"Wait {round(wait) or 1} s and run it again; several kernels on one refresh token share that limit.",
        code="Access Denied",
        doing="refresh",
    )
    error.wait = wait
    return error
