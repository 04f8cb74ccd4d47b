"""What a call costs and whether it may run now: API credits over a day, and calls at the same time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from flask import Response

from ..api_refusal import ApiRefusal
from ..clock import Clock
from ..options import Options
from .answers import problem

__all__ = ["CONCURRENCY", "Limits"]

DAY = 86_400.0
CONCURRENCY = {"free": 5, "standard": 10, "starter": 10, "professional": 15, "enterprise": 20, "zohoone": 20,
               "ultimate": 25, "crmplus": 25}  # fmt: skip
BASE = 50_000
PER_USER = {"standard": (250, 100_000), "starter": (250, 100_000), "professional": (500, 3_000_000),
            "enterprise": (1000, 5_000_000), "zohoone": (1000, 5_000_000), "ultimate": (2000, None),
            "crmplus": (2000, None)}  # fmt: skip
BUSY = "too many requests. please try again after some time"  # the body is unverified; the status is not


class Limits:
    """The org's ledger of credits and its count of calls being worked on, per client."""

    def __init__(self, clock: Clock, options: Options, users: int) -> None:
        self._clock, self._options, self._users = clock, options, users
        self._spent: deque[tuple[float, int]] = deque()
        self._total = 0
        self._working: dict[tuple[str, bool], int] = {}
        self._lock = threading.Lock()

    @property
    def allowance(self) -> int:
        """Credits a rolling day, by edition and licences."""
        if self._options.credit_limit is not None:
            return self._options.credit_limit
        each, most = PER_USER.get(self._options.edition, (0, 5_000))
        total = BASE + each * self._users if each else 5_000
        return min(total, most) if most else total

    @property
    def remaining(self) -> int:
        """Credits left in the last 24 hours."""
        with self._lock:
            self._drop_expired()
            return max(0, self.allowance - self._total)

    def charge(self, credits: int) -> None:
        """Book the credits, or refuse with 429 when they are not there."""
        with self._lock:
            self._drop_expired()
            if self._total + credits > self.allowance:
                raise self._too_many_requests()
            self._spent.append((self._clock.time(), credits))
            self._total += credits

    def acquire_slot(self, client: str, sub: bool) -> Callable[[], None]:
        """Take a place among the calls running now; what comes back gives it up again."""
        keys = [(client, False)] + ([(client, True)] if sub else [])
        with self._lock:
            for key in keys:
                limit = self._limit(key[1])
                if limit is not None and self._working.get(key, 0) >= limit:
                    raise self._too_many_requests()
            for key in keys:
                self._working[key] = self._working.get(key, 0) + 1
        return lambda: self._release(keys)

    def add_headers(self, response: Response) -> Response:
        """Add the header Zoho sends once more than half the credits are gone."""
        if self.remaining * 2 < self.allowance:
            response.headers["X-API-CREDITS-REMAINING"] = str(self.remaining)
        if response.status_code == 429 and self._options.retry_after is not None:
            response.headers["Retry-After"] = str(self._options.retry_after)
        return response

    def _limit(self, sub: bool) -> int | None:
        if sub:
            return self._options.sub_concurrency
        return self._options.concurrency or CONCURRENCY.get(self._options.edition, 5)

    def _release(self, keys: list[tuple[str, bool]]) -> None:
        with self._lock:
            for key in keys:
                self._working[key] -= 1

    def _drop_expired(self) -> None:
        while self._spent and self._spent[0][0] <= self._clock.time() - DAY:
            self._total -= self._spent.popleft()[1]

    @staticmethod
    def _too_many_requests() -> ApiRefusal:
        return ApiRefusal(429, problem("TOO_MANY_REQUESTS", BUSY))
