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

__all__ = ["CONCURRENCY", "Gate"]

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

TRIES = 8
_TOO_MANY = 429
_UNKNOWN_EDITION = 5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, LONGEST_RETRY_AFTER_SECONDS = 0.5, 8.0, 120.0


class _Answered(Protocol):
    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


Answer = TypeVar("Answer", bound=_Answered)


class Gate:
    """Lets a bounded number of calls through; the bound halves at a 429 and recovers one call at a time.

    Example::

        with gate.slot():
            response = send()
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._most = _UNKNOWN_EDITION
        self._limit = float(_UNKNOWN_EDITION)
        self._running = 0
        self._throttled_in_a_row = 0
        self._closed_until = 0.0

    @property
    def width(self) -> int:
        """How many calls are worth starting side by side."""
        return min(self._most, SUB_CONCURRENCY)

    def widen(self, edition: str) -> None:
        """Take the bound of an edition, as `/org` names it (`paid_type`)."""
        with self._changed:
            name = edition.lower().replace(" ", "")
            most = next((n for key, n in CONCURRENCY.items() if name.startswith(key)), self._most)
            if most != self._most:  # else what was learned from the last 429 stays
                self._most, self._limit = most, float(min(most, SUB_CONCURRENCY))
                self._changed.notify_all()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free place, hold it."""
        with self._changed:
            while (wait := self._to_wait()) != 0:
                self._changed.wait(wait)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def patiently(self, call: Callable[[], Answer]) -> Answer:
        """Make a call through the gate, again after a 429: a throttled call was not carried out, whatever its kind.

        Gives up after `TRIES`, or when Zoho asks for a pause that nobody sits through, with the last answer; the caller
        says what it means.
        """
        for attempt in range(1, TRIES + 1):
            with self.slot():
                answer = call()
            if answer.status_code != _TOO_MANY:
                self.passed()
                break
            wait = _seconds(answer.headers.get("Retry-After", ""))
            if attempt == TRIES or (wait or 0) > LONGEST_RETRY_AFTER_SECONDS:
                break
            self.throttled(wait)
        return answer

    def passed(self) -> None:
        """A call got through."""
        with self._changed:
            self._throttled_in_a_row = 0
            self._limit = min(self._most, self._limit + 1 / self._limit)
            self._changed.notify_all()

    def throttled(self, retry_after: float | None) -> None:
        """Zoho answered 429: fewer calls at once, and none before the pause it asked for (or a growing one)."""
        with self._changed:
            if retry_after is None and time.monotonic() < self._closed_until:
                return  # one of several calls that met the same 429
            self._throttled_in_a_row += 1
            self._limit = max(1.0, self._limit / 2)
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._throttled_in_a_row - 1, 8))
            pause = pause * random.uniform(0.5, 1.0) if retry_after is None else retry_after  # noqa: S311  # jitter
            self._closed_until = max(self._closed_until, time.monotonic() + pause)

    def _to_wait(self) -> float | None:
        """Seconds until the pause is over, None until a place is free, 0 for now."""
        pause = self._closed_until - time.monotonic()
        if pause > 0:
            return pause
        return 0 if self._running < max(1, int(self._limit)) else None


def _seconds(retry_after: str) -> float | None:
    return float(retry_after) if retry_after.isdigit() else None
