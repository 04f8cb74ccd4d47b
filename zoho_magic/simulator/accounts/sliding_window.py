"""How often something happened within a rolling window."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable

from ..clock import Clock
from ..options import Options

__all__ = ["SlidingWindow"]


class SlidingWindow:
    """Counts events by key over a rolling window (whether Zoho's rolls or is fixed is not documented)."""

    def __init__(self, clock: Clock, options: Options) -> None:
        self._clock = clock
        self._options = options
        self._seen: defaultdict[Hashable, deque[float]] = defaultdict(deque)

    def is_full(self, key: Hashable, limit: int) -> bool:
        """True when `limit` events of this key lie within the window."""
        seen = self._seen[key]
        while seen and seen[0] <= self._clock.time() - self._options.window:
            seen.popleft()
        return len(seen) >= limit

    def record(self, key: Hashable) -> None:
        """Count one event now."""
        self._seen[key].append(self._clock.time())
