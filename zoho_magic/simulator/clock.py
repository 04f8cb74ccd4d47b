"""The simulator's time: real time that can be moved forward."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone

__all__ = ["Clock"]


class Clock:
    """Tells the simulator what time it is; `advance` makes an hour pass at once.

    `start` sets the moment it begins at (real time when left out); either way it ticks at the usual speed.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._offset = 0.0 if start is None else start.timestamp() - time.time()
        self._lock = threading.Lock()

    def time(self) -> float:
        """Seconds since the epoch, as `time.time` would say on the simulator's clock."""
        return time.time() + self._offset

    def now(self) -> datetime:
        """The same moment as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.time(), timezone.utc)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass for everything the simulator times: tokens, codes, limits, jobs."""
        with self._lock:
            self._offset += seconds
