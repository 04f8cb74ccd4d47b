"""The log of requests to the simulator, with every secret removed."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from .clock import Clock

__all__ = ["LoggedRequest", "RequestLog", "matches", "redact"]

TOKEN = re.compile(r"\b100[04]\.[0-9a-fA-F]{16,}(\.[0-9a-fA-F]+)?")
SECRET_PARAMETER = re.compile(r"token|secret|code|passw|auth|soid|state", re.IGNORECASE)
SHOWN_PARAMETERS = {"page_token", "code_challenge_method"}
HIDDEN = "***"


@dataclass(frozen=True)
class LoggedRequest:
    """One call as it was answered. `status` is None when the connection was cut; `query` has its secrets hidden."""

    method: str
    path: str
    status: int | None
    data_centre: str
    query: dict[str, str] = field(default_factory=dict)
    credits: int = 0
    grant_type: str | None = None


class RequestLog:
    """The calls so far, oldest first, and how many are being answered right now.

    `file` gets each of them as one line of JSON, with the same secrets hidden.
    """

    def __init__(self, clock: Clock, file: Path | None = None) -> None:
        self._clock, self._file = clock, file
        self.calls: list[LoggedRequest] = []
        self.in_flight = 0
        self.peak = 0
        self._epoch = 0
        self._of_epoch = 0
        self._lock = threading.Lock()

    def count(
        self,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        grant_type: str | None = None,
    ) -> int:
        """How many calls had this method, path (a prefix or a regular expression), status and grant type."""
        wanted = {"method": method, "status": status, "grant_type": grant_type}
        return sum(
            all(value in (None, getattr(call, name)) for name, value in wanted.items())
            and (path is None or matches(path, call.path))
            for call in list(self.calls)
        )

    def clear(self) -> None:
        """Forget the calls so far, and the peak; calls that are in flight now will be in neither.

        Their client may have stopped waiting for them long ago.
        """
        with self._lock:
            self.calls.clear()
            self._epoch += 1
            self.peak = self._of_epoch = 0

    @contextmanager
    def track(self) -> Iterator[int]:
        """Count a call as in flight while it is being answered; the value is for `record`."""
        with self._lock:
            epoch = self._epoch
            self.in_flight += 1
            self._of_epoch += 1
            self.peak = max(self.peak, self._of_epoch)
        try:
            yield epoch
        finally:
            with self._lock:
                self.in_flight -= 1
                self._of_epoch -= epoch == self._epoch

    def record(self, environ: dict[str, Any], status: int | None, data_centre: str, epoch: int) -> None:
        """Remember the call described by a WSGI environ, unless the log was cleared since it began."""
        call = LoggedRequest(
            method=environ["REQUEST_METHOD"],
            path=redact(environ["PATH_INFO"]),
            status=status,
            data_centre=data_centre,
            query=_redacted_query(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)),
            **environ["zoho.notes"],
        )
        with self._lock:
            if epoch == self._epoch:
                self.calls.append(call)
            if self._file is not None:
                with self._file.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps({"time": self._clock.now().isoformat(), **asdict(call)}) + "\n")


def matches(pattern: str, path: str) -> bool:
    """True when `path` begins with `pattern`, or `pattern` as a regular expression matches all of it."""
    return path.startswith(pattern) or re.fullmatch(pattern, path) is not None


def redact(text: str) -> str:
    """The text with anything that looks like one of Zoho's tokens hidden."""
    return TOKEN.sub(HIDDEN, text)


def _redacted_query(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {
        redact(name): HIDDEN if SECRET_PARAMETER.search(name) and name not in SHOWN_PARAMETERS else redact(value)
        for name, value in pairs
    }
