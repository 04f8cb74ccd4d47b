"""How long to wait before the next try: growing pauses, a job that is polled, and a limit on all waiting together."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from ..errors import ApiError, ThrottledError, TransportError, ZohoError
from ..fork_safety import renew_after_fork

__all__ = [
    "ExponentialBackoff",
    "WaitBudget",
    "current_wait_budget",
    "poll_job",
    "seconds_of",
    "set_max_wait",
    "wait_budget",
]

MAX_WAIT_SECONDS = 60.0
"""How long a call, a pull or a push waits for Zoho unless `max_wait` says otherwise."""

INITIAL_SECONDS, MAX_SECONDS, FACTOR = 0.5, 8.0, 2.0
ANNOUNCE_SECONDS = 2.0
"""Waiting that is longer than this is announced."""
POLL_INITIAL_SECONDS, POLL_MAX_SECONDS, POLL_FACTOR = 0.25, 10.0, 1.4
JOB_SECONDS = 3600.0

T = TypeVar("T")
_log = logging.getLogger("zoho_magic")


def set_max_wait(seconds: float) -> None:
    """Set how long everything in this process waits for Zoho, where no session and no call says otherwise."""
    global MAX_WAIT_SECONDS
    MAX_WAIT_SECONDS = seconds


class ExponentialBackoff:
    """Seconds to pause before each further try: growing, and random, so that many callers do not return at once.

    Args:
        initial: seconds of the first pause; None for 0.5.
        maximum: seconds that no pause is longer than; None for 8.
        factor: how much longer each pause is than the one before.
        jitter: whether a pause is a random part of what has grown, at least half of it.

    Example::

        backoff = ExponentialBackoff()
        while not done():
            time.sleep(backoff.next_pause())
    """

    def __init__(
        self,
        initial: float | None = None,
        maximum: float | None = None,
        factor: float = FACTOR,
        *,
        jitter: bool = True,
    ) -> None:
        self._pause = INITIAL_SECONDS if initial is None else initial
        self._least = 0.5 if jitter else 1.0
        self._maximum = MAX_SECONDS if maximum is None else maximum
        self._factor = factor

    def next_pause(self) -> float:
        """Seconds of the next pause."""
        pause = min(self._pause, self._maximum)
        self._pause = min(self._pause * self._factor, self._maximum)
        return pause * random.uniform(self._least, 1.0)  # noqa: S311  # jitter


class WaitBudget:
    """The seconds that may be spent waiting for Zoho, by all threads of one call, pull or push together.

    Waiting means pauses: after a 429, after a 5xx, while Zoho is not reached. Time in which several threads wait counts
    once.

    Args:
        seconds: how many.
        announce: is told of waiting that is longer than two seconds, in one line; by default the log `zoho_magic`.
    """

    def __init__(self, seconds: float, announce: Callable[[str], None] | None = None) -> None:
        self.seconds = seconds
        self.announce = announce or _log.warning
        self._spent, self._waiting, self._since = 0.0, 0, 0.0
        self._announced = ANNOUNCE_SECONDS / 2
        self._lock, self._closed = threading.Lock(), threading.Event()
        renew_after_fork(self, _lock=threading.Lock, _closed=threading.Event, _waiting=int)

    @property
    def left(self) -> float:
        """Seconds that may still be waited."""
        with self._lock:
            return self._left()

    def wait(self, seconds: float, reason: str) -> bool:
        """Sleep, and return True; False at once where the budget does not allow so long, and where it is closed."""
        with self._lock:
            if seconds > self._left() or self._closed.is_set():
                return False
            self._waiting += 1
            self._since = self._since if self._waiting > 1 else time.monotonic()
        try:
            self._tell(seconds, reason)
            return not _sleep(seconds, self._closed)
        finally:
            self._end_of_wait()

    def close(self) -> None:
        """End all waiting: threads that a failed pull left behind send nothing any more."""
        self._closed.set()

    def charge(self, seconds: float) -> None:
        """Count time that was waited elsewhere: for an answer that did not come."""
        with self._lock:
            self._spent += seconds

    def _left(self) -> float:
        running = time.monotonic() - self._since if self._waiting else 0.0
        return self.seconds - self._spent - running

    def _end_of_wait(self) -> None:
        with self._lock:
            self._waiting -= 1
            if not self._waiting:
                self._spent += time.monotonic() - self._since

    def _tell(self, seconds: float, reason: str) -> None:
        with self._lock:
            used = self.seconds - self._left()
            due = used + seconds > 2 * self._announced  # after 2, 4, 8 ... seconds
            self._announced = used + seconds if due else self._announced
        if due:
            more = f"Waiting {max(1, round(seconds))} s before the next try"
            self.announce(f"{reason} {more}; max_wait={self.seconds:g} allows {max(0.0, self.seconds - used):.0f} s.")


def _sleep(seconds: float, closed: threading.Event) -> bool:
    """Sleep in slices, because Windows does not hear Ctrl-C while an event is waited for; whether it was closed."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if closed.wait(min(left, 1.0)):
            return True
    return closed.is_set()


_current: ContextVar[WaitBudget | None] = ContextVar("zoho_magic_wait_budget", default=None)


def current_wait_budget() -> WaitBudget:
    """The budget of the call under way; a fresh one of 60 s where nothing set one."""
    return _current.get() or WaitBudget(MAX_WAIT_SECONDS)


@contextmanager
def wait_budget(
    seconds: float | None, announce: Callable[[str], None] | None = None, *, own: bool = False
) -> Iterator[WaitBudget]:
    """Let every call inside, in threads of `map_parallel` too, share one budget; an outer one goes first.

    Args:
        seconds: how long to wait for Zoho; None for 60.
        announce: see `WaitBudget`.
        own: whether an outer budget is left alone.
    """
    if (outer := _current.get()) is not None and not own:
        yield outer
        return
    budget = WaitBudget(MAX_WAIT_SECONDS if seconds is None else seconds, announce)
    token = _current.set(budget)
    try:
        yield budget
    finally:
        _current.reset(token)
        budget.close()


def poll_job(
    ask: Callable[[], T | None],
    name: str,
    *,
    sleep: Callable[[float], object] | None = None,
    timeout: float | None = None,
) -> T:
    """What a job of Zoho's ends with: asks until there is an answer, less and less often.

    Trouble that passes (5xx, throttling, a lost connection) does not end it, as long as the wait budget lasts: the job
    goes on at Zoho.

    Args:
        ask: returns None while the job runs.
        name: what is waited for, as in `bulk read job 4150868000003194003`; for the error.
        sleep: waits so many seconds, and may return early; None for `time.sleep`.
        timeout: seconds; None for an hour.

    Raises:
        TransportError: the job did not end in time.
        ZohoError: what `ask` raises, where trying again does not help or the wait budget is used up.

    Example::

        job = poll_job(lambda: finished(ask_for_status()), "bulk read job 7")
    """
    until, budget = time.monotonic() + (JOB_SECONDS if timeout is None else timeout), current_wait_budget()
    backoff = ExponentialBackoff(POLL_INITIAL_SECONDS, POLL_MAX_SECONDS, POLL_FACTOR, jitter=False)
    while time.monotonic() < until:
        try:
            if (answer := ask()) is not None:
                return answer
        except ZohoError as error:
            if not is_transient(error) or not budget.wait(backoff.next_pause(), str(error.args[0])):
                raise
        else:
            (sleep or time.sleep)(backoff.next_pause())
    raise TransportError(f"The {name} did not end in time.", hint="Run it again, or use another `via`.")


def is_transient(error: ZohoError) -> bool:
    """Whether asking the same again may help: throttling, an error of the server, a connection that was lost."""
    if isinstance(error, ApiError):
        return error.status >= 500
    if isinstance(error, TransportError):  # without a code: Zoho answered, and its answer makes no sense
        return error.code not in ("", "HTTP 200")
    return isinstance(error, ThrottledError)


def seconds_of(retry_after: str) -> float | None:
    """The seconds in a header `Retry-After`; None for a date, and for what is no number of them."""
    text = retry_after.strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
