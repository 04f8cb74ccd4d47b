"""How many calls may run at once: as many as the edition allows, fewer after Zoho throttles, then slowly more again.

Limits: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..error_catalog import error_for
from ..errors import ThrottledError
from ..fork_safety import renew_after_fork
from .backoff import ExponentialBackoff, current_wait_budget

__all__ = ["CONCURRENCY", "ConcurrencyLimiter"]

CONCURRENCY = {
    "free": 5,
    "standard": 10,
    "starter": 10,
    "professional": 15,
    "enterprise": 20,
    "zohoone": 20,
    "ultimate": 25,
    "crmplus": 25,
}
"""Calls at once for an org and app, by paid edition."""

SUB_CONCURRENCY = 10
"""COQL, sorted lists and larger writes at once, in every edition."""

_UNKNOWN_EDITION = 5
THROTTLED = "Zoho answered 429, too many requests."


class ConcurrencyLimiter:
    """Lets a bounded number of calls through; the bound halves at a 429 and recovers one call at a time.

    Example::

        with limiter.slot():
            response = send()
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._max = _UNKNOWN_EDITION
        self._limit = float(_UNKNOWN_EDITION)
        self._running = 0
        self._backoff = ExponentialBackoff()
        self._blocked_until = 0.0
        renew_after_fork(self, _changed=threading.Condition, _running=int)

    @property
    def max_concurrency(self) -> int:
        """How many calls are worth starting side by side."""
        return min(self._max, SUB_CONCURRENCY)

    def set_edition(self, edition: str) -> None:
        """Take the bound of an edition, as `/org` names it (`paid_type`)."""
        with self._changed:
            name = edition.lower().replace(" ", "")
            most = next((n for key, n in CONCURRENCY.items() if name.startswith(key)), self._max)
            if most != self._max:  # else what was learned from the last 429 stays
                self._max, self._limit = most, float(min(most, SUB_CONCURRENCY))
                self._changed.notify_all()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free place, hold it.

        Raises:
            ThrottledError: Zoho's pause is longer than `max_wait` still allows.
        """
        self._enter()
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def seconds_blocked(self) -> float:
        """Seconds until calls may be sent again; 0 for now."""
        return max(0.0, self._blocked_until - time.monotonic())

    def on_success(self) -> None:
        """A call got through."""
        with self._changed:
            self._backoff = ExponentialBackoff()
            self._limit = min(self._max, self._limit + 1 / self._limit)
            self._changed.notify_all()

    def on_throttled(self, retry_after: float | None) -> None:
        """Zoho answered 429: fewer calls at once, and none before the pause it asked for (or a growing one)."""
        with self._changed:
            if retry_after is None and time.monotonic() < self._blocked_until:
                return  # one of several calls that met the same 429
            self._limit = max(1.0, self._limit / 2)
            pause = max(self._backoff.next_pause(), retry_after or 0.0)
            self._blocked_until = max(self._blocked_until, time.monotonic() + pause)

    def _enter(self) -> None:
        while not self._take_place():
            pause = self.seconds_blocked()
            if not current_wait_budget().wait(pause, THROTTLED):
                raise _too_long(pause)

    def _take_place(self) -> bool:
        """Take a place as soon as one is free; False if no call may be sent for a while."""
        with self._changed:
            while not self.seconds_blocked() and self._running >= max(1, int(self._limit)):
                self._changed.wait()
            if self.seconds_blocked():
                return False
            self._running += 1
            return True


def _too_long(pause: float) -> ThrottledError:
    error = error_for("TOO_MANY_REQUESTS", wait=f"{pause:.0f} s")
    assert isinstance(error, ThrottledError)
    error.retry_after = pause
    return error
