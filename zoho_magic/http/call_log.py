"""What every call of a session was and cost: totals by method and route, and on request a line of JSON a call.

Neither holds a value of a record, a query, a parameter or a secret: of an address only its route is kept.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from ..fork_safety import renew_after_fork

__all__ = ["TOKEN_ROUTE", "CallLog", "Usage", "caller", "charged", "route_of"]

TOKEN_ROUTE = "/oauth/v2/token"  # noqa: S105  # an address, no secret

_credits: ContextVar[int] = ContextVar("zoho_magic_credits", default=1)
_caller: ContextVar[str] = ContextVar("zoho_magic_caller", default="")


@contextmanager
def charged(credits: int) -> Iterator[None]:
    """The calls inside cost so many API credits each."""
    before = _credits.set(credits)
    try:
        yield
    finally:
        _credits.reset(before)


@contextmanager
def caller(name: str) -> Iterator[None]:
    """The calls inside, on other threads too, are made for this magic."""
    before = _caller.set(name)
    try:
        yield
    finally:
        _caller.reset(before)


@dataclass
class Usage:
    """Totals of one route: calls (tries that were repeated count each), those that failed, credits and seconds."""

    calls: int = 0
    failed: int = 0
    credits: int = 0
    seconds: float = 0.0


class CallLog:
    """Counts calls, and writes them to a file once `write_to` names one. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: dict[tuple[str, str, str], Usage] = {}
        self._path: Path | None = None
        renew_after_fork(self, _lock=threading.Lock)

    def write_to(self, path: Path | None) -> None:
        """Append a line for each call to this file from now on, readable by its owner only; None ends it.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        if path is not None:
            try:
                _append(path, "")
            except OSError as error:
                problem = f"The log {path} cannot be written: {error.strerror}."
                raise ConfigurationError(problem, hint="Name a file in a folder that you can write to.") from None
        self._path = path

    def totals(self) -> dict[tuple[str, str, str], Usage]:
        """(caller, method, route) -> totals, in the order of the first call."""
        with self._lock:
            return {key: Usage(**vars(found)) for key, found in self._totals.items()}

    def record(self, method: str, url: str, outcome: Any, seconds: float) -> None:
        """Count one call.

        Args:
            method, url: of the call.
            outcome: the answer or the error.
            seconds: that it took.
        """
        route, status = route_of(url), getattr(outcome, "status_code", None) or getattr(outcome, "status", None)
        failed = isinstance(outcome, BaseException) or (status or 0) >= 400
        # Token requests are no API calls; what was never answered or not let in, Zoho's page of credits does not name.
        free = route.startswith("/oauth/") or isinstance(outcome, BaseException) or status in (401, 429)
        credits, method = 0 if free else _credits.get(), method.upper()
        with self._lock:
            total = self._totals.setdefault((_caller.get(), method, route), Usage())
            total.calls, total.failed = total.calls + 1, total.failed + failed
            total.credits, total.seconds = total.credits + credits, total.seconds + seconds
            self._write(method, route, outcome, status, credits, seconds)

    def _write(self, method: str, route: str, outcome: Any, status: Any, credits: int, seconds: float) -> None:
        if self._path is None:
            return
        error = getattr(outcome, "code", "") or type(outcome).__name__ if isinstance(outcome, BaseException) else None
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "magic": _caller.get() or None,
            "method": method, "route": route, "status": status or None, "error": error, "credits": credits,
            "seconds": round(seconds, 3),
        }  # fmt: skip
        try:
            _append(self._path, json.dumps(line) + "\n")
        except OSError:  # a full disk must not lose the answer of a call that writes
            self._path = None


def _append(path: Path, text: str) -> None:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(number, text.encode())
    finally:
        os.close(number)


_OF_RECORD = re.compile(r"(/crm/v[\d.]+/[A-Z]\w*)/(?!(?:actions|deleted|search|upsert)(?:/|$))[^/]+")
_WORD = re.compile(r"(?:[A-Za-z_]+|v[\d.]+|[A-Za-z]\w{0,40})")


def route_of(url: str) -> str:
    """The path of an address without host, parameters, ids and values.

    Example::

        >>> route_of("https://www.zohoapis.com/crm/v8/Leads/554023004000008074/Notes?fields=id")
        '/crm/v8/Leads/{id}/Notes'
    """
    path = _OF_RECORD.sub(r"\1/{id}", urlsplit(url).path)
    return "/".join(part if _is_name(part) else "{id}" for part in path.split("/"))


def _is_name(part: str) -> bool:
    return part in ("", "{id}") or (_WORD.fullmatch(part) is not None and not re.search(r"\d{6}", part))
