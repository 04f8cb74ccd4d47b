"""Answers kept ready: the same question about unchanged records is answered with the same bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

from .store import Store

__all__ = ["ResponseCache"]

MAX_ENTRIES = 160
Body = TypeVar("Body")


class ResponseCache:
    """Response bodies by request, until the next write to the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bodies: OrderedDict[Hashable, object] = OrderedDict()
        self._version = store.version
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Body]) -> Body:
        """What `make` returns for this key, made once."""
        version = self._store.version
        with self._lock:
            if version != self._version:
                self._bodies.clear()
                self._version = version
            if key in self._bodies:
                self._bodies.move_to_end(key)
                return self._bodies[key]  # type: ignore[return-value]
        made = make()
        with self._lock:
            if version == self._version == self._store.version:
                self._bodies[key] = made
                while len(self._bodies) > MAX_ENTRIES:
                    self._bodies.popitem(last=False)
        return made
