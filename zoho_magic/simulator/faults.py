"""Faults to inject: network errors and server errors, at an endpoint of your choice."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any, Literal

from .traffic import matches

__all__ = ["Fault", "Faults"]

Header = tuple[str, str]

BODIES = {
    429: ("TOO_MANY_REQUESTS", "too many requests. please try again after some time"),
    500: ("INTERNAL_ERROR", "Internal Server Error"),
}
PAGE = "<!DOCTYPE html><html><head><title>Zoho</title></head><body><h1>Sorry, something went wrong</h1></body></html>"


@dataclass(frozen=True)
class Fault:
    """What goes wrong, where, and how often.

    Attributes:
        path: the beginning of the path, or a regular expression that matches all of it.
        method: GET, POST, ...; None for any.
        times: how many of the matching calls it happens to.
        after: how many pass unharmed first.
        status, body, html, headers: the answer, and the real handler never runs, except when only `headers` is given:
            those are added to the real answer. `body` is text, bytes or something for JSON.
        late: the real handler runs and its answer is thrown away: what was to be written is written.
        delay: seconds before anything happens.
        advance: seconds that the simulator's clock jumps first.
        reset: "before" cuts the connection instead of handling the call, "after" handles it and sends no answer.
        truncate: the body ends early, after that many bytes (True: half), and the connection is cut.

    Example::

        zoho.faults.add(Fault("/crm/v8/Leads", method="POST", status=500, times=2))
    """

    path: str = "/"
    method: str | None = None
    status: int | None = None
    times: int = 1
    after: int = 0
    delay: float = 0.0
    reset: Literal["before", "after"] | None = None
    truncate: bool | int | None = None
    html: bool = False
    body: Any = None
    headers: dict[str, str] | None = None
    advance: float = 0.0
    late: bool = False

    def replaces(self) -> bool:
        """True when the real handler must not run."""
        return self.status is not None or self.html or self.body is not None

    def answer(self) -> tuple[int, list[Header], bytes]:
        """The answer given in place of the real one."""
        status = self.status or 200
        kind = "text/html;charset=UTF-8" if self.html else "application/json;charset=UTF-8"
        return status, [("Content-Type", kind)], self._bytes(status)

    def cut(self, body: bytes) -> int | None:
        """How many bytes of this body get through, or None for all of them."""
        if self.truncate is None or self.truncate is False:
            return None
        return len(body) // 2 if self.truncate is True else min(self.truncate, len(body))

    def _bytes(self, status: int) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        if self.body is None and self.html:
            return PAGE.encode()
        return (
            self.body if isinstance(self.body, str) else json.dumps(_body(status) if self.body is None else self.body)
        ).encode()


@dataclass
class _ScheduledFault:
    fault: Fault
    skip: int = field(default=0)
    left: int = field(default=1)


class Faults:
    """The faults that were added and have not all happened yet."""

    def __init__(self) -> None:
        self._scheduled: list[_ScheduledFault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Make this fault happen to the next calls it matches. Of several faults, the one added first happens first."""
        with self._lock:
            self._scheduled.append(_ScheduledFault(fault, fault.after, fault.times))

    def clear(self) -> None:
        """Remove every fault."""
        with self._lock:
            self._scheduled.clear()

    def remaining(self) -> list[Fault]:
        """The faults that have not (all) happened yet."""
        with self._lock:
            return [entry.fault for entry in self._scheduled if entry.left > 0]

    def next_for(self, method: str, path: str) -> Fault | None:
        """The fault that happens to this call, if any."""
        with self._lock:
            due = next((entry for entry in self._matching(method, path) if _is_due(entry)), None)
            self._scheduled = [entry for entry in self._scheduled if entry.left > 0]
        return None if due is None else due.fault

    def _matching(self, method: str, path: str) -> list[_ScheduledFault]:
        return [
            entry
            for entry in self._scheduled
            if entry.fault.method in (None, method) and matches(entry.fault.path, path)
        ]


def _is_due(entry: _ScheduledFault) -> bool:
    if entry.skip > 0:
        entry.skip -= 1
        return False
    entry.left -= 1
    return True


def _body(status: int) -> dict[str, Any]:
    code, message = BODIES.get(status, BODIES[500])
    return {"code": code, "details": {}, "message": message, "status": "error"}
