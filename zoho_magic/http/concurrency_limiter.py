"""How many calls may run at once: as many as the edition allows, fewer after Zoho throttles, then slowly more again.

Limits: https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, TypeVar

from ..fork_safety import renew_after_fork

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

MAX_ATTEMPTS = 8
_TOO_MANY = 429
_UNKNOWN_EDITION = 5
INITIAL_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS, MAX_RETRY_AFTER_SECONDS = 0.5, 8.0, 120.0


class _Response(Protocol):
    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


ResponseT = TypeVar("ResponseT", bound=_Response)


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
        self._throttled_in_a_row = 0
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
        """Wait for a free place, hold it."""
        with self._changed:
            while (wait := self._seconds_to_wait()) != 0:
                self._changed.wait(wait)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def call_with_retry(self, call: Callable[[], ResponseT]) -> ResponseT:
        """Make a call through the limiter, again after a 429: a throttled call was not carried out, whatever its kind.

        Gives up after `MAX_ATTEMPTS`, or when Zoho asks for a longer pause than `MAX_RETRY_AFTER_SECONDS`, with the
        last answer; the caller says what it means.
        """
        for attempt in range(1, MAX_ATTEMPTS + 1):
            with self.slot():
                answer = call()
            if answer.status_code != _TOO_MANY:
                self.on_success()
                break
            wait = _seconds(answer.headers.get("Retry-After", ""))
            if attempt == MAX_ATTEMPTS or (wait or 0) > MAX_RETRY_AFTER_SECONDS:
                break
            self.on_throttled(wait)
        return answer

    def on_success(self) -> None:
        """A call got through."""
        with self._changed:
            self._throttled_in_a_row = 0
            self._limit = min(self._max, self._limit + 1 / self._limit)
            self._changed.notify_all()

    def on_throttled(self, retry_after: float | None) -> None:
        """Zoho answered 429: fewer calls at once, and none before the pause it asked for (or a growing one)."""
        with self._changed:
            if retry_after is None and time.monotonic() < self._blocked_until:
                return  # one of several calls that met the same 429
            self._throttled_in_a_row += 1
            self._limit = max(1.0, self._limit / 2)
            pause = min(MAX_BACKOFF_SECONDS, INITIAL_BACKOFF_SECONDS * 2 ** min(self._throttled_in_a_row - 1, 8))
            pause = pause * random.uniform(0.5, 1.0) if retry_after is None else retry_after  # noqa: S311  # jitter
            self._blocked_until = max(self._blocked_until, time.monotonic() + pause)

    def _seconds_to_wait(self) -> float | None:
        """Seconds until the pause is over, None until a place is free, 0 for now."""
        pause = self._blocked_until - time.monotonic()
        if pause > 0:
            return pause
        return 0 if self._running < max(1, int(self._limit)) else None


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isdigit() else None
