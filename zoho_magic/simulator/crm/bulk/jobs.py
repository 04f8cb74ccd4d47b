"""Jobs that take time: one after the other, seen in their states by whoever polls."""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...clock import Clock
from ..demo import User

__all__ = ["Job", "JobQueue"]

STATES = ((0.15, "ADDED"), (0.4, "QUEUED"), (1.0, "IN PROGRESS"))
WORK_TIMEOUT = 0.4  # seconds a status call waits for work that should be done by now


@dataclass
class Job:
    """One job: who asked for what, when it starts and ends on the clock, and what came of it."""

    id: int
    asked: dict[str, Any]
    user: User
    created: float
    starts: float
    ends: float
    fails: bool = False
    outcome: Any = None
    thread: threading.Thread | None = field(default=None, repr=False)

    def state(self, now: float) -> str:
        """ADDED, QUEUED, IN PROGRESS, COMPLETED or FAILURE."""
        for share, name in STATES:
            if now < self.starts + share * (self.ends - self.starts):
                return name if now >= self.starts else "ADDED" if now < self.created + 0.2 else "QUEUED"
        if self.thread is not None:
            self.thread.join(WORK_TIMEOUT)
            if self.thread.is_alive():
                return "IN PROGRESS"
        return "FAILURE" if self.fails else "COMPLETED"


class JobQueue:
    """The org's jobs of one kind."""

    def __init__(self, clock: Clock, first_id: int) -> None:
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._next = first_id
        self._lock = threading.Lock()

    def add(self, asked: dict[str, Any], user: User, seconds: float, work: Callable[[], Any], fails: bool) -> Job:
        """Start a job: it waits for those before it, then takes `seconds`; `work` makes its outcome meanwhile."""
        with self._lock:
            now = self._clock.time()
            starts = max([now, *(job.ends for job in self._jobs.values())])
            job = Job(self._next, asked, user, now, starts, starts + seconds, fails)
            self._next += 1001
            self._jobs[str(job.id)] = job

        def run() -> None:
            try:
                job.outcome = work()
            except (ValueError, csv.Error):  # a file that is no UTF-8, or no CSV
                job.fails = True

        if not fails:
            job.thread = threading.Thread(target=run, name=f"job {job.id}", daemon=True)
            job.thread.start()
        return job

    def get(self, job_id: str) -> Job | None:
        """The job with this id."""
        return self._jobs.get(job_id)

    def wait(self) -> None:
        """Return when no job is working any more."""
        for job in list(self._jobs.values()):
            if job.thread is not None:
                job.thread.join()
